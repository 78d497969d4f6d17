"""What is noted while a site lives, for the picture and for comparing two lives: a few bytes for each event and holding."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, Literal, TypeVar

from troth.rehearsal.events import Act, Event
from troth.rehearsal.result import DayCount, Outcome

Result = Literal["done", "refused", "passed over"]
What = tuple[Act, str, str]
"""an act, what it is about, and the purpose or the state that belongs to it"""
Came = tuple[tuple[Result, tuple[str, ...], int], ...]
"""what came of one event: results with the policy lines that caused them, and how often"""
Given = tuple[str, int, int]
"""a collection point, a person, and the minute since 2000 in which they gave something there"""
GIVING = ("submit", "import")

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Amendment:
    """A new version of the policy in the course of a life, and what it changed."""

    day: int
    changed: tuple[str, ...]


class _Numbered(Generic[T]):
    """Gives each different thing a number, so that it need be remembered once."""

    def __init__(self) -> None:
        self.things: list[T] = []
        self._numbers: dict[T, int] = {}

    def number(self, thing: T) -> int:
        if thing not in self._numbers:
            self._numbers[thing] = len(self.things)
            self.things.append(thing)
        return self._numbers[thing]


class Notes:
    """Looks on while a site lives; it is a ``Watch``."""

    def __init__(self) -> None:
        self.events = 0
        self.amendments: list[Amendment] = []
        self.days: list[DayCount] = []
        self._whats: _Numbered[What] = _Numbered()
        self._cames: _Numbered[Came] = _Numbered()
        self._points: _Numbered[str] = _Numbered()
        self._parts: _Numbered[tuple[str, tuple[str, ...]]] = _Numbered()
        self._cames.number(())
        self._what = array("H")
        self._came = array("H")
        self._gone: dict[tuple[int, int, int], int] = {}
        self._given: Counter[tuple[int, int]] = Counter()

    def happened(self, event: Event, outcome: Outcome) -> None:
        self.events += event.count
        if event.act == "amend" and outcome.result == "done":
            self.amendments.append(Amendment(event.day, tuple(sorted(event.details))))
        if event.act in GIVING and outcome.result == "done" and event.who is not None:
            self._given[self._points.number(event.what), event.who] += outcome.count
        missing = event.number + 1 - len(self._what)
        if missing > 0:
            self._what.extend([0] * missing)
            self._came.extend([0] * missing)
        came = self._cames.things[self._came[event.number]]
        self._what[event.number] = self._whats.number(_what(event))
        self._came[event.number] = self._cames.number(_with(came, outcome))

    def went(self, person: int, point: str, given: datetime, gone: datetime, fields: tuple[str, ...]) -> None:
        part = self._parts.number((point, fields)), person, (given - _EPOCH) // _MINUTE
        self._gone[part] = (gone - _EPOCH) // _MINUTE

    def day(self, count: DayCount) -> None:
        self.days.append(count)

    @property
    def came(self) -> Iterator[tuple[int, What, Came]]:
        """Every event that something came of, by its number."""
        for number, (what, came) in enumerate(zip(self._what, self._came, strict=True)):
            if came:
                yield number, self._whats.things[what], self._cames.things[came]

    @property
    def gone(self) -> Iterator[tuple[Given, tuple[str, ...], int]]:
        """What was given, fields of it, and the minute since 2000 in which those went."""
        for (part, who, given), at in self._gone.items():
            point, fields = self._parts.things[part]
            yield (point, who, given), fields, at

    @property
    def given(self) -> Mapping[tuple[str, int], int]:
        """How often each person gave something at each collection point, and it was taken in."""
        return {(self._points.things[point], who): number for (point, who), number in self._given.items()}


def minute(at: datetime) -> int:
    """``at`` in minutes since 2000, as ``Notes.gone`` counts."""
    return (at - _EPOCH) // _MINUTE


def _what(event: Event) -> What:
    details = event.details
    return event.act, event.what, details.get("purpose") or details.get("state") or ""


def _with(came: Came, outcome: Outcome) -> Came:
    """``came`` and ``outcome``; an event that is told of several times, as reads of many people may be, adds up."""
    counts = {(result, because): count for result, because, count in came}
    key = (outcome.result, outcome.because)
    counts[key] = counts.get(key, 0) + outcome.count
    return tuple((result, because, count) for (result, because), count in counts.items())
