"""Choices become facts: the youngest counts, in whatever order they are read."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.clock import utc
from troth.consent.rules import STATES, Choice, State, facts_of, stands

AT = utc(2026, 1, 1)


def choice(number: int, state: State, scope: str = "marketing") -> Choice:
    return Choice(f"{number:026}", "p", scope, state, AT + timedelta(days=number), "", "letter", 1)


def chosen(*states: State) -> frozenset[str]:
    return facts_of(choice(number, state) for number, state in enumerate(states))


@pytest.mark.parametrize(
    ("states", "facts"),
    [
        ((), set()),
        (("given",), {"consent:marketing"}),
        (("refused",), set()),
        (("given", "withdrawn"), set()),
        (("given", "expired"), set()),
        (("withdrawn", "given"), {"consent:marketing"}),
        (("objected",), {"objection:marketing"}),
        (("objected", "lifted"), set()),
        (("given", "objected"), {"objection:marketing"}),
        (("given", "objected", "lifted"), {"consent:marketing"}),
        (("objected", "given"), {"consent:marketing"}),
        (("objected", "refused"), {"objection:marketing"}),
        (("objected", "withdrawn"), {"objection:marketing"}),
    ],
)
def test_the_youngest_choice_counts(states: tuple[State, ...], facts: set[str]) -> None:
    assert chosen(*states) == facts


@pytest.mark.parametrize(
    ("states", "no", "in_force"),
    [
        ((), "objected", False),
        (("objected",), "objected", True),
        (("objected", "given"), "objected", False),
        (("objected", "given", "objected"), "objected", True),
        (("objected", "lifted"), "objected", False),
        (("given", "withdrawn"), "withdrawn", True),
        (("given", "withdrawn", "given"), "withdrawn", False),
        (("withdrawn",), "objected", False),
        (("refused",), "withdrawn", False),
    ],
)
def test_a_no_is_in_force_until_a_later_yes(states: tuple[State, ...], no: State, in_force: bool) -> None:
    rows = [choice(number, state) for number, state in enumerate(states)]
    youngest = {(row.scope, row.state in {"objected", "lifted"}): row for row in rows}.values()
    assert stands(youngest, "marketing", no) == in_force
    assert not stands(youngest, "preferences", no)


@given(st.lists(st.sampled_from(STATES), max_size=8), st.randoms())
def test_the_order_of_reading_never_matters(states: list[State], chance) -> None:
    rows = [choice(number, state) for number, state in enumerate(states)]
    shuffled = list(rows)
    chance.shuffle(shuffled)
    assert facts_of(shuffled) == facts_of(rows)


@given(st.lists(st.sampled_from(STATES), max_size=8))
def test_nobody_agrees_and_objects_at_once(states: list[State]) -> None:
    assert chosen(*states) != {"consent:marketing", "objection:marketing"}


@given(st.lists(st.sampled_from(STATES), max_size=8), st.sampled_from(("withdrawn", "expired", "refused", "objected")))
def test_a_no_is_heard_whatever_went_before(states: list[State], no: State) -> None:
    assert "consent:marketing" not in chosen(*states, no)


@given(st.lists(st.tuples(st.sampled_from(STATES), st.sampled_from(("marketing", "@fair", "@courier"))), max_size=10))
def test_each_scope_stands_alone(made: list[tuple[State, str]]) -> None:
    rows = [choice(number, state, scope) for number, (state, scope) in enumerate(made)]
    apart = {scope: [row for row in rows if row.scope == scope] for scope in ("marketing", "@fair", "@courier")}
    assert facts_of(rows) == frozenset().union(*(facts_of(some) for some in apart.values()))
