"""A measure of security is kept by evidence that bears on it: each is taken away, and its verdict turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import insert, update

from tests.fixtures import days
from tests.flights import walking_only
from tests.operators import mailing
from tests.staffed import somebody
from tests.submissions import CONTACT, REGISTER
from troth import ledger, work
from troth.accounts import actions as accounts
from troth.accounts import sessions, tries
from troth.accounts.actions import opened
from troth.accounts.tables import account
from troth.clock import MovedClock
from troth.collection import collect
from troth.errors import Refused, StoreError
from troth.evidence.prove import prove
from troth.ledger import events
from troth.logins.passwords import hashed
from troth.messages.mailbox import Mailbox
from troth.people import vault
from troth.people.vault import By
from troth.policy.compile import Compiled
from troth.proof import Proof
from troth.restoring.drill import Drilled, _body
from troth.retention.tables import heartbeat
from troth.settings import Attestation
from troth.staff import log
from troth.staff.actions import forget_the_past
from troth.staff.tables import staff
from troth.store import versions
from troth.store.site import Site
from troth.web.inside import Inside

MEASURES = """
security:
  passwords: {measure: your account is protected by your password, check: password}
  use: {measure: nobody misuses your data, check: access, for: [service]}
  ours: {measure: only our employees see it, check: access, attested by: privacy lead}
  watch: {measure: we watch for breaches, check: breach watch, tells: [authority, people]}
  copies: {measure: we back up every day, check: backup}
  log_ins: {measure: every log-in of our staff is recorded, check: login log}"""
LOGS = """
retention:
  staff_log: {what: staff log, keep: 1 year, after: collection}"""


@pytest.fixture
def shop(site: Site, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The shop with these measures, and mail; the made-up person walks for them alone."""
    walking_only(monkeypatch, "security.")
    made = mailing(site, mailbox)
    policy = (site.folder / "policy.yaml").read_text("utf-8").replace("version: 1", "version: 2", 1)
    with made.writing() as conn:
        text = policy.replace("\nsecurity:", MEASURES, 1).replace("\nretention:", LOGS, 1)
        decisions = (site.folder / "decisions.yaml").read_text("utf-8")
        versions.archive(conn, text, decisions, effective_at=made.now(), at=made.now() - days(60))
    return made


def proof(site: Site, measure: str, door: bool = False) -> Proof:
    return next(
        one.proof
        for one in prove(site, door=Inside if door else None).proven
        if one.promise.id == f"security.{measure}"
    )


def read(site: Site, purpose: str = "service") -> None:
    person_id = collect(site, CONTACT).person_id
    assert vault.read(site, person_id, ["email"], purpose, By("staff", "support")).values


# A password


def test_the_log_in_is_tried_with_wrong_easy_and_right_passwords(shop: Site) -> None:
    assert proof(shop, "passwords").verdict == "not proven", "before anybody tried"
    found = proof(shop, "passwords", door=True)
    assert (found.verdict, found.how) == ("kept", "canary")
    assert (
        found.measured
        == "wrong, common and guessed passwords refused, the right one taken; 0 passwords kept, each as an Argon2id hash"
    )


