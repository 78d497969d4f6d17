"""A lie about who is in, what is done and what is going on turns the promises that rest on it, clause by clause, in one run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text

from tests.operators import open_operator
from tests.promises.lies import telling
from troth.agenda import run_due
from troth.clock import MovedClock, to_micros, utc
from troth.collection import Submission, collect
from troth.evidence.prove import prove
from troth.messages import actions as messages
from troth.messages.actions import DELIVER, SECOND_HAND, deliver, tell_second_hand
from troth.messages.post import Undelivered
from troth.people import dealings, vault
from troth.people.tables import dealing
from troth.people.vault import By
from troth.proof import Proof
from troth.reconcile import watch
from troth.store.site import Site
from troth.verdicts import Verdict

Open = Callable[[str], Site]
NOW = utc(2026, 11, 23, 9)
AT = to_micros(NOW)
SOON = AT + 86_400_000_000
WHO = "01kz0000000000000000000000"


@pytest.fixture
def opened(fresh_database: Callable[..., str], tmp_path: Path) -> Iterator[Open]:
    sites: list[Site] = []

    def opening(name: str) -> Site:
        sites.append(open_operator(name, tmp_path, MovedClock(NOW), fresh_database))
        return sites[-1]

    yield opening
    for site in sites:
        site.close()


def planted(site: Site, table: str, **row: Any) -> None:
    """A row of somebody else's, which Troth never wrote."""
    with telling(site, "data", stays=True) as teller:
        teller.put(table, row)


def told(site: Site, sql: str, **values: Any) -> None:
    with telling(site, "data", stays=True) as teller:
        assert teller.tell(sql, **values) == 1


def broken(site: Site) -> set[str]:
    """The clauses of which a promise is broken."""
    return {clause for one in prove(site).broken for clause in one.promise.cites}


def turned(site: Site) -> set[str]:
    """The clauses of which a promise rests on what was changed; none of these is kept."""
    resting = [one for one in prove(site).proven if one.differences]
    assert {one.proof.verdict for one in resting} <= {"broken", "not proven"}
    return {clause for one in resting for clause in one.promise.cites}


def in_hand(site: Site) -> set[str]:
    """As ``broken``, before anybody lied: nothing is."""
    found = broken(site)
    assert not {"F26", "F27", "F33", "F45", "O13", "M29", "L5"} & found
    return found


SESSION = {"digest": b"s" * 32, "made_at": AT, "ends_at": SOON}
IN_WITHOUT_A_LOG_IN: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    "staff": ("ledflex", "staff_session", {**SESSION, "staff_id": WHO, "seen_at": AT}),
    "member": ("made-in-china", "session", {**SESSION, "person_id": WHO}),
    "half": ("made-in-china", "half_log_in", {"digest": b"s" * 32, "person_id": WHO, "ends_at": SOON}),
    "link": ("made-in-china", "once", {**SESSION, "id": WHO, "person_id": WHO}),
    "code": ("made-in-china", "recovery_code", {"digest": b"s" * 32, "person_id": WHO}),
}
CLAUSES = {"ledflex": {"F45"}, "made-in-china": {"M29"}}


@pytest.mark.parametrize("way", IN_WITHOUT_A_LOG_IN)
def test_nobody_is_in_without_a_log_in_unseen(opened: Open, way: str) -> None:
    name, table, row = IN_WITHOUT_A_LOG_IN[way]
    site = opened(name)
    in_hand(site)
    planted(site, table, **row)
    assert CLAUSES[name] <= turned(site)
    assert any(line.startswith((f"{table} ", f"table {table} ")) for line in (one.line() for one in prove(site).found))


@pytest.mark.parametrize(
    ("name", "kind", "clauses"),
    [
        ("ledflex", "order", {"F26", "F33"}),
        ("ledflex", "ticket", {"F27"}),
        ("optokingdom", "order", {"O13"}),
    ],
)
@pytest.mark.parametrize("sql", ["UPDATE dealing SET closed_at = NULL", "DELETE FROM dealing"])
def test_a_case_that_somebody_opened_again_turns_what_may_be_done_in_it(
    opened: Open, name: str, kind: str, clauses: set[str], sql: str
) -> None:
    site = opened(name)
    with site.writing() as conn:
        person = vault.admit(site, conn, "customer")
        dealings.open_dealing(site, conn, person, kind, "case-1", site.now())
        dealings.close_dealing(site, conn, person, kind, "case-1", site.now())
    in_hand(site)
    told(site, sql)
    assert clauses <= turned(site)


