"""How long what was given may stay, read from the policy's sentences and not from Troth's own reading of them. Pure.

This is the second opinion that a rehearsal holds the store against, so it shares no line with ``policy.clocks``, ``retention``
or ``visits``: where both are wrong in one way, nobody would see it. It is slow and plain on purpose.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from troth.clock import DAY
from troth.policy.assurances import Absolute
from troth.policy.model import Policy, Relationship, RetentionClock
from troth.policy.periods import Period
from troth.policy.zones import zone_of_country

NOTICE = "notice"
LONGEST_STAY = 20 * DAY
_BY_DATE = {"month", "year"}
_BOUGHT = {"order", "paid order"}
_QUESTIONS = {"ticket", "request", "enquiry"}
_ASKED = _QUESTIONS | {"contact"}


Said = Mapping[str, tuple[str, datetime]]
"""What somebody last said about each purpose, and when."""
_NOTHING_SAID: Said = {}


@dataclass(slots=True)
class Dealt:
    """A dealing with somebody, and the event that opened it."""

    kind: str
    number: int
    at: datetime
    closed_at: datetime | None = None
    warranty: datetime | None = None

    @property
    def last(self) -> datetime:
        """When something last happened about it; when somebody leaves, nothing has happened."""
        return self.at if self.kind == "registration" or self.closed_at is None else self.closed_at


@dataclass(frozen=True, slots=True)
class Term:
    """One clock's word about one part: out of use at ``out`` at the earliest, gone at ``gone`` at the latest."""

    clock: str
    out: datetime
    gone: datetime
    archive: bool


