"""How long what was given may stay, read from the policy's sentences and not from Troth's own reading of them. Pure.

This is the second opinion that a rehearsal holds the store against, so it shares no line with ``policy.clocks``, ``retention``
or ``visits``: where both are wrong in one way, nobody would see it. It is slow and plain on purpose.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from troth.clock import DAY
from troth.policy.model import Policy, Relationship, RetentionClock

NOTICE = "notice"
LONGEST_STAY = 20 * DAY
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
        if entry.keep is None or (entry.points and point not in entry.points):
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
            event = self._event(entry, given, kind, since, dealt, said)
            if event is not None and entry.keep is not None:
                gone = event + entry.keep
                yield Term(key, gone - self._ahead(entry, entry.keep), gone, entry.archive)

    def _event(
        self, entry: RetentionClock, given: datetime, kind: str, since: datetime, dealt: Collection[Dealt], said: Said
    ) -> datetime | None:
        match entry.after:
            case "collection":
                return given
            case "relationship ends":
                ends = self.policy.relationship.get(kind)
                return business_ends(ends, dealt, since, self._stopped(said)) if ends else None
            case "request":
                return max((one.at for one in dealt if one.kind == "request"), default=None)
            case "account closed":
                closings = [one.closed_at for one in dealt if one.kind == "registration"]
                return max((at for at in closings if at), default=None) if all(closings) else None
            case "last contact":
                return max([given, *(one.last for one in dealt)])

    def _stopped(self, said: Said) -> datetime | None:
        """When somebody had said no to all mail that promotes something."""
        promoting = {one.for_ for one in self.policy.messages.values() if one.kind == "promotional"}
        promoting |= {key for key, one in self.policy.purposes.items() if one.marketing}
        words = [said[key] for key in promoting if key in said]
        if any(state == "given" for state, _ in words):
            return None
        return max((at for state, at in words if state in {"withdrawn", "objected"}), default=None)

    def _ahead(self, entry: RetentionClock, keep: timedelta) -> timedelta:
        """How long before its end something may go out of use: time to undo a mistake, unless it goes by its age alone."""
        least = min(keep / 2, DAY / 2)
        stay = min(max(keep / 10, least), self.erased_within, LONGEST_STAY)
        return min(self.margin, stay / 2) if entry.after == "collection" else stay

    @property
    def erased_within(self) -> timedelta:
        """How soon an erasure is carried out; twenty days where nothing is said."""
        erasure = self.policy.erasure
        return erasure.destroy_within if erasure and erasure.destroy_within else LONGEST_STAY

    @property
    def visits_kept(self) -> timedelta:
        """How long a visit is kept; no time when none may be."""
        visits = self.policy.visits
        return visits.keep if visits and visits.recording and visits.keep else timedelta(0)


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
        ends.append(max((one.last for one in dealt if one.kind != NOTICE), default=since) + entry.silence)
    return min(ends, default=None)