def _any_password_will_do(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(accounts, "password_problem", lambda *_: "")


def _any_password_is_right(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sessions, "matches", lambda *_: True)


def _no_password_is_right(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sessions, "matches", lambda *_: False)


def _nobody_counts_tries(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tries, "enter", lambda *_: True)


OFF = (_any_password_will_do, _any_password_is_right, _no_password_is_right, _nobody_counts_tries)


@pytest.mark.parametrize("off", OFF, ids=lambda one: one.__name__)
def test_a_log_in_that_lets_others_in_breaks_the_promise(
    shop: Site, off: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert proof(shop, "passwords", door=True).verdict == "kept"
    off(monkeypatch)
    assert proof(shop, "passwords", door=True).verdict == "broken"


@pytest.mark.parametrize(
    "kept", ["seven quiet lamps", "$2b$12$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA"]
)
def test_a_password_that_is_kept_otherwise_than_as_its_hash_breaks_the_promise(shop: Site, kept: str) -> None:
    opened(shop, collect(shop, REGISTER).person_id)
    with shop.writing() as conn:
        conn.execute(update(account).values(password=hashed("seven quiet lamps")))
    assert "1 password kept, each" in proof(shop, "passwords", door=True).measured
    with shop.writing() as conn:
        conn.execute(update(account).values(password=kept))
    found = proof(shop, "passwords")
    assert (found.verdict, found.measured) == ("broken", "1 password kept otherwise than as an Argon2id hash")


# The log of log-ins


def test_a_log_in_that_nobody_wrote_down_breaks_the_promise(shop: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    sue = somebody(shop, "sue")
    sue.session()
    assert proof(shop, "log_ins").verdict == "kept"
    monkeypatch.setattr(log, "note", lambda *_, **__: None)
    sue.session()
    found = proof(shop, "log_ins")
    assert (found.verdict, found.measured) == ("broken", "1 entry altered, missing, or let in against that")


def test_a_log_in_that_nobody_wrote_down_is_seen_when_its_session_is_over(
    shop: Site, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sue = somebody(shop, "sue")
    monkeypatch.setattr(log, "note", lambda *_, **__: None)
    sue.session()
    clock.move(days(2))
    assert forget_the_past(shop) >= 2
    assert proof(shop, "log_ins").verdict == "broken"


# Who reads


def test_reading_is_counted_by_who_it_was(shop: Site) -> None:
    assert proof(shop, "use").verdict == "nothing to check yet"
    somebody(shop, "sue")
    read(shop)
    found = proof(shop, "use")
    assert (found.verdict, found.how) == ("kept", "replay")
    assert found.measured == "1 opening of data, of which staff made 1, each for a promised purpose"
    assert found.evidence.startswith("1 member of staff, each with a second factor")


def test_staff_who_read_for_something_else_are_refused(shop: Site) -> None:
    person_id = collect(shop, CONTACT).person_id
    with pytest.raises(Refused):
        vault.read(shop, person_id, ["email"], "answer", By("staff", "support"))
    assert vault.read(shop, person_id, ["email"], "answer", By("program")).values
    assert proof(shop, "use").verdict == "kept"


def test_staff_who_read_for_something_else_past_the_rules_break_it(shop: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    right = Compiled.decide
    with monkeypatch.context() as broken:
        broken.setattr(Compiled, "decide", lambda self, ask: right(self, replace(ask, facts=ask.facts - {"by:staff"})))
        read(shop, "answer")
    found = proof(shop, "use")
    assert (found.verdict, found.measured) == ("broken", "1 decision not as the policy says")


def test_a_member_of_staff_without_a_second_factor_breaks_it(shop: Site) -> None:
    somebody(shop, "sue")
    read(shop)
    with shop.writing() as conn:
        conn.execute(update(staff).values(totp=None))
    assert proof(shop, "use").measured == "1 member of staff without a second factor"


def test_what_no_check_can_show_is_at_most_attested(shop: Site) -> None:
    read(shop)
    found = proof(shop, "ours")
    assert found.verdict == "not proven" and found.measured.startswith("nobody answers for it; 1 opening of data")
    by = {"ours": Attestation(by="privacy lead", until=(shop.now() + days(90)).date())}
    answered = Site(shop.folder, shop.wiring.model_copy(update={"attested": by}), shop.engine, shop.keys, shop.clock)
    assert proof(answered, "ours").verdict == "attested"
    with shop.writing() as conn:
        conn.execute(
            insert(staff).values(id="0" * 26, login="eve", state="open", roles=["support"], made_at=shop.now())
        )
    assert proof(answered, "ours").verdict == "broken"


# Watching, and copies


def test_a_watch_is_kept_by_the_last_look_and_broken_by_a_worker_that_stopped(shop: Site, clock: MovedClock) -> None:
    assert proof(shop, "watch").verdict == "not proven"
    work.turn(shop)
    assert (proof(shop, "watch").verdict, proof(shop, "watch").measured) == ("kept", "last looked 0 min ago")
    clock.move(days(1))
    assert (proof(shop, "watch").verdict, proof(shop, "watch").measured) == ("broken", "last looked 1 d ago")


def test_a_worker_whose_look_fails_every_turn_watches_nothing(
    shop: Site, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise StoreError("no look", "none")

    work.turn(shop)
    monkeypatch.setattr("troth.reconcile.watch.reconcile", fails)
    for _ in range(3):
        clock.move(days(1))
        assert "stores" in work.turn(shop).problems
    assert proof(shop, "watch").verdict == "broken"


def test_a_look_that_is_dated_ahead_is_no_look(shop: Site) -> None:
    work.turn(shop)
    with shop.writing() as conn:
        conn.execute(update(heartbeat).where(heartbeat.c.task == "stores").values(at=shop.now() + days(3650)))
    assert proof(shop, "watch").verdict == "broken"


def _noted(site: Site, event: str, **body: object) -> None:
    with site.writing() as conn:
        ledger.append(conn, site.now(), event, body)


def _drilled(site: Site, *, whole: bool, unopened: int = 0) -> None:
    found = replace(Drilled(site.now(), site.now(), whole, 1, 1, 0, site.now(), 0, 0), unopened=unopened)
    _noted(site, events.BACKUP_DRILLED, **_body(found))


def test_backups_are_made_and_tried_of_late_and_were_whole(shop: Site, clock: MovedClock) -> None:
    assert proof(shop, "copies").measured == "none was made so far"
    _noted(shop, events.BACKUP_MADE)
    assert (proof(shop, "copies").verdict, proof(shop, "copies").measured) == ("not proven", "none was tried so far")
    _drilled(shop, whole=True)
    assert (proof(shop, "copies").verdict, proof(shop, "copies").measured) == (
        "kept",
        "the last one made 0 min ago, one tried 0 min ago",
    )
    clock.move(days(3))
    assert proof(shop, "copies").verdict == "broken"
    with shop.writing() as conn:
        ledger.append(conn, clock.now() + days(3650), events.BACKUP_MADE, {})
    assert proof(shop, "copies").verdict == "broken", "what is dated ahead says nothing of when it was done"
    _noted(shop, events.BACKUP_MADE)
    assert proof(shop, "copies").verdict == "kept"
    _drilled(shop, whole=False)
    assert (proof(shop, "copies").verdict, proof(shop, "copies").measured) == (
        "broken",
        "the last one tried was not whole",
    )
    _drilled(shop, whole=True)
    assert proof(shop, "copies").verdict == "kept"
    _drilled(shop, whole=True, unopened=5)
    assert proof(shop, "copies").verdict == "broken"
