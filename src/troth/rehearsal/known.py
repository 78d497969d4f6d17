"""What the model of a rehearsal knows: people, the parts of what they gave, and what should not have come of an event."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from troth.rehearsal.expects import Answer, Whom
from troth.rehearsal.result import Kind
from troth.rehearsal.tasks import APART


@dataclass(slots=True)
class Part:
    """What was given in one event and ends together. ``gone`` is set when it went out of use."""

    number: int
    who: int
    point: str
    fields: tuple[str, ...]
    clocks: tuple[str, ...]
    given: datetime
    state: Literal["held", "kept", "out"] = "held"
    gone: datetime | None = None


@dataclass(slots=True)
class Somebody:
    """One person of the store, as the model knows them."""

    id: str
    who: int
    whom: Whom
    parts: list[Part] = field(default_factory=list)
    erased: bool = False
    due: datetime | None = None
    """the instant that waits for them in the queue, so that it is not entered twice"""

    @property
    def active(self) -> bool:
        """Whether something of theirs is in use."""
        return not self.erased and any(part.state == "held" for part in self.parts)


@dataclass(frozen=True, slots=True)
class Wrong:
    """An outcome that should not be; ``about`` is a purpose, a recipient or a point."""

    kind: Kind
    about: str
    says: str


@dataclass(frozen=True, slots=True)
class Gone:
    """A part of somebody whose time is over: nothing of it may be anywhere."""

    person: Somebody
    part: Part


def later(last: datetime, number: int, cutoff: datetime) -> int:
    """How many of ``number`` visits, each a second after the other up to ``last``, came after ``cutoff``."""
    whole, rest = divmod(last - cutoff, APART)
    return max(0, min(number, whole + bool(rest)))


def in_use(somebody: Somebody, allowed: bool) -> Answer:
    """Nobody sees who asked to be forgotten; what a clock took out of use may be seen no later than its end."""
    if not allowed or (somebody.erased and not any(part.state == "kept" for part in somebody.parts)):
        return "no"
    return "yes" if somebody.active else "either"
