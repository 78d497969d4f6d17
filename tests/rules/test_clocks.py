"""When clocks quarantine and destroy, and what they rule: pure."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.clock import utc
from troth.policy.clocks import Clock, people_meant
from troth.policy.periods import Period
from troth.retention.clocks import Shape, coverage, destroys_at, stay

DAY = timedelta(days=1)
NOW = utc(2026, 1, 1)
periods = st.integers(1, 100 * 365 * 24).map(lambda hours: timedelta(hours=hours))


@pytest.mark.parametrize(
    ("keep", "promised", "stays"),
    [
        (175 * DAY, 20 * DAY, 17.5 * DAY),
        (30 * DAY, 20 * DAY, 3 * DAY),
        (6 * 365 * DAY, 20 * DAY, 20 * DAY),
        (6 * 365 * DAY, None, 20 * DAY),
        (DAY, None, DAY / 2),
        (175 * DAY, 5 * DAY, 5 * DAY),
    ],
)
def test_the_stay_in_quarantine_is_a_tenth_of_the_period_and_never_longer_than_an_erasure(
    keep: timedelta, promised: timedelta | None, stays: timedelta
) -> None:
    assert stay(keep, promised) == stays


@given(keep=periods, promised=st.none() | periods, margin=periods, late=periods | st.just(timedelta(0)))
def test_destruction_never_comes_after_the_deadline_unless_the_sweep_itself_did(
    keep: timedelta, promised: timedelta | None, margin: timedelta, late: timedelta
) -> None:
    deadline = NOW + keep
    began = deadline - stay(keep, promised) + late
    planned = destroys_at(began, deadline, margin)
    assert began >= NOW
    assert planned >= began
    assert planned <= deadline or planned == began > deadline
    if began < deadline:
        assert planned < deadline  # strictly before, with time to spare


def clock(*covers: tuple[str, str]) -> Clock:
    return Clock("c", Period(1, "day"), ("collection",), False, False, frozenset(covers))


def test_a_clock_rules_shapes_wholly_in_part_or_not_at_all() -> None:
    shapes = [
        Shape(1, "order", frozenset({"email", "total"})),
        Shape(2, "order", frozenset({"total"})),
        Shape(3, "contact", frozenset({"total"})),
        Shape(4, "order", frozenset({"phone"})),
    ]
    ruled = coverage(clock(("order", "total"), ("order", "nowhere")), shapes)
    assert ruled.whole == {2}
    assert ruled.part == {1: frozenset({"total"})}


@given(st.frozensets(st.sampled_from("abcdef"), min_size=1), st.frozensets(st.sampled_from("abcdef")))
def test_what_is_ruled_in_part_names_exactly_the_fields_ruled(fields: frozenset[str], ruled: frozenset[str]) -> None:
    found = coverage(clock(*(("p", one) for one in ruled)), [Shape(1, "p", fields)])
    both = fields & ruled
    assert (1 in found.whole) == (both == fields)
    assert found.part.get(1, frozenset()) == (both if both and both != fields else frozenset())


@pytest.mark.parametrize("kind", ["customer", "b2b", "people_0"])
def test_everything_about_any_kind_of_people_can_be_ruled(kind: str) -> None:
    assert people_meant(f"everything about a {kind}") == kind
    assert people_meant(f"everything about an {kind}") == kind
