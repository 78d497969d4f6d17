"""Clocks that count from the day something came in: in use to the margin, then destroyed where it lies, with its evidence."""

from datetime import timedelta

import pytest
from sqlalchemy import event, select

from tests.actions.lives import admit, customer, fields_held, places_of, rows, work
from tests.fixtures import START, days
from troth.clock import MovedClock
from troth.ledger import events
from troth.people.tables import quarantined
from troth.people.vault import By, read
from troth.retention import age
from troth.retention.due import shapes
from troth.retention.ending import destroy_due
from troth.retention.holds import make_hold, release
from troth.retention.pace import Pace
from troth.retention.sweep import sweep
from troth.retention.tables import ending
from troth.store.site import Site

SYSTEM = By("system")
MARGIN = days(2)  # of the shop's site.yaml
HOUR = timedelta(hours=1)


def _ended(site: Site) -> list[tuple[str, int]]:
    with site.reading() as conn:
        by_age = select(ending.c.state, ending.c.counted).where(ending.c.cause == "clock:taste").order_by(ending.c.id)
        return [(row.state, row.counted) for row in conn.execute(by_age)]


def test_data_is_in_use_until_the_margin_and_then_destroyed_without_a_copy(site: Site, clock: MovedClock) -> None:
    one = customer(site)
    clock.at = START + days(100) - MARGIN - HOUR
    work(site)
    assert read(site, one, ["interest"], "improvement", SYSTEM).values == {"interest": "lamps"}
    clock.move(2 * HOUR)
    assert sweep(site).by_clock["taste"] == 1
    assert "interest" not in fields_held(site, one) | fields_held(site, one, quarantined)
    assert _ended(site) == [("destroyed", 1)]
    destroy_due(site)
    assert _ended(site) == [("complete", 1)]
    for name in (events.ENDING_DESTROYED, events.ENDING_COMPLETE, events.CLOCK_SWEPT):
        assert rows(site, "ledger_entry", f"event = '{name}'") == 1
    assert "email" in fields_held(site, one)


def test_whoever_has_nothing_left_goes_whole_and_in_time(site: Site, clock: MovedClock) -> None:
    other = customer(site)
    gone = [admit(site, "customer", {"interest": "lamps"}, "register") for _ in range(3)]
    clock.at = START + days(100) - MARGIN
    work(site)
    assert {"person", "person_key"} <= places_of(site, [other])
    clock.at = START + days(100) - HOUR
    work(site)
    assert places_of(site, gone) == set()
    assert "email" in fields_held(site, other)


def test_what_a_hold_names_stays_and_goes_when_the_hold_is_over(site: Site, clock: MovedClock) -> None:
    one, other = customer(site), customer(site, "bob@example.org")
    ends = START + days(150)
    with site.writing() as conn:
        made = make_hold(site, conn, one, ["interest"], "open orders", "a claim", "accounts", "lead", ends)
    clock.at = START + days(99)
    work(site)
    assert "interest" in fields_held(site, one)
    assert "interest" not in fields_held(site, other)
    assert read(site, one, ["interest"], "improvement", SYSTEM).values == {}
    with site.writing() as conn:
        assert release(site, conn, made)
    work(site)
    assert "interest" not in fields_held(site, one) | fields_held(site, one, quarantined)


@pytest.mark.parametrize("dies", ["depart", "enter"])
def test_a_window_that_is_interrupted_destroys_nothing(
    site: Site, clock: MovedClock, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    one = admit(site, "customer", {"interest": "lamps"}, "register")
    clock.at = START + days(99)
    before = (rows(site, "holding"), rows(site, "ledger_entry"), rows(site, "departure"))

    def died(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(age, dies, died)
        with pytest.raises(KeyboardInterrupt):
            sweep(site)
    assert (rows(site, "holding"), rows(site, "ledger_entry"), rows(site, "departure")) == before
    assert sweep(site).moved == 1
    assert fields_held(site, one) == set()


def test_windows_take_what_came_in_together_and_nothing_twice(site: Site, clock: MovedClock) -> None:
    for n in range(3):
        for which in range(2):  # two at the same instant
            customer(site, f"c{n}{which}@example.org")
        clock.move(HOUR)
    clock.at = START + days(100)
    assert sweep(site, batch=1).by_clock["taste"] == 6
    assert _ended(site) == [("destroyed", 2)] * 3
    assert sweep(site, batch=1).moved == 0


@pytest.mark.parametrize(("pace", "transactions"), [(100, 1), (1, 3)])
def test_shapes_of_which_little_is_due_share_a_transaction(
    site: Site, clock: MovedClock, pace: int, transactions: int
) -> None:
    admit(site, "customer", {"interest": "lamps"}, "register")
    admit(site, "lead", {"interest": "bulbs"}, "fair_import")
    clock.at = START + days(99)
    with site.reading() as conn:
        compiled, touched = site.policy(conn), [one.id for one in shapes(conn) if one.fields == {"interest"}]
    (taste,) = [one for one in compiled.clocks if one.id == "taste"]
    begun: list[bool] = []
    event.listen(site.engine, "begin", lambda conn: begun.append("troth_writes" in conn.get_execution_options()))
    gone = age.destroy_by_age(site, compiled, taste, touched, START + days(1), clock.now(), Pace(pace, None))
    assert (len(touched), gone, sum(begun)) == (2, 2, transactions)
    assert sorted(_ended(site)) == [("quarantined", 1), ("quarantined", 1)], (
        "each has an ending, for what it is promised"
    )


def test_the_pace_follows_the_time_that_a_transaction_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 0.01, 1.0, 2.5, 3.0, 3.15])
    monkeypatch.setattr("troth.retention.pace.perf_counter", lambda: next(times))
    pace, taken = Pace(2_000, 0.15), []
    for _ in range(3):
        with pace.timed():
            taken.append(pace.rows)
    assert taken == [2_000, 8_000, 800]  # quick: four times as many; ten times too slow: a tenth
    assert pace.rows == 800
