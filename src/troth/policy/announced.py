"""That the policy changes, as people must be told: which version comes, since when that is public, and from when it applies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, takewhile

from troth.policy.periods import Period, later

SHOWN_AFTER = timedelta(days=14)
"""how long after a version took effect pages still say that it did"""


@dataclass(frozen=True, slots=True)
class Announced:
    """A version that follows another; ``before`` is the number of the one that it follows."""

    version: int
    before: int
    published_at: datetime
    effective_at: datetime

    def runs(self, now: datetime) -> bool:
        """Whether pages say so at ``now``: from publishing until some days after the version took effect."""
        return self.published_at <= now < self.effective_at + SHOWN_AFTER

    def coming(self, now: datetime) -> bool:
        """Whether the version is yet to take effect."""
        return now < self.effective_at

    def reminders(self, every: Period) -> tuple[datetime, ...]:
        """When people are reminded who were told at publishing: again and again until the version takes effect."""
        return tuple(takewhile(lambda at: at < self.effective_at, self._each(every)))

    def _each(self, every: Period) -> Iterator[datetime]:
        return (later(self.published_at, Period(every.number * number, every.unit)) for number in count(1))
