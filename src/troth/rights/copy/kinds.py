"""What is said of a record besides its values: what it is for, who received it, when it goes. Pure, and worked out once a kind.

A person may have ten thousand records of a few kinds, so whatever does not depend on one record's own time is made when the
first of its kind comes by and looked up for all others. A promise is its deadline: what the sweep destroys earlier, out of
caution, is still said to go *by* that day.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from functools import cached_property

from troth.consent.stops.rules import comes_from, fact
from troth.people.vault import Held
from troth.policy.clocks import Clock
from troth.policy.happenings import COLLECTION, LAST_CONTACT
from troth.policy.model import Purpose
from troth.policy.spans import after_words
from troth.retention.holds import Hold
from troth.rights.copy.model import Given, Goes, Item, Kind, Named, Use
from troth.rights.copy.voice import Voice

YOU = "you"
_OWN = frozenset({COLLECTION, LAST_CONTACT})
"""events that each record has of its own: when it came in"""


@dataclass(frozen=True, slots=True)
class Disclosed:
    """One disclosure that may have arrived."""

    recipient: str
    fields: frozenset[str]
    at: datetime


@dataclass(frozen=True)
class Person:
    """What is known about the person that decides over uses and periods."""

    kind: str
    since: datetime
    only_for: str | None
    facts: frozenset[str]
    """of consent, objection and of the operator's stops, as ``troth.policy.rules`` names them"""
    ends_at: datetime | None
    """when business ends, as far as that is known; it may lie ahead"""
    events: dict[str, datetime | None]
    """the latest instant of each event that a clock counts from, by the word of the policy"""
    disclosed: Sequence[Disclosed]
    holds: Sequence[Hold]
    now: datetime


@dataclass
class _Known:
    """A kind, with what makes the rest of its records quick: the ends that are the same for all, and those that are not."""

    kind: Kind
    fixed: Goes
    counted: tuple[tuple[Clock, str], ...]
    given: tuple[tuple[Named, str, tuple[Named, ...], list[datetime]], ...]


_Key = tuple[str, str, str | None, frozenset[str], int]


