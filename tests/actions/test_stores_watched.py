"""The worker looks at the stores by itself; what it finds is an alarm until it is mended or somebody answers for it."""

import uuid
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.fixtures import SHOP, days
from tests.operators import edited
from tests.promises.lies import telling
from tests.served import client
from tests.stores import Copies
from tests.submissions import REGISTER, sent
from troth import ledger
from troth.clock import MovedClock
from troth.collection import collect
from troth.commands.serve import _warn_of_stores, in_force
from troth.errors import InvalidInput, Refused
from troth.evidence.prove import Prover, prove
from troth.ledger import events
from troth.reconcile import watch
from troth.restoring.by_hand import accept
from troth.retention.heartbeat import EXPECTED
from troth.store.site import Site, open_site
from troth.work import standing, turn


def lie(site: Site, sql: str) -> None:
    with telling(site, "data", stays=True) as teller:
        assert teller.tell(sql) >= 1


def changed(site: Site) -> set[str]:
    return {one.subject for one in standing(site) if one.kind == watch.KIND}


@pytest.fixture
def shop(site: Site) -> Site:
    collect(site, REGISTER)
    collect(site, sent(REGISTER, "register-b", email="bob@shop.example"))
    ledger.seal(site)
    assert turn(site).done["stores"] == 0
    return site


