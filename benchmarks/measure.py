"""Measuring two sides in turn, and saying what came of it. A figure is a ratio, so that it means the same on any machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter
from typing import Literal

PAIRS = 5

Side = Callable[[], float]
"""Prepares one run, does it and returns how many seconds a piece of it took; preparing is not counted."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Seconds a piece, run by run; the n-th of ``ours`` ran beside the n-th of ``theirs``."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    def costs(self) -> list[float]:
        """How many times the other side's time we took, pair by pair."""
        return [mine / other for mine, other in zip(self.ours, self.theirs, strict=True)]


@dataclass(frozen=True, slots=True)
class Goal:
    """``cost``: our time over theirs, at most ``value``. ``speed``: theirs over ours, at least. ``seconds``: ours, at most.
    ``rate``: how many of ours in a minute, at least."""

    of: Literal["cost", "speed", "seconds", "rate"]
    value: float

    def met(self, reached: float) -> bool:
        """Whether ``reached``, a number of the same kind, is good enough."""
        return reached >= self.value if self.of in {"speed", "rate"} else reached <= self.value


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. ``reached`` is the median over the pairs, ``low`` and ``high`` the extremes among them."""

    what: str
    store: str
    size: str
    ours: str
    theirs: str
    seconds_ours: float
    seconds_theirs: float
    of: Literal["cost", "speed", "seconds", "rate"]
    reached: float
    low: float
    high: float
    goal: float | None
    met: bool | None
    spent: str = ""
    unit: Literal["s", "B"] = "s"
    """of the two sides: seconds for a piece, or bytes"""
    load: float = 0.0
    """how many processes wanted a processor in the minute before"""

    def with_spent(self, spent: str) -> Figure:
        """The same figure with a line on where our time went."""
        return replace(self, spent=spent)


def seconds(act: Callable[[], object], pieces: int = 1) -> float:
    """How long ``act`` took, for each of ``pieces``."""
    began = perf_counter()
    act()
    return (perf_counter() - began) / pieces


def in_turn(ours: Side, theirs: Side, pairs: int = PAIRS) -> Pairs:
    """Both sides ``pairs`` times, A B A B, after one run of each that only warms caches."""
    ours(), theirs()
    runs = [(ours(), theirs()) for _ in range(pairs)]
    return Pairs(tuple(mine for mine, _ in runs), tuple(other for _, other in runs))


def figure(
    what: str,
    pairs: Pairs,
    goal: Goal | None,
    *,
    ours: str,
    theirs: str,
    store: str = "",
    size: str = "",
    unit: Literal["s", "B"] = "s",
) -> Figure:
    """The line for ``pairs``; without a ``goal`` it is there for comparison, as a cost."""
    of = goal.of if goal else "cost"
    values = {
        "cost": pairs.costs(),
        "speed": [1 / cost for cost in pairs.costs()],
        "seconds": list(pairs.ours),
        "rate": [60 / one for one in pairs.ours],
    }[of]
    reached = median(values)
    return Figure(
        what=what,
        store=store,
        size=size,
        ours=ours,
        theirs=theirs,
        seconds_ours=median(pairs.ours),
        seconds_theirs=median(pairs.theirs),
        of=of,
        reached=reached,
        low=min(values),
        high=max(values),
        goal=goal.value if goal else None,
        met=goal.met(reached) if goal else None,
        unit=unit,
    )
