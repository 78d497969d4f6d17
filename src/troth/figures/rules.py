"""What may be said of a count, so that nobody is singled out. Pure: who stands behind each group in, figures out.

What could go wrong: a group of one is a person; so is the difference between a total and the groups that are named, or between
two counts of which one came a person later; and a group of many visits may be one visitor's. So a group is named when as many
people, or addresses of visitors, stand behind it as the policy says; what is left over is said as one figure, when that is as
large, and no total ever; and every figure is a multiple of the smallest group, rounded down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Group = tuple[str, ...]
"""a value for each field that a statistic groups by; blank for what somebody did not say"""
Behind = Mapping[Group, Counter[str]]
"""who stands behind each group, and how often"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One group and how many were counted in it: at least so many."""

    group: Group
    count: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What is said of a statistic: the groups, the largest first, and how many are in groups too small to be named.

    ``in_smaller_groups`` is 0 also when there are some, but too few to be spoken of.
    """

    statistic: str
    purpose: str
    version: int
    by: tuple[str, ...]
    smallest: int
    figures: tuple[Figure, ...]
    in_smaller_groups: int


def figures_of(behind: Behind, smallest: int) -> tuple[tuple[Figure, ...], int]:
    """The groups that are large enough, with their figures, and the figure for all others together."""
    large = {group: who for group, who in behind.items() if len(who) >= smallest}
    named = [Figure(group, _rounded(who.values(), smallest)) for group, who in large.items()]
    others: Counter[str] = Counter()
    for group, who in behind.items():
        if group not in large:
            others.update(who)
    left = _rounded(others.values(), smallest) if len(others) >= smallest else 0
    return tuple(sorted(named, key=lambda one: (-one.count, one.group))), left


def _rounded(counts: Iterable[int], smallest: int) -> int:
    return sum(counts) // smallest * smallest