def test_what_somebody_changed_is_an_alarm_within_a_day_and_stays_until_it_is_mended(
    shop: Site, clock: MovedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    lie(shop, "UPDATE choice SET scope = 'market_facts' WHERE id = (SELECT min(id) FROM choice)")
    assert turn(shop).done["stores"] == 0, "looked at a moment ago"
    clock.move(days(1))
    assert turn(shop).done["stores"] == 1
    assert changed(shop) == {"choice"}
    clock.move(days(2))
    turn(shop)
    assert changed(shop) == {"choice"}
    with client(shop) as web:
        answer = web.get("/health")
    assert answer.status_code == 200
    assert watch.KIND in answer.json()["alarms"]["shop"]
    _warn_of_stores(shop)
    assert watch.KIND in capsys.readouterr().err
    lie(shop, "UPDATE choice SET scope = 'marketing' WHERE id = (SELECT min(id) FROM choice)")
    clock.move(days(1) / 24)
    assert turn(shop).done["stores"] == 0, "while an alarm stands, every hour"
    assert changed(shop) == set()
    with client(shop) as web:
        assert watch.KIND not in web.get("/health").json()["alarms"]["shop"]  # a job that has no mail server is late
    about = "body LIKE '%stores_changed%'"
    with shop.reading() as conn:
        told = conn.scalars(
            text(f"SELECT event FROM ledger_entry WHERE event LIKE 'alarm:%' AND {about} ORDER BY id")
        ).all()
    assert told == [events.ALARM_RAISED, events.ALARM_ENDED]


def test_a_proof_raises_and_ends_it_too(shop: Site) -> None:
    lie(shop, "UPDATE dealing SET ref = 'x' || ref WHERE id = (SELECT min(id) FROM dealing)")
    prove(shop)
    assert changed(shop) == {"dealing"}
    lie(shop, "UPDATE dealing SET ref = substr(ref, 2) WHERE id = (SELECT min(id) FROM dealing)")
    prove(shop)
    assert changed(shop) == set()


def test_what_is_recorded_is_no_alarm_and_goes_on_being_said(shop: Site, clock: MovedClock) -> None:
    with pytest.raises(Refused, match="as Troth wrote them"):
        watch.record(shop, "why not", "privacy lead")
    lie(shop, "UPDATE choice SET scope = 'market_facts' WHERE id = (SELECT min(id) FROM choice)")
    with pytest.raises(InvalidInput):
        watch.record(shop, "", "privacy lead")
    watch.noted(shop, watch.differing(shop))
    with client(shop) as web:
        assert watch.KIND in web.get("/health?alarms").json()["alarms"]["shop"]
    [one] = watch.record(shop, "a support case", "privacy lead")
    assert one.table == "choice"
    assert changed(shop) == set()
    with client(shop) as web:
        assert (web.get("/health?alarms").status_code, web.get("/health").json()["status"]) == (200, "ok")
    proven = prove(shop)
    assert proven.found == (one,)
    assert not proven.holds
    assert "accepted on 2026-01-05 09:00 UTC by privacy_lead: a support case" in proven.restored[0].line()
    assert ledger.verify(shop).verdict == "whole"
    clock.move(days(1))
    turn(shop)
    assert changed(shop) == set()
    lie(shop, "UPDATE choice SET scope = 'market_facts' WHERE id = (SELECT max(id) FROM choice)")
    clock.move(days(1))
    turn(shop)
    assert changed(shop) == {"choice"}, "another row is another matter"


SECOND_LIES = {
    "another word in the same column": (
        "UPDATE choice SET scope = 'market_facts' WHERE id = (SELECT min(id) FROM choice)",
        "UPDATE choice SET scope = 'service' WHERE id = (SELECT min(id) FROM choice)",
    ),
    "another column of the same row": (
        "UPDATE choice SET scope = 'market_facts' WHERE id = (SELECT min(id) FROM choice)",
        "UPDATE choice SET state = 'refused' WHERE id = (SELECT min(id) FROM choice)",
    ),
    "another mark in its place": (
        "UPDATE dealing SET row_mark = 1 WHERE id = (SELECT min(id) FROM dealing)",
        "UPDATE dealing SET row_mark = 2 WHERE id = (SELECT min(id) FROM dealing)",
    ),
}


@pytest.mark.parametrize("lies", SECOND_LIES.values(), ids=SECOND_LIES.keys())
def test_who_answered_for_one_lie_about_a_row_did_not_answer_for_the_next(
    shop: Site, clock: MovedClock, lies: tuple[str, str]
) -> None:
    first, again = lies
    lie(shop, first)
    watch.record(shop, "a support case", "privacy lead")
    said = {one.line() for one in watch.differing(shop)}
    collect(shop, sent(REGISTER, "register-c", email="cai@shop.example"))
    clock.move(days(1))
    turn(shop)
    assert changed(shop) == set(), "what Troth writes itself changes nothing that is recorded"
    lie(shop, again)
    clock.move(days(1))
    turn(shop)
    assert {one.line() for one in watch.differing(shop)} == said, "told in the same words"
    assert len(changed(shop)) == 1
    watch.record(shop, "the same case", "privacy lead")
    assert changed(shop) == set()
    with shop.reading() as conn:
        found = conn.scalars(text(f"SELECT body FROM ledger_entry WHERE event = '{events.STORE_ACCEPTED}'")).all()
    assert not [body for body in found if "market_facts" in body]


def test_nothing_that_is_recorded_keeps_the_site_silent(shop: Site) -> None:
    from troth.work import silent

    lie(shop, "UPDATE choice SET scope = 'market_facts'")
    watch.record(shop, "a support case", "privacy lead")
    assert not silent(shop)


def test_after_a_restore_the_worker_looks_at_once(shop: Site, tmp_path: Path, clock: MovedClock) -> None:
    copies, name = Copies(tmp_path), uuid.uuid4().hex[:12]
    lie(shop, "UPDATE choice SET scope = 'market_facts'")
    copies.take(shop.engine, name)
    with shop.writing() as conn:
        ledger.append(conn, shop.now(), events.KEY_MADE, {})
    ledger.seal(shop)
    copies.put_back(shop.engine, name)
    clock.move(days(1) / 48)
    assert turn(shop).done["stores"] == 0
    accept(shop, "the copy of the night before", "engineer")
    assert turn(shop).done["stores"] == 1
    assert "choice" in changed(shop)
    copies.close()


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_second_look_of_the_worker_reads_digests_alone(shop: Site, clock: MovedClock) -> None:
    before = shop.shared["stores as they were looked at"]
    digests = {name: dict(seen) for name, seen in before.digests.items()}
    clock.move(days(1))
    turn(shop)
    assert shop.shared["stores as they were looked at"] is before
    assert digests["keys"] == before.digests["keys"] != {}


def test_a_new_site_whose_policy_has_applied_for_years_raises_no_alarm(
    tmp_path: Path, database_url: str, clock: MovedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = edited(SHOP, tmp_path / "new", ())
    new = open_site(folder, clock, database=database_url, keys="sqlite:///var/keys.db")
    in_force(new)
    assert new.policy().policy.policy.effective == date(2024, 1, 1)
    _warn_of_stores(new)
    assert "alarm" not in capsys.readouterr().err and prove(new).stopped == {}
    clock.move(timedelta(hours=2, seconds=1))
    assert set(prove(new).stopped) == {"sweep", "destroy", "visits"}
    _warn_of_stores(new, works=True)
    assert "alarm" not in capsys.readouterr().err, "none has ever run, and one starts now"
    _warn_of_stores(new)
    assert "sweeper stopped" in capsys.readouterr().err
    new.close()


def test_a_worker_that_is_dead_for_a_month_is_said_by_prove_serve_and_health(
    shop: Site, clock: MovedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prove(shop).stopped == {}
    since = clock.now()
    clock.move(days(30))
    assert prove(shop).stopped == dict.fromkeys(EXPECTED, since)
    assert prove(shop).as_json()["stopped"] == dict.fromkeys(EXPECTED, "2026-01-05T09:00:00Z")
    _warn_of_stores(shop, works=True)
    assert "an alarm stands since 2026-01-05T09:00:00Z: sweeper stopped" in capsys.readouterr().err
    with client(shop) as web:
        assert web.get("/health").json()["alarms"] == {"shop": ["sweeper stopped"]}
    assert {one.subject for one in standing(shop) if one.kind == "sweeper stopped"} == set(EXPECTED)
    turn(shop)
    assert prove(shop).stopped == {}


def test_the_worker_reads_the_whole_ledger_again_every_day(shop: Site, clock: MovedClock) -> None:
    """What was read and found whole may be changed past Troth, which a look that goes on from there does not see."""
    with telling(shop, "data", stays=True) as teller:
        for trigger in ("unchanged", "kept"):
            on = " ON ledger_entry" if shop.engine.dialect.name == "postgresql" else ""
            teller.tell(f"DROP TRIGGER ledger_entry_{trigger}{on}")
        teller.tell("UPDATE ledger_entry SET body = '{}' WHERE position = 0")
    clock.move(days(1))
    turn(shop)
    assert "ledger_entry" in changed(shop)


def test_evidence_says_how_much_of_the_ledger_was_read_this_time(shop: Site, clock: MovedClock) -> None:
    prover = Prover(shop)
    assert "entries read from the first to the last" in _audit(prover)
    clock.move(days(1) / 24)
    assert "entries read from the first to the last 1 h ago, 1 entry since" in _audit(prover)
    clock.move(days(1))
    assert "ago" not in _audit(prover)


def _audit(prover: Prover) -> str:
    return next(str(one.proof.evidence) for one in prover.prove().proven if one.promise.id == "security.ledger")
