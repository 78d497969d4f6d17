"""A fault is shown by the shortest list of events that was found to bring it about. Here a fault is a made-up predicate."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from troth.rehearsal.events import Act, Event
from troth.rehearsal.shrink import Events, Limits, Shrunk, minimise, shrink

ACTS: tuple[Act, ...] = ("visits", "submit", "choose", "read", "disclose", "erase", "amend")


def event(number: int, act: Act = "submit", who: int | None = 0, day: int = 0, **rest: object) -> Event:
    return Event(number, day, 0.5, act, who, **rest)  # type: ignore[arg-type]


@st.composite
def lives(draw: st.DrawFn) -> Events:
    size = draw(st.integers(1, 40))
    return tuple(
        Event(
            number,
            draw(st.integers(0, 60)),
            0.5,
            draw(st.sampled_from(ACTS)),
            draw(st.one_of(st.none(), st.integers(0, 9))),
            count=draw(st.integers(1, 9)),
        )
        for number in range(size)
    )


def needing(numbers: set[int]) -> Callable[[Events], bool]:
    return lambda events: numbers <= {one.number for one in events}


def found(events: Events, fails: Callable[[Events], bool]) -> Shrunk:
    shrunk = shrink(events, fails, limits=Limits(runs=10_000, seconds=1e9))
    assert shrunk is not None
    return shrunk


@given(lives(), st.data())
@settings(max_examples=60)
def test_what_alone_is_to_blame_is_all_that_is_left(events: Events, data: st.DataObject) -> None:
    guilty = data.draw(st.sets(st.sampled_from(range(len(events))), max_size=4))
    shrunk = found(events, needing(guilty))
    assert {one.number for one in shrunk.events} == guilty
    assert all(one.count == 1 for one in shrunk.events)
    assert min((one.day for one in shrunk.events), default=0) == 0
    assert shrunk.minimal


@given(lives(), st.integers(0, 2**32))
@settings(max_examples=60)
def test_what_is_left_still_goes_wrong_and_no_event_of_it_can_be_left_out(events: Events, salt: int) -> None:
    def fails(some: Events) -> bool:
        """Whimsical, so that leaving something out may mend what leaving out more breaks again."""
        return hash((salt, *(one.number for one in some))) % 3 == 0 or len(some) == len(events)

    shrunk = found(events, fails)
    assert fails(shrunk.events)
    for place in range(len(shrunk.events)):
        assert not fails(shrunk.events[:place] + shrunk.events[place + 1 :])


@given(st.lists(st.integers(), unique=True, min_size=1, max_size=60), st.data())
def test_minimising_keeps_the_order(parts: list[int], data: st.DataObject) -> None:
    needed = data.draw(st.sets(st.sampled_from(parts)))
    kept = list(minimise(parts, lambda some: needed <= set(some)))
    assert kept == [part for part in parts if part in needed]


def test_a_fault_of_one_of_many_people_is_found_in_few_trials() -> None:
    events = tuple(
        event(number, "submit" if number % 3 else "read", number % 2000, number // 100) for number in range(30_000)
    )
    shrunk = found(events, needing({29_999, 13_999}))
    assert [one.number for one in shrunk.events] == [13_999, 29_999]
    assert shrunk.runs < 60


def test_a_list_that_does_not_go_wrong_again_is_not_shortened() -> None:
    assert shrink((event(1),), lambda events: False) is None


def test_the_order_of_events_is_kept_and_the_empty_days_before_them_go() -> None:
    events = tuple(event(number, day=number + 40) for number in range(9))
    shrunk = found(events, needing({3, 7}))
    assert [(one.number, one.day) for one in shrunk.events] == [(3, 0), (7, 4)]


def test_an_amendment_is_cut_down_to_what_matters_and_other_details_are_left_alone() -> None:
    amended = event(1, "amend", None, details={"visits.keep": "5 days", "operator.name": "Other"})
    chosen = event(2, "choose", 3, details={"state": "withdrawn"})
    shrunk = found(
        (amended, chosen), lambda events: any("visits.keep" in one.details for one in events) and len(events) > 1
    )
    assert [dict(one.details) for one in shrunk.events] == [{"visits.keep": "5 days"}, {"state": "withdrawn"}]


def test_out_of_trials_the_shortest_so_far_is_kept_and_not_called_the_shortest() -> None:
    asked: list[int] = []

    def fails(events: Events) -> bool:
        asked.append(len(events))
        return needing({5, 60})(events)

    shrunk = shrink(tuple(event(number, who=number) for number in range(100)), fails, limits=Limits(runs=7))
    assert shrunk is not None
    assert len(asked) == 7
    assert needing({5, 60})(shrunk.events)
    assert not shrunk.minimal


def test_out_of_time_no_other_trial_begins() -> None:
    hours = iter(range(0, 36_000, 3_600))
    shrunk = shrink(
        tuple(event(number) for number in range(100)),
        needing({1, 2}),
        limits=Limits(runs=100, seconds=2 * 3_600.0),
        elapsed=lambda: float(next(hours)),
    )
    assert shrunk is not None
    assert (shrunk.runs, shrunk.minimal) == (2, False)


def test_no_list_is_tried_twice() -> None:
    asked: list[tuple[int, ...]] = []

    def fails(events: Events) -> bool:
        asked.append(tuple(one.number for one in events))
        return needing({3, 14, 15})(events)

    told: list[tuple[int, int]] = []
    shrink(
        tuple(event(number, who=number % 5) for number in range(30)), fails, progress=lambda *done: told.append(done)
    )
    assert len(asked) == len(set(asked))
    assert told[-1] == (len(asked), 3)
