"""What a rehearsal found: counts of every day, the promises at the end, and what went wrong, with the shortest way there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from troth.evidence.prove import Report
from troth.rehearsal.events import Event

Kind = Literal[
    "promise",  # a proof says that a promise is broken
    "lost",  # something accepted is not there, or not as it was given
    "outlived",  # something is there after its clock, its erasure or its day
    "taken in",  # hostile or broken input was stored
    "let out",  # a read or a disclosure was allowed that the choices and dealings of its person do not allow
    "refused",  # something was refused that the policy allows
    "ledger",  # acts and ledger rows do not match, or the ledger does not verify
    "alarm",  # Troth itself reports that something is overdue
    "failed",  # an act or a task of the worker ended with an error nobody expected
]


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong at the end of ``day``; ``about`` is a promise's id, a clock, a point or a task."""

    kind: Kind
    day: int
    at: datetime
    about: str
    says: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an event: done, refused (with the policy lines that caused it), or passed over.

    Attributes:
        count: how many of it were done: visits kept, people opened.
        person: the id of whoever a submission was stored for.
        opened: the ids of the people whose data was opened.
        effective: when the version takes effect that an amendment published.
        again: it was lived more than once, since nobody knew whether it had been.
    """

    result: Literal["done", "refused", "passed over"]
    because: tuple[str, ...] = ()
    count: int = 1
    person: str = ""
    opened: tuple[str, ...] = ()
    effective: datetime | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class DayCount:
    """What there is at the end of a day: holdings by collection point, in use and in quarantine, visits, people; what went."""

    day: int
    at: datetime
    held: Mapping[str, int]
    quarantined: int
    visits: int
    people: int
    destroyed: int
    """holdings destroyed on that day"""


@dataclass(frozen=True)
class Rehearsal:
    """A life that was rehearsed. ``events`` counts what happened (each visit and each read person is one)."""

    site: str
    store: str
    seed: int
    people: int
    started: datetime
    ended: datetime
    events: int
    happened: Mapping[str, int]
    days: tuple[DayCount, ...]
    report: Report
    violations: tuple[Violation, ...]
    faults: Mapping[str, int] = field(default_factory=dict)
    """how often each kind of fault was caused, when they were asked for"""
    seconds: float = 0.0
    spent: Mapping[str, float] = field(default_factory=dict)
    """seconds by part: generating, acting, the worker, checking"""


class Watch(Protocol):
    """Somebody who looks on while a site lives; all methods are called in order, from one thread."""

    def happened(self, event: Event, outcome: Outcome) -> None:
        """An event has been lived."""

    def went(self, person: int, point: str, given: datetime, gone: datetime, fields: tuple[str, ...]) -> None:
        """The ``fields`` that ``person`` gave at ``point`` have been destroyed."""

    def day(self, count: DayCount) -> None:
        """A day is over and was checked."""