IN_A_CASE = [
    ("ledflex", "fulfil_order", "order", "F26", By("staff", "sales")),
    ("ledflex", "inventory", "order", "F33", By("system")),
    ("ledflex", "support", "ticket", "F27", By("staff", "sales")),
    ("optokingdom", "customer_service", "order", "O13", By("staff", "customer service")),
]


@pytest.mark.parametrize(("name", "purpose", "kind", "clause", "by"), IN_A_CASE)
def test_what_was_allowed_in_a_case_that_was_closed_is_not_believed(
    opened: Open, name: str, purpose: str, kind: str, clause: str, by: By
) -> None:
    """Opened again with the key of marks: the ledger itself says that the case was closed."""
    site = opened(name)
    field = site.policy().policy.purposes[purpose].uses[0]
    with site.writing() as conn:
        person = vault.admit(site, conn, "customer")
        dealings.open_dealing(site, conn, person, kind, "case-1", site.now())
    assert vault.read(site, person, [field], purpose, by).decision.allowed
    assert clause not in broken(site), "it was open"
    with site.writing() as conn:
        dealings.close_dealing(site, conn, person, kind, "case-1", site.now())
    assert isinstance(site.clock, MovedClock)
    site.clock.move(timedelta(minutes=1))
    assert clause not in broken(site), "it was open then"
    with site.writing() as conn:
        conn.execute(text("UPDATE dealing SET closed_at = NULL"))
    assert vault.read(site, person, [field], purpose, by).decision.allowed
    report = prove(site)
    assert report.found == ()
    assert clause in {clause for one in report.broken for clause in one.promise.cites}


def test_a_case_that_was_closed_stays_closed_when_somebody_answers_for_what_was_found(opened: Open) -> None:
    """Nothing was lost by that, unlike by a backup that is put back."""
    site = opened("ledflex")
    with site.writing() as conn:
        person = vault.admit(site, conn, "customer")
        dealings.open_dealing(site, conn, person, "order", "case-1", site.now())
        dealings.close_dealing(site, conn, person, "order", "case-1", site.now())
    assert isinstance(site.clock, MovedClock)
    site.clock.move(timedelta(minutes=1))
    told(site, "UPDATE person SET kind = 'lead'")
    watch.record(site, "mended by hand", "privacy lead")
    told(site, "UPDATE person SET kind = 'customer'")
    with site.writing() as conn:
        conn.execute(text("UPDATE dealing SET closed_at = NULL"))
    assert vault.read(site, person, ["order_lines"], "fulfil_order", By("staff", "sales")).decision.allowed
    assert {"F26"} <= broken(site)


def test_a_case_that_nobody_opened_allows_nothing_that_is_believed(opened: Open) -> None:
    site = opened("ledflex")
    with site.writing() as conn:
        person = vault.admit(site, conn, "customer")
        row = {"id": WHO, "person_id": person, "kind": "order", "ref": "case-1", "at": site.now()}
        conn.execute(insert(dealing).values(row))
    assert vault.read(site, person, ["order_lines"], "fulfil_order", By("staff", "sales")).decision.allowed
    assert {"F26"} <= broken(site)


def test_a_person_who_was_dated_back_turns_what_may_be_done_by_old_terms(opened: Open) -> None:
    site = opened("ledflex")
    with site.writing() as conn:
        vault.admit(site, conn, "customer")
    before = {one.promise.id for one in prove(site).proven if one.differences}
    told(site, "UPDATE person SET since = 0")
    now = {one.promise.id for one in prove(site).proven if one.differences}
    dated = {key for key, one in site.policy().policy.purposes.items() if one.before is not None}
    assert dated
    assert {f"purposes.{key}" for key in dated} <= now - before