@dataclass(frozen=True)
class Terms:
    """What one version of a policy says about time."""

    policy: Policy
    margin: timedelta = 2 * DAY
    """how long before a promised end things are destroyed"""

    def groups(self, point: str, fields: Collection[str]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """``fields`` given at ``point``, parted by the clocks that speak of them: fields and clocks of each part."""
        found: dict[tuple[str, ...], list[str]] = {}
        for field in sorted(fields):
            clocks = tuple(key for key in self.policy.retention if self._speaks(key, point, field))
            found.setdefault(clocks, []).append(field)
        return [(tuple(names), clocks) for clocks, names in found.items()]

    def _speaks(self, clock: str, point: str, field: str) -> bool:
        entry, people = self.policy.retention[clock], self.policy.collection[point].people
        if (entry.keep is None and not entry.until) or (entry.points and point not in entry.points):
            return False
        if entry.people and people != entry.people:
            return False
        everything = {f"everything about a {people}", f"everything about an {people}"}
        return field in entry.what or bool(everything & {*entry.what})

    def terms(
        self,
        clocks: Collection[str],
        given: datetime,
        kind: str,
        since: datetime,
        dealt: Collection[Dealt],
        said: Said = _NOTHING_SAID,
    ) -> Iterator[Term]:
        """What each of ``clocks`` says about something given by a person of ``kind``; nothing while it does not run."""
        for key in clocks:
            entry = self.policy.retention[key]
            event = self._events(entry, given, kind, since, dealt, said)
            if event is not None and entry.until:
                erased = self.policy.erasure.destroy_within if self.policy.erasure else None
                yield Term(key, event, self._over(event, erased or Period(30, "day")), entry.archive)
            elif event is not None and entry.keep is not None:
                gone = self._over(self._year_end(entry, event), entry.keep, entry.archive)
                yield Term(key, gone - self._ahead(entry, entry.keep), gone, entry.archive)

    def _events(
        self, entry: RetentionClock, given: datetime, kind: str, since: datetime, dealt: Collection[Dealt], said: Said
    ) -> datetime | None:
        """Of several events the first or the last; where the policy does not say which, whatever is deleted goes early."""
        words = entry.until or entry.after or ("collection",)
        found = [self._event(word, given, kind, since, dealt, said) for word in words]
        there = [at for at in found if at is not None]
        last = entry.whichever == "later" or (entry.archive and not entry.whichever)
        if not there or (last and len(there) < len(found)):
            return None
        return max(there) if last else min(there)

    def _year_end(self, entry: RetentionClock, event: datetime) -> datetime:
        """The last noon of the year that ``event`` lies in, if the period counts from there; found day by day."""
        if entry.counted_from == "the event":
            return event
        ends = self.policy.operator.financial_year_ends if entry.counted_from == "end of financial year" else None
        day = event.astimezone(self._zone).replace(hour=12)
        while not self._is_last(day, str(ends) if ends else "31 December"):
            day += DAY
        whole = entry.keep is not None and entry.keep.unit not in _BY_DATE
        return (day + DAY).replace(hour=0, minute=0, second=0, microsecond=0) if whole else day

    @staticmethod
    def _is_last(day: datetime, ends: str) -> bool:
        if ends in ("28 February", "29 February"):
            return day.month == 2 and (day + DAY).month == 3
        return f"{day.day} {day:%B}" == ends

    def _event(
        self, word: str, given: datetime, kind: str, since: datetime, dealt: Collection[Dealt], said: Said
    ) -> datetime | None:
        """When ``word`` happened; what the business reports and ages happen to nobody in a rehearsal."""
        ends, found = self.policy.relationship.get(kind), None
        if word == "collection":
            found = given
        elif word == "relationship ends" and ends:
            found = business_ends(ends, dealt, since, self._stopped(said))
        elif word in {"request", "order"}:
            found = max((one.at for one in dealt if one.kind == word), default=None)
        elif word == "account closed":
            closings = [one.closed_at for one in dealt if one.kind == "registration"]
            found = max((at for at in closings if at), default=None) if all(closings) else None
        elif word == "last contact":
            found = max([given, *(one.last for one in dealt)])
        elif word.startswith("withdrawal of "):
            state, at = said.get(word.removeprefix("withdrawal of "), ("", given))
            found = at if state in {"withdrawn", "objected"} else None
        return found

    def _stopped(self, said: Said) -> datetime | None:
        """When somebody had said no to all mail that promotes something."""
        promoting = {one.for_ for one in self.policy.messages.values() if one.kind == "promotional"}
        promoting |= {key for key, one in self.policy.purposes.items() if one.marketing}
        words = [said[key] for key in promoting if key in said]
        if any(state == "given" for state, _ in words):
            return None
        return max((at for state, at in words if state in {"withdrawn", "objected"}), default=None)

    def _ahead(self, entry: RetentionClock, keep: Period) -> timedelta:
        """How long before its end something may go out of use: time to undo a mistake, unless it goes by its age alone.

        An archive is kept to the end.
        """
        if entry.archive:
            return 0 * DAY
        whole, promised = _about(keep), self.policy.erasure.destroy_within if self.policy.erasure else None
        least = min(whole / 2, DAY / 2)
        stay = min(max(whole / 10, least), _about(promised) if promised else LONGEST_STAY, LONGEST_STAY)
        return min(self.margin, stay / 2) if entry.after in ((), ("collection",)) else stay

    def _over(self, start: datetime, period: Period, at_least: bool = False) -> datetime:
        """When a period is over where the operator is: with the day it ends on begun, or, ``at_least``, with it past."""
        if period.unit not in _BY_DATE:
            return start + _about(period)
        there = start.astimezone(self._zone) + relativedelta(**{f"{period.unit}s": period.number})  # type: ignore[arg-type]
        midnight = there.replace(hour=0, minute=0, second=0, microsecond=0)
        return (midnight + DAY if at_least else midnight).astimezone(UTC)

    @property
    def _zone(self) -> tzinfo:
        operator = self.policy.operator
        name = operator.time_zone or zone_of_country(operator.country or "")
        return ZoneInfo(name) if name else UTC

    def today(self, at: datetime) -> date:
        """The date at an instant where the operator is."""
        return at.astimezone(self._zone).date()

    def erased_by(self, at: datetime) -> datetime:
        """By when an erasure asked for at ``at`` is carried out; twenty days later where nothing is said."""
        erasure = self.policy.erasure
        return self._over(at, erasure.destroy_within) if erasure and erasure.destroy_within else at + LONGEST_STAY

    def told_until(self, at: datetime) -> datetime:
        """When people whom a change was told at ``at`` had the time they were promised."""
        changes = self.policy.changes
        return self._over(at, changes.lead_time, at_least=True) if changes and changes.lead_time else at

    @property
    def keeps_visits(self) -> bool:
        """Whether visits are kept for any time at all."""
        visits = self.policy.visits
        ruled_out = any(_rules_out_visits(one) for one in self.policy.absolutes.values())
        return bool(visits and visits.recording and visits.keep) and not ruled_out

    def visits_over(self, at: datetime) -> datetime:
        """The last instant of which a visit is over at ``at``; found by trying one day after the other, backwards."""
        visits = self.policy.visits
        if not visits or not visits.recording or not visits.keep:
            return at
        if visits.keep.unit not in _BY_DATE:
            return at - _about(visits.keep)
        day = datetime.combine(at.astimezone(self._zone).date(), time(), self._zone)
        while self._over(day.astimezone(UTC), visits.keep) > at:
            day -= DAY
        return (day + DAY).astimezone(UTC) - timedelta(microseconds=1)


def _rules_out_visits(one: Absolute) -> bool:
    """Whether a sentence about all data there is leaves no room for visits; nothing lifts it, since nobody is asked."""
    if "everything" not in one.what:
        return False
    if one.never in ("collect", "store"):
        return not one.for_ or "visits" in one.for_
    return one.only == "collect" and "visits" not in one.for_


def business_ends(
    entry: Relationship, dealt: Collection[Dealt], since: datetime, stopped: datetime | None = None
) -> datetime | None:
    """When business with a person ends: the first that the policy names of what happened since it last began.

    ``stopped`` is when they had said no to all promotional mail, if they have.
    """
    begins = set(_BOUGHT)
    for word in entry.begins:
        begins |= _ASKED if word == "enquiry" else {word}
    begun = max((one.at for one in dealt if one.kind in begins), default=None)
    ends = []
    if "customer notice" in entry.ends:
        ends += sorted(one.at for one in dealt if one.kind == NOTICE and (begun is None or one.at >= begun))[:1]
    if "last warranty ends" in entry.ends:
        last = max((one.warranty for one in dealt if one.warranty), default=None)
        ends += [last] if last and (begun is None or last >= begun) else []
    for end, kinds in (("account closed", {"registration"}), ("enquiry answered", _QUESTIONS)):
        theirs = [one for one in dealt if one.kind in kinds] if end in entry.ends else []
        if theirs and all(one.closed_at for one in theirs):
            latest = max(one.closed_at for one in theirs if one.closed_at)
            ends += [latest] if begun is None or latest >= begun else []
    if "unsubscribed" in entry.ends and stopped and (begun is None or stopped >= begun):
        ends.append(stopped)
    if "silence" in entry.ends and entry.silence:
        last, silence = max((one.last for one in dealt if one.kind != NOTICE), default=since), entry.silence
        by_date = {f"{silence.unit}s": silence.number} if silence.unit in _BY_DATE else {}
        ends.append(last + relativedelta(**by_date) if by_date else last + _about(silence))  # type: ignore[arg-type]
    return min(ends, default=None)


def _about(period: Period) -> timedelta:
    """How long a period is; about how long, where the calendar says."""
    days = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1, "week": 7, "month": 365.2425 / 12, "year": 365.2425}
    return timedelta(days=period.number * days[period.unit])
