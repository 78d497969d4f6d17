"""What a proof says: whether one promise holds now, by which measure, and what the evidence is. No personal values.

Proofs are read by people who run no database, so limits and measures are words: labels and not ids, with units. They are
written in English, and ``Words`` remember the sentence and what was put into it, so that a notice can say them in its own
language (``evidence.words``).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum, auto
from functools import cached_property, reduce
from typing import Any, Literal, NamedTuple, TypeVar

from sqlalchemy import Connection, select

from troth import source
from troth.errors import StoreError
from troth.policy.compile import Compiled
from troth.policy.notice.language import Speaker, language
from troth.policy.periods import Period
from troth.store import versions
from troth.store.site import Site
from troth.store.tables import policy_version
from troth.verdicts import Verdict

How = Literal["query", "reconciliation", "replay", "canary", "construction", "probe", "attestation"]


@dataclass(frozen=True, slots=True)
class Some:
    """A number of things: ``1 record``, ``2,000 records``; ``thing`` is a key of ``THINGS``."""

    number: int
    thing: str


@dataclass(frozen=True, slots=True)
class Named:
    """Ids of the policy, shown by their labels; ``how`` is the method of ``Speaker`` that knows them."""

    how: Literal["fields", "purposes", "recipients", "people", "points", "countries"]
    keys: tuple[str, ...]


Value = str | int | date | timedelta | Period | Some | Named
Found = TypeVar("Found")

THINGS: Mapping[str, str] = {
    "record": "records",
    "difference": "differences",
    "further difference": "further differences",
    "file": "files",
    "visit": "visits",
    "decision": "decisions",
    "choice": "choices",
    "consent": "consents",
    "disclosure": "disclosures",
    "message": "messages",
    "submission": "submissions",
    "person": "people",
    "text": "texts",
    "entry": "entries",
    "change": "changes",
    "case": "cases",
    "request": "requests",
    "deletion": "deletions",
    "version": "versions",
    "purpose": "purposes",
    "recipient": "recipients",
    "module": "modules",
    "try": "tries",
    "reminder": "reminders",
    "opening of data": "openings of data",
    "member of staff": "members of staff",
    "password": "passwords",
    "alarm": "alarms",
    "sweep": "sweeps",
}


class Words(str):
    """A sentence in English that can be said again in another language."""

    template: str
    values: Mapping[str, Value]


def words(speaker: Speaker, template: str, **values: Value) -> Words:
    """``template`` with ``values`` in it, in English; labels come from the policy of ``speaker``."""
    made = Words(template.format(**{name: _in_english(value, speaker) for name, value in values.items()}))
    made.template, made.values = template, values
    return made


def _in_english(value: Value, speaker: Speaker) -> str:
    match value:
        case Some(number, thing):
            return f"{number:,} {thing if number == 1 else THINGS[thing]}"
        case Named(how, keys):
            return str(getattr(speaker, how)(keys))
        case timedelta():
            return span(value)
        case Period():
            return speaker.duration(value)
        case date():
            return speaker.date(value)
        case _:
            return f"{value:,}" if isinstance(value, int) else value


@dataclass(frozen=True, slots=True)
class Proof:
    """The answer for one promise. ``limit`` is what was promised, ``measured`` what was found, both for people to read."""

    verdict: Verdict
    how: How
    limit: str
    measured: str
    evidence: str
    unshown: tuple[str, ...] = ()
    """keys of the entry that the proof measures as a rule and could not this time, which are not proven"""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a check that a proof by construction carried out: what was tried, and what was wrong, if anything."""

    tried: Words
    failed: Words | None