@dataclass
class Kinds:
    """The kinds of records of one person, made as they come by."""

    voice: Voice
    person: Person
    found: dict[_Key, _Known] = field(default_factory=dict)
    seen: dict[tuple[object, ...], _Known] = field(default_factory=dict)
    """the same, by what is quickest to look up"""
    given: dict[tuple[int, tuple[tuple[str, int], ...]], tuple[Given, ...]] = field(default_factory=dict)

    def item(self, held: Held, values: Mapping[str, str], masked: frozenset[str]) -> Item:
        """What is told of a record that has ``values`` to be shown."""
        known = self._known(held)
        given = self._given(known, held.at) if known.given else ()
        return Item(known.kind, held.at, held.policy_version, values, masked, given, self._goes(known, held))

    @property
    def kinds(self) -> list[Kind]:
        """Every kind that came by."""
        return [one.kind for one in self.found.values()]

    def _known(self, held: Held) -> _Known:
        seen = (held.point, held.source, held.partner, held.policy_version, *held.fields)
        known = self.seen.get(seen)
        if known is None:
            known = self.seen[seen] = self._found(held)
        return known

    def _found(self, held: Held) -> _Known:
        fields = frozenset(held.fields)
        key = (held.point, held.source, held.partner, fields, self._era(held.policy_version, held.point, fields))
        found = self.found.get(key)
        if found is None:
            found = self.found[key] = self._made(held, fields)
        return found

    def _era(self, version: int, point: str, fields: frozenset[str]) -> int:
        """The version that names what the policy in force does not; 0 when that names everything."""
        policy = self.voice.policy
        return 0 if point in policy.collection and fields <= policy.data.keys() else version

    def _made(self, held: Held, fields: frozenset[str]) -> _Known:
        voice, version = self.voice, held.policy_version
        named = tuple(voice.field(key, version) for key in self._in_order(held.point, fields))
        source = Named(YOU, voice.speaker.finish(voice.say("copy.from_you")))
        kind = Kind(
            number=len(self.found) + 1,
            through=voice.point(held.point, version),
            source=voice.recipient(held.partner) if held.partner else source,
            fields=named,
            uses=tuple(self._uses(held, fields)),
            apart=tuple(self._apart(held.point, fields)),
        )
        clocks = [clock for clock in voice.compiled.clocks if not clock.archive and _rules(clock, held.point, fields)]
        counted = tuple((clock, _words(clock, voice, "goes.due")) for clock in clocks if _OWN & set(clock.after))
        return _Known(kind, self._fixed(clocks), counted, self._receivers(fields))

    def _in_order(self, point: str, fields: frozenset[str]) -> list[str]:
        """As the form asks for them; what it does not ask for any more comes last."""
        declared = self.voice.policy.collection.get(point)
        asked = dict.fromkeys((*declared.required, *declared.optional)) if declared else {}
        return [one for one in asked if one in fields] + sorted(fields - asked.keys())

    # --- what it is for ----------------------------------------------------------------------------------------------

    def _uses(self, held: Held, fields: frozenset[str]) -> list[Use]:
        voice = self.voice
        keys = voice.compiled.uses(held.point, fields).purposes
        declared = voice.policy.collection.get(held.point)
        first = {key: place for place, key in enumerate(declared.for_ if declared else ())}
        ordered = sorted(keys, key=lambda key: first.get(key, len(first)))
        mine = [(key, voice.policy.purposes[key]) for key in ordered]
        return [
            Use(voice.purpose(key), voice.say(f"bases.{one.basis}"), self._state(key, one, held))
            for key, one in mine
            if self._concerned(one)
        ]

    def _concerned(self, purpose: Purpose) -> bool:
        """Whether it is about people of this kind and time."""
        if purpose.people and self.person.kind not in purpose.people:
            return False
        return purpose.before is None or self.person.since < datetime.combine(purpose.before, time(), UTC)

    def _state(self, key: str, purpose: Purpose, held: Held) -> Named:
        facts, only_for = self.person.facts, self.person.only_for
        if only_for is not None and key not in only_for.split():
            state = "aside"
        elif f"objection:{key}" in facts:
            state = "objected"
        elif self._stopped(key, held):
            state = "stopped"
        elif purpose.basis == "consent":
            state = "agreed" if f"consent:{key}" in facts else "waiting"
        else:
            state = "figures" if purpose.aggregate_only else "needed" if purpose.needs else "used"
        needs = self.voice.speaker.every(self.voice.speaker.phrases("needs", purpose.needs))
        return Named(state, self.voice.speaker.finish(self.voice.say(f"states.{state}", needs=needs)))

    def _stopped(self, key: str, held: Held) -> bool:
        """Whether the operator stopped the use, for everybody or for what comes from where this came from."""
        facts, stop = self.person.facts, fact(key)
        origins = {one.removeprefix(f"{stop}:") for one in facts if one.startswith(f"{stop}:")}
        return stop in facts or comes_from(origins, held.source, held.partner)

    def _apart(self, point: str, fields: frozenset[str]) -> list[str]:
        """What an archive keeps longer, a sentence each."""
        voice, said = self.voice, []
        for clock in voice.compiled.clocks:
            ruled = [key for key in self._in_order(point, fields) if (point, key) in clock.covers]
            if clock.archive and ruled:
                entry = voice.policy.retention[clock.id]
                terms = {"fields": voice.speaker.fields(ruled), "keep": voice.speaker.duration(clock.keep)}
                terms |= {"after": after_words(voice.speaker, clock)}
                key = "goes.apart_for" if entry.for_ else "goes.apart"
                words = voice.say(key, **terms, purposes=voice.speaker.purposes(entry.for_))
                words = voice.say("goes.because", words=words, reason=entry.because) if entry.because else words
                said.append(voice.speaker.finish(words))
        return said

    # --- who received it ---------------------------------------------------------------------------------------------

    def _receivers(self, fields: frozenset[str]) -> tuple[tuple[Named, str, tuple[Named, ...], list[datetime]], ...]:
        """Each recipient of any of ``fields``, with which of them and when, oldest first."""
        found: dict[str, tuple[set[str], list[datetime]]] = {}
        for one in self.person.disclosed:
            if not fields.isdisjoint(one.fields):
                given, times = found.setdefault(one.recipient, (set(), []))
                given |= one.fields & fields
                times.append(one.at)
        voice = self.voice
        return tuple(
            (voice.recipient(key), voice.country_of(key), voice.fields(sorted(given)), sorted(times))
            for key, (given, times) in found.items()
        )

    def _given(self, known: _Known, at: datetime) -> tuple[Given, ...]:
        """Who received fields of a record of ``at`` or later; remembered by how many times that was."""
        counts = [(one[0].id, len(one[3]) - bisect_left(one[3], at)) for one in known.given]
        key = (known.kind.number, tuple(counts))
        found = self.given.get(key)
        if found is None:
            pairs = zip(known.given, counts, strict=True)
            found = self.given[key] = tuple(self._told(*one, times) for one, (_, times) in pairs if times)
        return found

    def _told(
        self, recipient: Named, country: str, fields: tuple[Named, ...], all_times: list[datetime], times: int
    ) -> Given:
        voice, last = self.voice, all_times[-1]
        terms = {"recipient": recipient.label, "country": country, "times": voice.times(times)}
        terms |= {"fields": voice.speaker.every(one.label for one in fields), "last": voice.moment(last)}
        words = voice.say("copy.given_in" if country else "copy.given", **terms)
        return Given(recipient, country, fields, times, last, words)

    # --- when it goes ------------------------------------------------------------------------------------------------

    def _fixed(self, clocks: Sequence[Clock]) -> Goes:
        """The earliest end that is the same for every record of a kind; without one, what it depends on."""
        voice, dated, waiting = self.voice, [], []
        for clock in clocks:
            if _OWN & set(clock.after):
                continue
            event = clock.event(self.person.events)
            if event is None:
                waiting.append(_words(clock, voice, "goes.waits"))
            elif event > self.person.now:
                dated.append((clock.end(event), _words(clock, voice, "goes.silence", end=voice.day(event))))
            else:
                dated.append((clock.end(event), _words(clock, voice, "goes.due")))
        if dated:
            return Goes(*min(dated), "dated")
        return Goes(None, waiting[0], "waits") if waiting else Goes(None, voice.say("goes.none"), "never")

    def _goes(self, known: _Known, held: Held) -> Goes:
        if held.only_for is not None:
            return self._held(held)
        best = known.fixed
        for clock, words in known.counted:
            event = clock.event(
                self.person.events | {COLLECTION: held.at, LAST_CONTACT: max(self._last_contact, held.at)}
            )
            best = best if event is None else _earlier(best, clock.end(event), words)
        return best

    @cached_property
    def _last_contact(self) -> datetime:
        return self.person.events.get(LAST_CONTACT) or datetime.min.replace(tzinfo=UTC)

    def _held(self, held: Held) -> Goes:
        """What holds alone keep goes when the last of them ends."""
        mine = [one for one in self.person.holds if not one.fields or not held.fields.keys().isdisjoint(one.fields)]
        if not mine:
            return Goes(self.person.now, self.voice.one_of("causes", "hold").label, "held")
        last = max(mine, key=lambda one: one.ends_at)
        ground = self.voice.ground(last.ground).label
        return Goes(last.ends_at, self.voice.speaker.finish(self.voice.say("goes.held", ground=ground)), "held")


def _earlier(best: Goes, by: datetime, words: str) -> Goes:
    return Goes(by, words, "dated") if best.by is None or by < best.by else best


def _rules(clock: Clock, point: str, fields: frozenset[str]) -> bool:
    return any((point, one) in clock.covers for one in fields)


def _words(clock: Clock, voice: Voice, key: str, **terms: str) -> str:
    after = after_words(voice.speaker, clock)
    return voice.speaker.finish(voice.say(key, keep=voice.speaker.duration(clock.keep), after=after, **terms))
