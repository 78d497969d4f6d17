"""What was destroyed late is seen when nothing is left of it: the ledger has each deadline, and when the destruction came."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from tests.actions.lives import CONTACT, admit, customer, work
from tests.actions.test_holds import erase
from tests.actions.test_times import shown, with_clock
from tests.fixtures import START, days
from troth.clock import MovedClock
from troth.evidence.ended import judged
from troth.evidence.prove import prove
from troth.ledger.restored import RESTORED
from troth.ledger.tables import restoration
from troth.proof import Beginning, Proof, Timeliness
from troth.retention.ending import destroy_due, restore
from troth.retention.heartbeat import SWEEP_EVERY
from troth.retention.sweep import _Run, sweep
from troth.retention.tables import ending
from troth.store.site import Site

IN_TIME, LATE, UNKNOWN = Timeliness
HOUR = SWEEP_EVERY // timedelta(microseconds=1)


def path_of(site: Site) -> Proof:
    return next(one.proof for one in prove(site).proven if one.promise.id == "erasure")


def test_what_went_in_time_leaves_a_kept_promise(site: Site, clock: MovedClock) -> None:
    customer(site)
    for day in (0, 50, 99):
        clock.at = START + days(day)
        work(site)
    found = shown(site, "taste")
    assert (found.verdict, found.measured, found.evidence) == ("kept", "nothing is kept", "all was taken away in time")
    assert path_of(site).verdict == "kept"


def test_a_sweep_that_came_a_year_late_breaks_the_promise_though_nothing_is_left(site: Site, clock: MovedClock) -> None:
    customer(site)
    work(site)
    clock.at = START + days(465)
    work(site)
    found = shown(site, "taste")
    assert (found.verdict, found.measured) == ("broken", "1 deletion destroyed late, the worst by 365 d")
    assert path_of(site).verdict == "broken"
    clock.move(days(1))
    customer(site, "bob@example.org")
    assert shown(site, "taste").verdict == "broken", "what is kept now does not mend it"


def test_a_sweep_that_found_the_end_of_business_late_breaks_the_promise(site: Site, clock: MovedClock) -> None:
    admit(site, "lead", CONTACT, "contact", "contact")
    work(site)
    clock.at = START + days(400)
    work(site)
    assert shown(site, "leads").verdict == "broken"


def test_what_was_quarantined_in_time_and_destroyed_late_breaks_the_promise(site: Site, clock: MovedClock) -> None:
    admit(site, "lead", CONTACT, "contact", "contact")
    clock.at = START + days(145)
    sweep(site)
    clock.at = START + days(152)
    assert shown(site, "leads").verdict == "broken", "it is out of use, and still there"
    destroy_due(site)
    assert shown(site, "leads").verdict == "broken", "and came too late"


def test_an_erasure_that_was_destroyed_late_breaks_the_promise_for_good(site: Site, clock: MovedClock) -> None:
    erase(site, customer(site))
    clock.move(days(22))
    destroy_due(site)
    found = path_of(site)
    assert found.verdict == "broken" and "1 deletion destroyed late, the worst by 2 d" in found.measured


def quarantined(site: Site, clock: MovedClock) -> None:
    """Data that is out of use by an ending, five days before its deadline."""
    admit(site, "lead", CONTACT, "contact", "contact")
    clock.at = START + days(145)
    sweep(site)


PUT_OFF = {
    "its day was put off": {"destroy_by": START + days(900), "destroys_at": START + days(900)},
    "it was moved to another clock": {
        "cause": "clock:taste",
        "destroy_by": START + days(900),
        "destroys_at": START + days(900),
    },
    "it was called over": {"state": "complete"},
}


@pytest.mark.parametrize("why", PUT_OFF)
def test_an_ending_is_held_against_what_the_ledger_said_when_it_began_whatever_its_row_says(
    site: Site, clock: MovedClock, why: str
) -> None:
    """Each is written with the key of marks, as a mistake of Troth's own would be: the proof itself must see it."""
    quarantined(site, clock)
    assert path_of(site).verdict == "kept", "it waits to be destroyed"
    with site.writing() as conn:
        assert conn.execute(update(ending).values(**PUT_OFF[why])).rowcount == 1
    clock.at = START + days(152)
    found = path_of(site)
    assert found.verdict == shown(site, "leads").verdict == "broken"
    assert found.measured.startswith("1 deletion not destroyed by the deadline, the oldest 2 d late")


