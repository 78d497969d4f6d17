"""What went wrong, brought about again with as few events as can be found.

The *same* wrong is one of the same kind about the same thing; what it says in detail may differ, since people and days do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import get_args

from troth.errors import TrothError
from troth.rehearsal.events import Act, Event, read_line
from troth.rehearsal.result import Kind, Violation
from troth.rehearsal.shrink import Events, Limits, Shrunk, shrink

Fault = tuple[Kind, str]
"""kind and what it is about: two violations that share both are the same one"""
FIRST: tuple[Kind, ...] = ("let out", "lost", "outlived", "refused", "ledger", "failed", "alarm", "promise")
"""what is looked into first: a promise is mostly broken by one of the others"""
Again = Callable[[Events, int], Iterable[Violation]]
"""Lives a list of events, that many days, and says what went wrong"""


@dataclass(frozen=True, slots=True)
class Way:
    """The shortest list found, the days it takes, and the command that lives it again."""

    shrunk: Shrunk
    days: int
    replay: str = ""


def fault_of(one: Violation) -> Fault:
    """What makes two violations the same one."""
    return one.kind, one.about


def faults(violations: Iterable[Violation]) -> dict[Fault, Violation]:
    """What went wrong, each once, with the first time it was found; in the order in which it was."""
    first: dict[Fault, Violation] = {}
    for one in violations:
        first.setdefault(fault_of(one), one)
    return first


def worst(violations: Iterable[Violation], most: int) -> dict[Fault, Violation]:
    """Of ``faults`` the ``most`` that are looked into first."""
    found = faults(violations)
    return {fault: found[fault] for fault in sorted(found, key=lambda fault: FIRST.index(fault[0]))[:most]}


def reproduce(
    again: Again,
    events: Iterable[Event],
    found: Violation,
    *,
    limits: Limits | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Way | None:
    """The shortest way found to ``found`` among ``events``, which are in order; None when it does not come again.

    Nothing after the day of ``found`` is looked at. ``progress`` is as for ``shrink``.
    """
    before = tuple(takewhile(lambda event: event.day <= found.day, events))
    days = {event.number: event.day for event in before}

    def length(some: Events) -> int:
        """How many days lead there; fewer by as many as the events were brought forward."""
        return found.day + 1 - (days[some[0].number] - some[0].day if some else 0)

    def fails(some: Events) -> bool:
        try:
            return fault_of(found) in faults(again(some, length(some)))
        except TrothError:
            return False

    shrunk = shrink(before, fails, limits=limits, progress=progress)
    return Way(shrunk, length(shrunk.events)) if shrunk else None


def write_events(events: Iterable[Event], file: Path) -> None:
    """Write ``events`` to ``file``, one a line. Raises ``TrothError`` when it cannot be written."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{event.line()}\n" for event in events), encoding="utf-8")
    except OSError as error:
        raise TrothError(f"{file} cannot be written: {error.strerror}.", "Name another file or folder.") from None


def read_events(file: Path) -> Events:
    """The events in ``file``, in the order in which they happen.

    Raises:
        TrothError: when it cannot be read, or a line is no event.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TrothError(f"{file} cannot be read: {error}.", "Name a file that a rehearsal wrote.") from None
    events = [_read(line, number, file) for number, line in enumerate(lines, start=1) if line.strip()]
    return tuple(sorted(events, key=lambda event: (event.day, event.part, event.number)))


def _read(line: str, number: int, file: Path) -> Event:
    try:
        event = read_line(line)
        sound = replace(event, day=int(event.day), part=float(event.part), count=int(event.count))
    except (ValueError, TypeError):
        raise TrothError(
            f"{file}:{number}: this is no event.", "Each line is one event, as a rehearsal writes it."
        ) from None
    if sound.act not in get_args(Act) or sound.day < 0 or not 0 <= sound.part < 1 or sound.count < 1:
        raise TrothError(
            f"{file}:{number}: an event that cannot happen.",
            f"Days count from 0, parts of a day are below 1, and the acts are {', '.join(get_args(Act))}.",
        )
    return sound
