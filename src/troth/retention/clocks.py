"""When what a clock rules is taken out of use and when it is destroyed, and which shapes it rules wholly or in part. Pure.

A deadline is the event plus the clock's period, and nothing may be left of the data when it comes. Data first goes into
quarantine, where nobody reads it and a mistake can still be undone, and is destroyed a *margin* ahead of the deadline:

    event ---------- quarantined ------------- destroyed -------- deadline
                     |                         |<---- margin ---->|
                     |<------------------ stay ------------------>|

The stay is a tenth of the period, and never longer than the erasure that the policy promises; very short periods get half of
themselves or half a day, so that several sweeps fall into it. The margin is the one of ``site.yaml``, at most half the stay.

An archive promises the opposite, that data is there until its end: it knows no stay and no margin, and what it kept goes then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from troth.policy.clocks import Clock
from troth.policy.periods import Period

LONGEST_STAY = timedelta(days=20)
_HALF_A_DAY = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of one kind of holding, and where they come in."""

    id: int
    point: str
    fields: frozenset[str]


@dataclass(frozen=True, slots=True)
class Coverage:
    """The shapes that a clock rules: ``whole``, or in ``part`` (those fields only)."""

    whole: frozenset[int]
    part: Mapping[int, frozenset[str]]


def coverage(clock: Clock, shapes: Iterable[Shape]) -> Coverage:
    """Which of ``shapes`` the clock rules."""
    ruled = {s: frozenset(f for f in s.fields if (s.point, f) in clock.covers) for s in shapes}
    whole = frozenset(shape.id for shape, fields in ruled.items() if fields and fields == shape.fields)
    return Coverage(whole, {s.id: fields for s, fields in ruled.items() if fields and fields != s.fields})


def stay(keep: timedelta, promised: timedelta | None) -> timedelta:
    """How long before its deadline data goes into quarantine; ``promised`` is the policy's own term for an erasure."""
    shortest = min(keep / 2, _HALF_A_DAY)
    return min(max(keep / 10, shortest), promised or LONGEST_STAY, LONGEST_STAY)


def ahead(clock: Clock, promised: Period | None, margin: timedelta) -> timedelta:
    """How long before its deadline data of ``clock`` goes out of use; an archive is kept to its end, so no time at all.

    What goes by its own age is destroyed where it lies, the margin ahead of its deadline; all else is quarantined first.
    """
    if clock.archive:
        return timedelta(0)
    if clock.at_once:
        return clock.keep.length
    whole = stay(clock.keep.length, promised.length if promised else None)
    return min(margin, whole / 2) if clock.by_age else whole


def destroys_at(began: datetime, deadline: datetime, margin: timedelta) -> datetime:
    """When data that was quarantined at ``began`` is destroyed: ``margin`` before the deadline, at most half the way."""
    return max(began, deadline - min(margin, max((deadline - began) / 2, timedelta(0))))
