"""What is said of a count: pure, and never of fewer than the policy's smallest group."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from troth.figures.rules import Figure, Group, figures_of

WHO = st.sampled_from([f"person {number}" for number in range(12)])
BEHIND = st.dictionaries(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz")),
    st.dictionaries(WHO, st.integers(1, 9), min_size=1).map(Counter),
)


def groups(**sizes: int) -> dict[Group, Counter[str]]:
    """Groups of so many people, each of whom is in one and counts once."""
    return {(name,): Counter(f"{name} {number}" for number in range(size)) for name, size in sizes.items()}


@given(BEHIND, st.integers(2, 6))
def test_no_figure_speaks_of_fewer_than_the_smallest_group(behind: dict[Group, Counter[str]], smallest: int) -> None:
    named, others = figures_of(behind, smallest)
    assert {one.group for one in named} == {group for group, who in behind.items() if len(who) >= smallest}
    left = Counter[str]()
    for who in behind.values():
        left.update(who if len(who) < smallest else ())
    assert (others > 0) == (len(left) >= smallest)
    for figure, counted in [(others, left.total()), *((one.count, behind[one.group].total()) for one in named)]:
        assert figure % smallest == 0 and (figure == 0 or figure <= counted < figure + smallest)


@given(st.integers(2, 9), st.integers(0, 8))
def test_one_person_more_shows_only_where_a_step_is_reached(smallest: int, more: int) -> None:
    figures = [figures_of(groups(a=smallest + more + one), smallest)[0] for one in (0, 1)]
    assert (figures[0] != figures[1]) == ((smallest + more + 1) % smallest == 0)


def test_the_largest_group_comes_first_and_those_too_small_to_be_named_are_one_figure() -> None:
    named, others = figures_of(groups(a=5, b=12, c=4, d=3), 5)
    assert named == (Figure(("b",), 10), Figure(("a",), 5)) and others == 5


def test_a_single_small_group_is_not_spoken_of() -> None:
    assert figures_of(groups(a=50, b=4), 5) == ((Figure(("a",), 50),), 0)


def test_who_comes_often_is_one_visitor() -> None:
    assert figures_of({("page",): Counter({"203.0.113.7": 500})}, 5) == ((), 0)
    often = {(page,): Counter({f"203.0.113.{number}": 20 for number in range(3)}) for page in "abc"}
    assert figures_of(often, 5) == ((), 0), "three visitors are three on however many pages"
