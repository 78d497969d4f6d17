"""The only place that knows what time it is. Everything else is given a clock, so that a year passes in a test in seconds.

All instants are aware and in UTC; a day counts 24 hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

DAY = timedelta(days=1)
AHEAD = timedelta(minutes=5)
"""By how much the clocks of two machines may differ: what is dated further ahead than this, no clock wrote."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Whatever can say what time it is."""

    def now(self) -> datetime:
        """The current instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class MovedClock:
    """A clock that stands where it is put and moves only when told: for tests, the demo and rehearsals."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def move(self, by: timedelta) -> datetime:
        """Go forward (or back, for faults) by ``by`` and return the new instant."""
        self.at += by
        return self.at


def utc(year: int, month: int = 1, day: int = 1, hour: int = 0, minute: int = 0) -> datetime:
    """An instant in UTC, for constants and tests."""
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def of_late(at: datetime | None, now: datetime, within: timedelta) -> bool:
    """Whether something that is noted as done at ``at`` was done less than ``within`` ago; not when it is dated ahead."""
    return at is not None and now - within < at <= now + AHEAD


def to_micros(at: datetime) -> int:
    """Microseconds since 1970-01-01 UTC: how instants are kept in stores, exact and ordered on every database.

    Raises:
        ValueError: when ``at`` has no time zone, since guessing one would move a deadline.
    """
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_micros(micros: int) -> datetime:
    """The instant, aware, in UTC, that ``to_micros`` gave this number."""
    return _EPOCH + timedelta(0, 0, micros)


def iso(at: datetime) -> str:
    """RFC 3339 in UTC with a ``Z``, whole seconds: how instants are written for people and programs."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