Check = Callable[["Proving"], Tried]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What replaying the ledger found about the decisions that speak of one promise."""

    decisions: int = 0
    allowed: int = 0
    """how many of them let something through; a promise is not kept by refusals alone"""
    wrong: int = 0
    first_wrong: int | None = None
    """id of the ledger entry that does not come out again"""


class Timeliness(Enum):
    """Whether an ending was destroyed in time; ``UNKNOWN`` where neither that nor lateness is shown."""

    IN_TIME = auto()
    LATE = auto()
    UNKNOWN = auto()


class Beginning(NamedTuple):
    """An ending as it began: when, by when it was to be destroyed, and when the sweep before it came to its end.

    Instants are in microseconds since 1970, and None where the entry does not say.
    """

    cause: str
    at: int
    by: int | None
    swept: int | None


@dataclass(frozen=True, slots=True)
class Ended:
    """How many endings of one cause were destroyed; how many of them late, and the worst by how much; of how many nothing shows
    that they were in time; and how many of these went more than a day after their deadline."""

    number: int = 0
    late: int = 0
    worst: timedelta = timedelta(0)
    unknown: int = 0
    doubtful: int = 0

    def __add__(self, other: Ended) -> Ended:
        """Those of both."""
        worst = max(self.worst, other.worst)
        unknown, doubtful = self.unknown + other.unknown, self.doubtful + other.doubtful
        return Ended(self.number + other.number, self.late + other.late, worst, unknown, doubtful)


@dataclass(frozen=True, slots=True)
class Owed:
    """A recipient that had data of a person whom an ending destroyed; it was last given some at ``since``."""

    ending_id: str
    person_id: str
    recipient: str
    since: datetime


@dataclass(frozen=True)
class Heard:
    """What one pass over the ledger found: replayed decisions by what they speak of, and what was entered of each kind.

    ``disclosed`` maps a disclosure to the recipient, purpose and fields that were decided when it was asked for, ``left`` to
    those that were decided when it last left, and to that instant in microseconds since 1970; ``letters`` maps a message to its
    class when it was decided that it may be sent; ``chosen`` holds the choices
    that were entered, ``published`` the digest of each version as it was published, ``events`` how often each was entered,
    ``cards`` how many entries hold what reads like a card number.
    """

    replayed: Mapping[str, Replayed] = field(default_factory=dict)
    disclosed: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    left: Mapping[str, tuple[tuple[str, str, str], int]] = field(default_factory=dict)
    letters: Mapping[str, str] = field(default_factory=dict)
    chosen: Collection[str] = frozenset()
    published: Mapping[int, str] = field(default_factory=dict)
    events: Mapping[str, int] = field(default_factory=dict)
    cards: int = 0
    ended: Mapping[str, Ended] = field(default_factory=dict)
    """what became of endings, by their cause, such as ``clock:ID``"""
    begun: Mapping[str, Beginning] = field(default_factory=dict)
    """the endings that began and were neither destroyed nor put back, as the ledger has them"""
    owed: Collection[Owed] = ()
    """whom destructions leave to be told to delete, where their ending goes everywhere"""
    readers: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """how often fields were opened, by who asked (``staff``, ``person``, ...) and for which purpose"""
    reached: int = 0
    """how often something was read, sent or given away about somebody who had left every use"""
    swept: Ended = Ended()
    """what became of visits, by the sweeps that destroyed them"""


@dataclass(frozen=True)
class Canary:
    """What became of the made-up person that went through the real paths: a sentence for each step that failed."""

    steps: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    at: datetime | None = None
    hindered: str = ""
    """why nobody could go through the doors, and what to do about it, when that was tried now and could not be"""


@dataclass(frozen=True)
class Proving:
    """What every proof is given: the site, one consistent state of its data, the policy in force and what was replayed.

    ``before`` is what whoever proves again and again found the last time, by the function that found it.
    """

    site: Site
    conn: Connection
    compiled: Compiled
    now: datetime
    heard: Heard
    canary: Canary
    before: dict[Any, Any] = field(default_factory=dict)
    looked: dict[Any, Any] = field(default_factory=dict)

    def once(self, look: Callable[[Proving], Found]) -> Found:
        """What ``look`` finds: looked for once, however many promises it speaks of."""
        if look not in self.looked:
            self.looked[look] = look(self)
        found: Found = self.looked[look]
        return found

    def since(self, look: Callable[[Proving, Found | None], Found]) -> Found:
        """What ``look`` finds when it is given what it found the last time, so that it need only look at what is new."""
        if look not in self.looked:
            self.looked[look] = self.before[look] = look(self, self.before.get(look))
        found: Found = self.looked[look]
        return found

    @cached_property
    def speaker(self) -> Speaker:
        """Says labels of the policy in force, in English."""
        return Speaker(self.compiled.policy, language("en"))

    def say(self, template: str, **values: Value) -> Words:
        """Words for a proof."""
        return words(self.speaker, template, **values)

    @cached_property
    def versions(self) -> tuple[int, ...]:
        """The numbers of all archived versions."""
        return tuple(self.conn.scalars(select(policy_version.c.version).order_by(policy_version.c.version)))

    def replay(self, promise_id: str) -> Replayed:
        """What the ledger's replay found about one promise."""
        return self.heard.replayed.get(promise_id, Replayed())

    def version(self, number: int) -> Compiled | None:
        """An archived version; None when there is no such."""
        if number not in self._compiled:
            try:
                self._compiled[number] = versions.by_number(self.conn, number)
            except StoreError:
                self._compiled[number] = None
        return self._compiled[number]

    @cached_property
    def _compiled(self) -> dict[int, Compiled | None]:
        return {}

    def in_force(self, at: datetime) -> Compiled | None:
        """The version in force at ``at``; None before the first."""
        place = bisect_right(self._effective, at, key=lambda begun: begun[0])
        return self.version(self._effective[place - 1][1]) if place else None

    @cached_property
    def _effective(self) -> list[tuple[datetime, int]]:
        rows = self.conn.execute(select(policy_version.c.effective_at, policy_version.c.version))
        return sorted((row.effective_at, row.version) for row in rows)

    def both(self, one: Words, two: Words) -> Words:
        """Two sentences as one."""
        return self.say("{one}; {two}", one=one, two=two)

    def replayed(self, found: Replayed, limit: str) -> Proof:
        """A replay's proof: every decision on the ledger that speaks of the promise came out again as it is written."""
        if found.wrong:
            measured = self.say("{wrong} not as the policy says", wrong=Some(found.wrong, "decision"))
            return Proof(
                "broken",
                "replay",
                limit,
                measured,
                self.say("first at entry {id} of the log of decisions", id=found.first_wrong or 0),
            )
        if not found.decisions:
            return self.nothing_yet("replay", limit, "nobody has asked for this so far")
        if not found.allowed:
            refused = self.say("{refused} refused, nothing done so far", refused=Some(found.decisions, "request"))
            return Proof("nothing to check yet", "replay", limit, self.say("nothing yet"), refused)
        measured = self.say(
            "{done} done and {refused} refused, all as the policy says",
            done=Some(found.allowed, "case"),
            refused=found.decisions - found.allowed,
        )
        return Proof("kept", "replay", limit, measured, self.say("each checked again against the policy of its day"))

    def counted(self, wrong: int, of: Some, limit: str, bad: str) -> Proof:
        """A query's proof from two counts; ``bad`` says what is wrong with ``{wrong}`` of them."""
        if wrong:
            measured = self.say(bad, wrong=Some(wrong, of.thing))
            return Proof("broken", "query", limit, measured, self.say("{all} looked at", all=of))
        if not of.number:
            return self.nothing_yet("query", limit, "there is nothing to look at so far")
        return Proof(
            "kept", "query", limit, self.say(bad, wrong=Some(0, of.thing)), self.say("{all} looked at", all=of)
        )

    def nothing_yet(self, how: How, limit: str, why: str) -> Proof:
        """A promise that has had no case so far: there is nothing to check yet."""
        return Proof("nothing to check yet", how, limit, self.say("nothing yet"), self.say(why))

    def not_proven(self, how: How, limit: str, measured: str, why: str) -> Proof:
        """A promise that nothing can show at present."""
        return Proof("not proven", how, limit, self.say(measured), self.say(why))

    def constructed(self, limit: str, *checks: Check) -> Proof:
        """A promise kept because no other way exists: every check is carried out now, and one that fails breaks it."""
        done = [self.once(check) for check in checks]
        failed = [one.failed for one in done if one.failed is not None]
        tried = reduce(self.both, (one.tried for one in done))
        if failed:
            return Proof("broken", "construction", limit, reduce(self.both, failed), tried)
        return Proof("kept", "construction", limit, self.say("no other way exists"), tried)

    def tried(self, tried: Words, wrong: int, bad: str) -> Tried:
        """What came of a check; ``bad`` says what is wrong with ``{wrong}`` tries."""
        return Tried(tried, self.say(bad, wrong=Some(wrong, "try")) if wrong else None)

    def walked(self, name: str) -> Tried:
        """What came of a walk over the source of the running program, by the rule ``name`` of ``troth.source``."""
        walk = source.walk(name, self.once(_source_now))
        tried = self.say("{all} of the program read for another way", all=Some(walk.modules, "module"))
        if not walk.offenders:
            return Tried(tried, None)
        return Tried(tried, self.say("another way in {modules}", modules=", ".join(walk.offenders)))


def _source_now(_: Proving) -> source.Read:
    return source.read()


def span(time: timedelta) -> str:
    """A length of time in its two largest units: ``29 d 3 h``, ``30 d``, ``4 h 10 min``, ``12 min``."""
    units = zip(parts(time), ("d", "h", "min"), strict=True)
    said = [f"{number:,} {unit}" for number, unit in units]
    first = next((place for place, number in enumerate(parts(time)) if number), 2)
    return " ".join(word for word in said[first : first + 2] if word[0] != "0") or "0 min"


def parts(time: timedelta) -> tuple[int, int, int]:
    """Whole days, hours and minutes of a length of time; a negative one counts as none."""
    minutes = max(int(time.total_seconds() // 60), 0)
    return minutes // 1440, minutes % 1440 // 60, minutes % 60
