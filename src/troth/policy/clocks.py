"""Which clock rules which data: resolved from the policy in force, never copied into the records.

Of several clocks that cover one field the earliest end wins; each is swept on its own, so that comes by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from troth.policy.closed import EVERYTHING
from troth.policy.happenings import COLLECTION, RELATIONSHIP_ENDS
from troth.policy.model import Policy, RetentionClock
from troth.policy.periods import Calendar, Period
from troth.policy.years import CALENDAR_YEAR, YearEnd
from troth.policy.zones import calendar_of

REQUEST_LOG = "request log"
STAFF_LOG = "staff log"
DEFAULT_ERASURE_PERIOD = Period(30, "day")
"""within which what ends with an event is destroyed, where the policy does not say how long an erasure takes"""


@dataclass(frozen=True, slots=True)
class Clock:
    """One running retention clock: ``keep`` counts from ``after``; an archive keeps apart what others would end.

    ``later``: of several events the last one counts, and nothing ends before all have come; else the first one. ``year`` is
    the end of the year from which the period counts. ``at_once``: data leaves every use with the event, and ``keep`` is the
    time in which it is destroyed.
    """

    id: str
    keep: Period
    after: tuple[str, ...]
    everywhere: bool
    archive: bool
    covers: frozenset[tuple[str, str]]
    """(collection point, field) pairs"""
    calendar: Calendar = field(default_factory=Calendar)
    later: bool = False
    year: YearEnd | None = None
    at_once: bool = False

    @property
    def by_age(self) -> bool:
        """Whether it asks for nothing but the day on which a holding came in."""
        return self.after == (COLLECTION,)

    @property
    def by_business(self) -> bool:
        """Whether it goes by nothing but the end of business."""
        return self.after == (RELATIONSHIP_ENDS,)

    def event(self, happened: Mapping[str, datetime | None]) -> datetime | None:
        """The instant it counts from, of what happened by its word; None while it does not run."""
        known = [happened.get(word) for word in self.after]
        there = [at for at in known if at is not None]
        if not there or (self.later and len(there) < len(known)):
            return None
        return max(there) if self.later else min(there)

    def end(self, event: datetime) -> datetime:
        """When what counts from ``event`` is to be gone at the latest; an archive's may not be gone before."""
        return self.calendar.end(event, self.keep, floor=self.archive, year=self.year)

    def cutoff(self, now: datetime) -> datetime:
        """The latest event whose ``end`` is no later than ``now``."""
        return self.calendar.cutoff(now, self.keep, floor=self.archive, year=self.year)


def clocks(policy: Policy) -> tuple[Clock, ...]:
    """The clocks of the policy that have a period, or an event until which they run, in its order."""
    calendar = calendar_of(policy)
    erased = policy.erasure.destroy_within if policy.erasure else None
    return tuple(
        Clock(
            key,
            keep,
            entry.until or entry.after or (COLLECTION,),
            entry.everywhere,
            entry.archive,
            _covers(policy, entry),
            calendar,
            _later(entry),
            _year(policy, entry),
            bool(entry.until),
        )
        for key, entry in policy.retention.items()
        if (keep := (erased or DEFAULT_ERASURE_PERIOD) if entry.until else entry.keep) is not None
    )


def _later(entry: RetentionClock) -> bool:
    """Whether the last of several events counts; where the policy is silent the strict reading: delete early, keep long."""
    several = len(entry.until or entry.after) > 1
    return several and (entry.whichever == "later" or (not entry.whichever and entry.archive))


def _year(policy: Policy, entry: RetentionClock) -> YearEnd | None:
    """The end of the year that a period counts from; a financial year that the policy does not know is the calendar's."""
    if entry.counted_from == "end of financial year":
        return policy.operator.financial_year_ends or CALENDAR_YEAR
    return CALENDAR_YEAR if entry.counted_from == "end of calendar year" else None


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
