"""The shortest list of events that still goes wrong, found by leaving things out (delta debugging; Zeller, Hildebrandt 2002).

What makes it hard is what one trial costs: it lives a site's life again, so a list of a year takes as long as the year did.
Hence the order. Most faults need few people, so the first trials keep only a handful and everything else follows from them
quickly; then whole acts go, then the empty days at the start, and only then single events. Whether a shorter list still goes
wrong is asked of the caller, who must mean the *same* wrong: else the search slips from one fault into another.

Pure: the caller lives the lists and measures the time. A search that ran out of trials or of time keeps what it has and
says that it may not be the shortest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from time import perf_counter
from typing import TypeVar

from troth.rehearsal.events import Event

T = TypeVar("T")
Events = tuple[Event, ...]
Fails = Callable[[Events], bool]
"""Whether a list of events still goes wrong in the same way."""

FEW = (0, 4, 16, 64, 256)
"""how many people the first trials keep"""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to search: ``runs`` lists at most, and none begun after ``seconds``."""

    runs: int = 400
    seconds: float = 180.0


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A list that still goes wrong. ``minimal``: it was tried to leave out each single event, and none can be."""

    events: Events
    runs: int
    minimal: bool


def shrink(
    events: Sequence[Event],
    fails: Fails,
    *,
    limits: Limits | None = None,
    progress: Callable[[int, int], None] | None = None,
    elapsed: Callable[[], float] = perf_counter,
) -> Shrunk | None:
    """The shortest list found of ``events`` for which ``fails`` still answers yes.

    None when it does neither for all of them nor for those of a few people, which are tried first.

    ``progress`` is called with the number of lists tried and the length of the shortest so far. For the same answers of
    ``fails`` the result is the same, and unless a limit was reached no single event of it can be left out.
    """
    trials = _Trials(tuple(events), fails, limits or Limits(), progress, elapsed)
    try:
        if not _few_people(trials) and not trials.still(tuple(events)):
            return None
        for stage in (_acts, _people, _start):
            stage(trials)
        _to_the_end(trials)
    except _Spent:
        return Shrunk(trials.best, trials.runs, minimal=False) if trials.failed else None
    return Shrunk(trials.best, trials.runs, minimal=True)


def _to_the_end(trials: _Trials) -> None:
    before: Events | None = None
    while trials.best != before:
        before = trials.best
        for stage in (_each, _simpler, _start):
            stage(trials)


class _Spent(Exception):
    """A limit was reached."""


class _Trials:
    """Asks ``fails``, never twice about the same list, and remembers the shortest that failed."""

    def __init__(
        self,
        events: Events,
        fails: Fails,
        limits: Limits,
        progress: Callable[[int, int], None] | None,
        elapsed: Callable[[], float],
    ) -> None:
        self._fails, self._limits, self._progress = fails, limits, progress
        self._elapsed, self._started = elapsed, elapsed()
        self._known: dict[int, bool] = {}
        self.best = events
        self.failed = False
        self.runs = 0

    def still(self, events: Events) -> bool:
        """Whether ``events`` still go wrong. Raises ``_Spent`` instead of a trial beyond a limit."""
        key = hash(tuple((one.number, one.day, one.count, tuple(sorted(one.details.items()))) for one in events))
        if key not in self._known:
            if self.runs >= self._limits.runs or self._elapsed() - self._started > self._limits.seconds:
                raise _Spent
            self.runs += 1
            self._known[key] = self._fails(events)
        if self._known[key]:
            self.best, self.failed = events, True
        if self._progress:
            self._progress(self.runs, len(self.best))
        return self._known[key]


def _few_people(trials: _Trials) -> bool:
    """Nobody, or a few of those who did something last: whoever went wrong at the end is likely among them."""
    events = trials.best
    people = _everybody(events)
    sizes = [size for size in FEW if size < len(people)]
    return any(trials.still(_only(events, people[:size])) for size in sizes)


def _acts(trials: _Trials) -> None:
    """Without all visits, without all reads, and so on."""
    events = trials.best
    acts = sorted({event.act for event in events})
    minimise(acts, lambda kept: trials.still(tuple(event for event in events if event.act in kept)))


def _people(trials: _Trials) -> None:
    """Half of the people, and half of those."""
    events = trials.best
    minimise(_everybody(events), lambda kept: trials.still(_only(events, kept)))


def _start(trials: _Trials) -> None:
    """Without the days before the first event, so that what follows happens that much sooner."""
    events = trials.best
    first = min((event.day for event in events), default=0)
    if first:
        trials.still(tuple(replace(event, day=event.day - first) for event in events))


def _each(trials: _Trials) -> None:
    minimise(trials.best, lambda kept: trials.still(tuple(kept)))


def _simpler(trials: _Trials) -> None:
    """One visit instead of forty, and an amendment that changes less."""
    for place in range(len(trials.best)):
        for plainer in _plainer(trials.best[place]):
            if trials.still((*trials.best[:place], plainer, *trials.best[place + 1 :])):
                break


def _plainer(event: Event) -> Iterator[Event]:
    """Simpler forms of ``event``, the simplest first. Only of an amendment are details left out: other acts need theirs."""
    count = 1
    while count < event.count:
        yield replace(event, count=count)
        count *= 2
    if event.act == "amend":
        for key in event.details:
            yield replace(event, details={other: value for other, value in event.details.items() if other != key})


def _everybody(events: Events) -> list[int]:
    """The people of ``events``, those first whose last event comes latest."""
    last = {event.who: place for place, event in enumerate(events) if event.who is not None}
    return sorted(last, key=lambda who: -last[who])


def _only(events: Events, people: Sequence[int]) -> Events:
    kept = set(people)
    return tuple(event for event in events if event.who is None or event.who in kept)


def minimise(parts: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> Sequence[T]:
    """A part of ``parts`` that still fails and from which no single one can be left out (``ddmin``); order is kept.

    ``parts`` as a whole is taken to fail. About ``2 log n`` trials when one of them is to blame, ``n`` squared at worst.
    """
    pieces = 2
    while len(parts) > 1:
        chunks = _chunks(parts, min(pieces, len(parts)))
        smaller = next((chunk for chunk in chunks if fails(chunk)), None)
        if smaller is not None:
            parts, pieces = smaller, 2
            continue
        rests = ([one for other in chunks if other is not chunk for one in other] for chunk in chunks)
        smaller = next((rest for rest in rests if len(chunks) > 2 and fails(rest)), None)
        if smaller is not None:
            parts, pieces = smaller, max(pieces - 1, 2)
        elif pieces >= len(parts):
            return parts
        else:
            pieces *= 2
    return [] if parts and fails([]) else parts


def _chunks(parts: Sequence[T], number: int) -> list[Sequence[T]]:
    bounds = [round(len(parts) * place / number) for place in range(number + 1)]
    return [parts[start:end] for start, end in pairwise(bounds)]