def test_an_ending_that_was_put_back_is_not_missed(site: Site, clock: MovedClock) -> None:
    quarantined(site, clock)
    with site.writing() as conn:
        restore(site, conn, conn.execute(select(ending.c.id)).scalar_one())
    work(site)
    clock.at = START + days(149)
    work(site)
    clock.move(days(10))
    assert path_of(site).verdict == "kept"


def test_what_a_restoration_lost_is_not_missed(site: Site, clock: MovedClock) -> None:
    quarantined(site, clock)
    with site.writing() as conn:
        conn.execute(update(ending).values(state="complete"))
        row = {"id": "r", "at": site.now(), "kind": RESTORED, "because": "a disk", "made_by": "operator"}
        conn.execute(insert(restoration), row | {"backup_at": START + days(144)})
    clock.at = START + days(152)
    assert "not destroyed by the deadline" not in path_of(site).measured


def test_a_deadline_that_a_later_version_put_into_the_past_is_not_called_in_time(site: Site, clock: MovedClock) -> None:
    customer(site)
    for day in (0, 20, 50):
        clock.at = START + days(day)
        work(site)
    with_clock(site, "  taste: {what: interest, keep: 10 days, after: collection}\n")
    work(site)
    found = shown(site, "taste")
    assert (found.verdict, found.measured) == (
        "not proven",
        "nothing is kept; 1 deletion not shown to be in time",
    )
    assert path_of(site).verdict == "kept"


def test_one_clock_that_was_swept_late_is_not_kept_because_something_else_is_there(
    site: Site, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer(site)
    run = _Run.run
    with monkeypatch.context() as patch:
        patch.setattr(_Run, "run", lambda self: 0 if self.clock.id == "taste" else run(self))
        for day in (0, 100, 150, 199):
            clock.at = START + days(day)
            work(site)
    clock.at = START + days(200)
    customer(site, "bob@example.org")
    work(site)
    clock.move(days(1))
    found = shown(site, "taste")
    assert (found.verdict, found.measured) == ("not proven", "oldest 1 d; 1 deletion not shown to be in time")


@pytest.mark.parametrize(
    "beginning, gone, timeliness",
    [
        (Beginning("c", 0, 10, None), 10, IN_TIME),
        (Beginning("c", 0, 10, None), 11, UNKNOWN),
        (Beginning("c", 0, 10, None), 10 + 24 * HOUR, UNKNOWN),
        (Beginning("c", 0, 10, None), 11 + 24 * HOUR, LATE),
        (Beginning("c", 10, 10, None), 10 + 2 * HOUR, IN_TIME),
        (Beginning("c", 10, 10, None), 11 + 2 * HOUR, UNKNOWN),
        (Beginning("c", 10, 10, None), 11 + 24 * HOUR, LATE),
        (Beginning("c", 30 * HOUR, 0, 0), 30 * HOUR, UNKNOWN),
        (Beginning("c", 30 * HOUR, 1, 0), 30 * HOUR, LATE),
        (Beginning("c", 30 * HOUR, 0, 1), 30 * HOUR, UNKNOWN),
        (Beginning("c", 30 * HOUR, 0, None), 30 * HOUR, UNKNOWN),
        (Beginning("c", 30 * HOUR, 0, 1), 1 + 32 * HOUR, LATE),
        (Beginning("c", 0, None, None), 1, UNKNOWN),
    ],
)
def test_when_an_ending_was_in_time(beginning: Beginning, gone: int, timeliness: Timeliness) -> None:
    assert judged(beginning, gone)[0] is timeliness


def test_what_a_restoration_may_have_brought_back_is_called_neither_late_nor_in_time() -> None:
    beginning = Beginning("clock:taste", 30 * HOUR, 5, 0)
    assert judged(beginning, 30 * HOUR, [(4, 6)]) == (UNKNOWN, timedelta(0))
    assert judged(beginning, 30 * HOUR, [(5, 6)]) == (LATE, 30 * SWEEP_EVERY - timedelta(microseconds=5))
