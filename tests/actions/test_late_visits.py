"""Whether visits were destroyed in time is seen when none is left: the ledger has how old the oldest was at each sweep."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from tests.actions.test_visits import change_policy, visit
from tests.fixtures import START, days
from troth import ledger
from troth.clock import MovedClock, to_micros, utc
from troth.evidence.archive import archive
from troth.evidence.prove import prove
from troth.evidence.swept import judged_sweep
from troth.ledger import events
from troth.ledger.restored import RESTORED
from troth.ledger.tables import entry, restoration
from troth.proof import Ended, Proof
from troth.store.site import Site
from troth.visits import daykeys
from troth.visits.sweep import sweep

HOUR = timedelta(hours=1)
KEEP = "keep: 30 days}"


def keep(site: Site) -> Proof:
    return next(one.proof for one in prove(site).proven if one.promise.id == "visits.keep")


def said(site: Site) -> list[dict[str, object]]:
    """What the ledger has of sweeps."""
    with site.reading() as conn:
        query = select(entry.c.body).where(entry.c.event == events.VISIT_SWEPT).order_by(entry.c.id)
        return [json.loads(body) for body in conn.scalars(query)]


def test_visits_that_were_destroyed_in_time_leave_a_kept_promise(site: Site, clock: MovedClock) -> None:
    visit(site)
    clock.at = START + days(30) + HOUR
    assert sweep(site) == 1
    assert said(site) == [{"count": 1, "days": 0, "oldest": 721}], "in whole hours, and no instant of a visit"
    found = keep(site)
    assert (found.verdict, found.measured) == ("kept", "no visit is kept")
    assert found.evidence == "all was taken away in time"


def test_visits_that_were_destroyed_a_year_late_break_the_promise_for_good(site: Site, clock: MovedClock) -> None:
    visit(site)
    clock.move(days(395))
    assert keep(site).verdict == "broken", "they are still there"
    assert sweep(site) == 1
    found = keep(site)
    assert (found.verdict, found.measured) == ("broken", "1 sweep came late, the worst by 365 d")
    assert found.evidence == "1 sweep in the log of decisions"
    visit(site)
    assert keep(site).verdict == "broken", "what is kept now does not mend it"


def test_a_sweep_of_before_ages_were_entered_shows_neither(site: Site) -> None:
    with site.writing() as conn:
        ledger.append(conn, site.now(), events.VISIT_SWEPT, {"days": 1, "count": 3})
    found = keep(site)
    assert (found.verdict, found.measured) == ("not proven", "1 sweep not shown to be in time")
    visit(site)
    assert keep(site).verdict == "not proven"


def test_a_version_that_keeps_for_less_makes_visits_due_on_its_day_and_not_before(
    site: Site, clock: MovedClock
) -> None:
    visit(site)
    clock.move(days(20))
    change_policy(site, KEEP, "keep: 10 days}")
    clock.move(HOUR)
    assert sweep(site) == 1
    assert keep(site).verdict == "kept"


def test_a_sweep_that_came_late_after_a_version_that_keeps_for_less_breaks_the_promise(
    site: Site, clock: MovedClock
) -> None:
    visit(site)
    clock.move(days(20))
    change_policy(site, KEEP, "keep: 10 days}")
    clock.move(days(3))
    assert sweep(site) == 1
    found = keep(site)
    assert (found.verdict, found.measured) == ("broken", "1 sweep came late, the worst by 3 d")


def test_a_version_that_keeps_for_longer_does_not_excuse_what_was_due_before(site: Site, clock: MovedClock) -> None:
    visit(site)
    clock.move(days(35))
    change_policy(site, KEEP, "keep: 60 days}")
    clock.at = START + days(60)
    assert sweep(site) == 1
    assert keep(site).measured == "1 sweep came late, the worst by 5 d"


def test_what_a_restoration_brought_back_is_called_neither_late_nor_in_time(site: Site, clock: MovedClock) -> None:
    visit(site)
    clock.move(days(40))
    with site.writing() as conn:
        row = {"id": "r", "at": site.now(), "kind": RESTORED, "because": "a disk", "made_by": "operator"}
        conn.execute(insert(restoration), row | {"backup_at": START + days(29)})
    assert sweep(site) == 1
    assert keep(site).verdict == "not proven"


@pytest.mark.parametrize(
    "past, found",
    [
        (timedelta(0), Ended(1)),
        (timedelta(hours=1, minutes=59), Ended(1)),
        (timedelta(hours=2), Ended(1, unknown=1)),
        (days(1), Ended(1, unknown=1)),
        (days(1) + HOUR, Ended(1, 1, days(1) + HOUR)),
    ],
)
def test_when_a_sweep_came_in_time(site: Site, past: timedelta, found: Ended) -> None:
    at = START + days(30) + past
    with site.reading() as conn:
        there = archive(conn)
        assert judged_sweep(to_micros(at), (at - START) // HOUR, there) == found
        since = to_micros(START + days(30))
        assert judged_sweep(to_micros(at), (at - START) // HOUR, there, [(since - 1, since)]).late == 0


@pytest.mark.parametrize("hours", [None, "720", -1, 10**8])
def test_an_age_that_is_none_shows_nothing(site: Site, hours: object) -> None:
    with site.reading() as conn:
        assert judged_sweep(to_micros(START), hours, archive(conn)) == Ended(1, unknown=1, doubtful=1)


def test_the_key_of_a_day_that_is_over_breaks_the_promise_though_its_visits_are_gone(
    site: Site, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit(site)
    clock.at = START + days(30)
    sweep(site)
    clock.move(timedelta(hours=16))  # past midnight, since the day began at nine
    with monkeypatch.context() as patch:
        patch.setattr(daykeys, "destroy_keys_before", lambda *_: 0)
        sweep(site)
    assert keep(site).verdict == "kept", "its turn may still come"
    clock.move(2 * HOUR)
    found = keep(site)
    assert (found.verdict, found.measured) == ("broken", "the key of a day that is over is still there")
    sweep(site)
    assert keep(site).verdict != "broken"


def test_a_visit_that_can_be_read_after_its_time_breaks_the_promise(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit(site)
    found = keep(site)
    assert (found.verdict, found.evidence) == ("kept", "1 visit kept, each hidden from its last minute on")
    monkeypatch.setattr("troth.visits.actions.cutoff", lambda *_: utc(1970))
    found = keep(site)
    assert (found.verdict, found.measured) == ("broken", "a visit can be read after its time")