NEVER_TOLD = {
    "its job was marked done": "UPDATE job SET done_at = 1 WHERE kind = 'tell:second-hand'",
    "its job is gone": "DELETE FROM job WHERE kind = 'tell:second-hand'",
    "the letter's job was marked done": "UPDATE job SET done_at = 1 WHERE kind = 'message:deliver'",
    "the letter is another person's": "UPDATE message SET person_id = 'x' || substr(person_id, 2)",
    "the letter was refused": "UPDATE message SET state = 'refused'",
}


@pytest.fixture
def imported(opened: Open) -> Site:
    """A site to which a partner has handed in somebody."""
    site = opened("ledinside")
    point = site.policy().policy.collection["partner_import"]
    given = {"email": "mei@led.example", "birth_date": "1990-05-31"}
    values = {key: given.get(key, "something") for key in point.required or point.optional}
    collect(site, Submission("partner_import", values, "k1", partner="business_partners"))
    return site


def verdict(site: Site) -> Verdict:
    return told_of(site).verdict


def told_of(site: Site) -> Proof:
    return next(one.proof for one in prove(site).proven if one.promise.id == "collection.partner_import")


@pytest.mark.parametrize("why", NEVER_TOLD)
def test_data_from_a_partner_is_told_when_a_letter_left_and_not_when_a_job_is_done(imported: Site, why: str) -> None:
    """Each is written with the key of marks, as a mistake of Troth's own would be: the proof itself must see it."""
    assert verdict(imported) == "kept", "the notice waits to be sent"
    if "letter" in why:
        run_due(imported, {SECOND_HAND: tell_second_hand})
        assert verdict(imported) == "kept", "the letter waits to be sent"
    with imported.writing() as conn:
        assert conn.execute(text(NEVER_TOLD[why])).rowcount == 1
    report = prove(imported)
    assert report.found == ()
    assert "L5" in {clause for one in report.broken for clause in one.promise.cites}


def test_a_notice_that_waits_for_a_month_is_late_and_one_that_left_is_told(
    imported: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = imported.clock
    assert isinstance(clock, MovedClock)
    clock.move(timedelta(days=28) - timedelta(microseconds=1))
    assert verdict(imported) == "kept", "it waits"
    clock.move(timedelta(days=1))
    assert told_of(imported).measured == "1 submission of which nobody told the person"
    sends(imported, monkeypatch)
    found = told_of(imported)
    assert (found.verdict, found.measured) == ("broken", "1 submission of which the person was told too late")


def test_a_notice_that_left_on_its_last_day_is_told_in_time(imported: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = imported.clock
    assert isinstance(clock, MovedClock)
    clock.move(timedelta(days=28))
    sends(imported, monkeypatch)
    clock.move(timedelta(days=100))
    assert verdict(imported) == "kept"


def test_whether_a_notice_arrived_that_a_server_refused_or_never_answered_for_is_not_known(
    imported: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = imported.clock
    assert isinstance(clock, MovedClock)
    sends(imported, monkeypatch, Undelivered("The mail server does not answer."))
    assert verdict(imported) == "kept", "it is tried again"
    clock.move(timedelta(days=29))
    found = told_of(imported)
    assert (found.verdict, found.measured) == (
        "not proven",
        "1 submission of which nothing shows that the person was told",
    )
    sends(imported, monkeypatch, Undelivered("The mail server refused the message.", for_good=True))
    assert verdict(imported) == "not proven"


def sends(site: Site, monkeypatch: pytest.MonkeyPatch, error: Undelivered | None = None) -> None:
    """Two turns of the agenda with a mail server that takes every letter, or raises ``error``."""

    def answer(*_: object) -> None:
        if error is not None:
            raise error

    monkeypatch.setattr(messages, "_sent", answer)
    for _ in range(2):
        run_due(site, {SECOND_HAND: tell_second_hand, DELIVER: deliver})


def test_a_job_that_was_marked_done_by_hand_is_named_and_turns_its_own_promise(imported: Site) -> None:
    in_hand(imported)
    told(imported, "UPDATE job SET done_at = 1")
    report = prove(imported)
    assert {one.table for one in report.found} == {"job"}
    assert {one.promise.id for one in report.broken} == {"collection.partner_import"}
