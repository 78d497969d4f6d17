"""Many people who leave for one cause: set by set, restorable, whole after any interruption."""

import pytest
from sqlalchemy import select

from tests.actions.lives import customer, fields_held, give, places_of, rows
from tests.fixtures import days
from troth.clock import MovedClock
from troth.errors import Refused
from troth.people.tables import quarantined
from troth.people.vault import By, read
from troth.retention import leaving
from troth.retention.ending import begin_ending, destroy_due, restore
from troth.retention.leaving import begin_endings
from troth.retention.tables import departure
from troth.store.site import Site

CAUSE = "account:closing"


def _five(site: Site) -> list[str]:
    return [customer(site, f"c{n}@example.org") for n in range(5)]


def test_many_leave_in_sets_and_nobody_else(site: Site, clock: MovedClock) -> None:
    people, other = _five(site), customer(site)
    give(site, people[0], "newsletter_house")
    made = begin_endings(site, people, CAUSE, site.now() + days(20), everywhere=True, batch=2)
    assert len(made) == 3
    assert all(fields_held(site, one) <= {"order_total"} for one in people)  # the books keep the total
    with pytest.raises(Refused):
        read(site, people[0], ["email"], "service", By("system"))
    clock.move(days(19))
    assert destroy_due(site) == 3
    assert rows(site, "quarantined") == 0
    assert (
        rows(site, "instruction") == 1
    )  # what the books keep keeps the person; their recipients are told when they go
    assert {"person", "holding", "person_key"} <= places_of(site, [other])
    assert all(fields_held(site, one) == {"order_total"} for one in people)


def test_a_set_is_restored_by_its_ending(site: Site) -> None:
    people = _five(site)
    before = [fields_held(site, one) for one in people]
    made = begin_endings(site, people, CAUSE, site.now() + days(20), batch=3)
    with site.writing() as conn:
        theirs = set(conn.scalars(select(departure.c.person_id).where(departure.c.ending_id == made[0])))
        restore(site, conn, made[0])
    assert theirs == set(people[:3])
    assert [fields_held(site, one) for one in people[:3]] == before[:3]
    assert read(site, people[0], ["email"], "service", By("system")).values
    assert fields_held(site, people[4]) <= {"order_total"}


def test_an_interrupted_leaving_is_whole_and_goes_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    people, calls = _five(site), []
    real = leaving.enter

    def dying(*args: object, **named: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(*args, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(leaving, "enter", dying)
        with pytest.raises(KeyboardInterrupt):
            begin_endings(site, people, CAUSE, site.now() + days(20), batch=2)
    assert rows(site, "departure") == 2
    assert rows(site, "quarantined", "ending_id NOT IN (SELECT id FROM ending)") == 0
    assert "email" in fields_held(site, people[2])
    begin_endings(site, people, CAUSE, site.now() + days(20), batch=2)
    assert rows(site, "departure") == 5
    assert sum("email" in fields_held(site, one, quarantined) for one in people) == 5
    assert begin_endings(site, people, CAUSE, site.now() + days(20)) == []


def test_whoever_is_on_the_way_out_keeps_their_own_ending(site: Site) -> None:
    one, other = _five(site)[:2]
    with site.writing() as conn:
        own = begin_ending(site, conn, one, "request:r1", site.now() + days(5))
    begin_endings(site, [one, other, "0" * 26], CAUSE, site.now() + days(20))
    with site.reading() as conn:
        mine = select(departure.c.ending_id).where(departure.c.person_id == one)
        assert conn.execute(mine).scalar_one() == own
