"""Which clock rules which data: resolved from the policy in force, never copied into the records.

Of several clocks that cover one field the earliest end wins; each is swept on its own, so that comes by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from troth.policy.closed import EVERYTHING
from troth.policy.model import Policy, RetentionClock
from troth.policy.periods import Calendar, Period
from troth.policy.zones import calendar_of

REQUEST_LOG = "request log"
STAFF_LOG = "staff log"


@dataclass(frozen=True, slots=True)
class Clock:
    """One running retention clock: ``keep`` counts from ``after``; an archive keeps apart what others would end."""

    id: str
    keep: Period
    after: str
    everywhere: bool
    archive: bool
    covers: frozenset[tuple[str, str]]
    """(collection point, field) pairs"""
    calendar: Calendar = field(default_factory=Calendar)

    def end(self, event: datetime) -> datetime:
        """When what counts from ``event`` is to be gone at the latest; an archive's may not be gone before."""
        return self.calendar.end(event, self.keep, floor=self.archive)

    def cutoff(self, now: datetime) -> datetime:
        """The latest event whose ``end`` is no later than ``now``."""
        return self.calendar.cutoff(now, self.keep, floor=self.archive)


def clocks(policy: Policy) -> tuple[Clock, ...]:
    """The clocks of the policy that have a period, in its order."""
    calendar = calendar_of(policy)
    return tuple(
        Clock(key, entry.keep, entry.after, entry.everywhere, entry.archive, _covers(policy, entry), calendar)
        for key, entry in policy.retention.items()
        if entry.keep is not None
    )


def _covers(policy: Policy, entry: RetentionClock) -> frozenset[tuple[str, str]]:
    everything_about, named = {people_meant(word) for word in entry.what}, set(entry.what)
    return frozenset(
        (key, field)
        for key, point in policy.collection.items()
        if (not entry.points or key in entry.points) and (not entry.people or point.people == entry.people)
        for field in point.required + point.optional
        if point.people in everything_about or field in named
    )


def people_meant(word: str) -> str | None:
    """``customer`` for ``everything about a customer``; None when ``word`` is no such phrase."""
    phrase = EVERYTHING.read(word)
    return phrase.named if phrase else None
