"""Replay: every decision on the ledger is asked again under the policy version then in force, and must come out the same.

The ledger keeps the question (act, purpose, fields, facts) with the answer. A row that was forged, a read that was let
through without a purpose, a gate that forgot consent: each is an answer that the policy of its day does not give. A fact
could be forged or left out as well, so what people chose and what the operator stopped is gathered on the way, in the ledger's own order,
and held against the facts of each decision. An entry that says something was done and holds no question at all counts as a
decision that was never asked for. One pass serves all promises.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from troth.consent.rules import STATES, Choice, facts_of
from troth.consent.tables import choice
from troth.decide import Ask
from troth.errors import StoreError
from troth.evidence.stopped import STOPS, StopsHeard
from troth.ledger import events
from troth.ledger.tables import entry
from troth.people.tables import person
from troth.policy.compile import Compiled
from troth.proof import Heard, Replayed
from troth.store import versions
from troth.store.tables import policy_version

EVERYTHING = "*"
DECIDED = frozenset(
    {
        events.PERSON_READ,
        events.COUNT_MADE,
        events.HOLDING_COLLECTED,
        events.DISCLOSURE_QUEUED,
        events.MESSAGE_QUEUED,
        events.DECISION_MADE,
    }
)
"""Events of things that are done only after a decision; each entry must hold its question."""
_BATCH = 2_000
_AT_ONCE = timedelta(seconds=5)
"""Two transactions that overlap may enter a choice and a decision in either order."""


@dataclass
class _Count:
    decisions: int = 0
    wrong: int = 0
    first_wrong: int | None = None

    def add(self, entry_id: int, right: bool) -> None:
        self.decisions += 1
        if not right:
            self.wrong += 1
            self.first_wrong = self.first_wrong or entry_id

    def frozen(self) -> Replayed:
        return Replayed(self.decisions, self.wrong, self.first_wrong)


@dataclass(frozen=True, slots=True)
class _Entry:
    id: int
    at: datetime
    event: str
    body: Mapping[str, Any]


@dataclass
class _Archive:
    """The archive's versions, compiled when they are asked for."""

    conn: Connection
    effective: dict[int, datetime]
    compiled: dict[int, Compiled | None] = field(default_factory=dict)

    def policy(self, version: object, at: datetime) -> Compiled | None:
        """Version ``version`` if it was the one in force at ``at``, or just before."""
        if not isinstance(version, int) or version not in {self._in_force(at), self._in_force(at - _AT_ONCE)}:
            return None
        if version not in self.compiled:
            try:
                self.compiled[version] = versions.by_number(self.conn, version)
            except StoreError:  # unsettled findings: it was altered, which the proof of the version says
                self.compiled[version] = None
        return self.compiled[version]

    def _in_force(self, at: datetime) -> int | None:
        begun = [(effective, version) for version, effective in self.effective.items() if effective <= at]
        return max(begun)[1] if begun else None


@dataclass
class _Replay:
    conn: Connection
    archive: _Archive
    counts: dict[str, _Count] = field(default_factory=lambda: defaultdict(_Count))
    chosen: dict[str, list[Choice]] = field(default_factory=lambda: defaultdict(list))
    stops: StopsHeard = field(default_factory=StopsHeard)
    disclosed: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    published: dict[int, str] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)

    def hear(self, rows: Iterable[Any]) -> None:
        heard = [_Entry(row.id, row.at, row.event, _body(row.body)) for row in rows]
        forged = self._forged_choices(heard)
        for one in heard:
            self.events[one.event] += 1
            if one.event in CHOICES and one.id not in forged:
                self._choose(one)
            elif one.event in STOPS:
                self.stops.hear(self.conn, one.event, one.at, one.body)
            elif one.event == events.POLICY_PUBLISHED and isinstance(one.body.get("version"), int):
                self.published[one.body["version"]] = str(one.body.get("digest", ""))
            if "ask" in one.body or one.event in DECIDED:
                self._decide(one)

    def _forged_choices(self, heard: list[_Entry]) -> set[int]:
        """Entries that speak of a choice which somebody who is here never made."""
        spoken = {one.id: (one.body.get("person"), one.body.get("choice")) for one in heard if one.event in CHOICES}
        people = {str(person_id) for person_id, _ in spoken.values()}
        if not people:
            return set()
        here = set(self.conn.scalars(select(person.c.id).where(person.c.id.in_(people))))
        made = set(self.conn.scalars(select(choice.c.id).where(choice.c.person_id.in_(here))))
        return {id_ for id_, (person_id, made_id) in spoken.items() if person_id in here and made_id not in made}

    def _choose(self, one: _Entry) -> None:
        body = one.body
        if body.get("state") in STATES:
            made, whose, scope = (str(body.get(name)) for name in ("choice", "person", "scope"))
            self.chosen[whose].append(Choice(made, whose, scope, body["state"], one.at, "", "", 0))

    def _decide(self, one: _Entry) -> None:
        ask = _ask(one.body.get("ask"))
        compiled = self.archive.policy(one.body.get("version"), one.at)
        again = compiled.decide(ask) if compiled and ask else None
        allowed = one.body.get("allowed") is True or one.event in DECIDED
        same = again is not None and again.allowed == allowed and list(again.because) == one.body.get("because")
        right = same and (not allowed or ask is None or self._founded(one, ask))
        for name in _spoken_of(ask, one.body, again.because if again else ()):
            self.counts[name].add(one.id, right)
        if ask and one.event == events.DISCLOSURE_QUEUED:
            self.disclosed[str(one.body.get("disclosure"))] = ask.recipient, ask.purpose, " ".join(sorted(ask.fields))

    def _founded(self, one: _Entry, ask: Ask) -> bool:
        """Whether the stops, consents and objections among the facts are those of that instant, or just before."""
        if not self.stops.bear_out(ask, one.at, _AT_ONCE):
            return False
        if ask.act not in _OF_PEOPLE or "person" not in one.body:
            return True
        made = self.chosen.get(str(one.body["person"]), [])
        told = _choices_among(ask.facts)
        return told == facts_of(made) or any(told == facts_of(made[:size]) for size in _just_now(made, one.at))


CHOICES = frozenset(
    {
        events.CONSENT_GIVEN,
        events.CONSENT_REFUSED,
        events.CONSENT_WITHDRAWN,
        events.CONSENT_EXPIRED,
        events.OBJECTION_MADE,
        events.OBJECTION_LIFTED,
    }
)
_OF_PEOPLE = frozenset({"read", "disclose", "send"})


def _just_now(made: list[Choice], at: datetime) -> Iterable[int]:
    """How many choices there were before each of those that were made just now."""
    return (size for size in range(len(made)) if made[size].at > at - _AT_ONCE)


def _choices_among(facts: Collection[str]) -> frozenset[str]:
    return frozenset(fact for fact in facts if fact.startswith(("consent:", "objection:")))


def _body(text: str) -> Mapping[str, Any]:
    """The body of an entry; what is no object was never written by Troth and says nothing."""
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _ask(body: Any) -> Ask | None:
    """The question of a decision; None when the entry holds none that can be asked."""
    words, lists = ("act", "purpose", "people", "recipient"), ("fields", "facts")
    if not isinstance(body, dict) or not all(isinstance(body.get(word), str) for word in words):
        return None
    if not all(_names(body.get(name)) for name in lists):
        return None
    sets = {name: frozenset(body[name]) for name in lists}
    return Ask(body["act"], body["purpose"], sets["fields"], body["people"], body["recipient"], sets["facts"])


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _spoken_of(ask: Ask | None, body: Mapping[str, Any], again: Iterable[str]) -> set[str]:
    """The promises a decision bears on: those it cites then or now, and its own purpose, recipient and act."""
    because = body["because"] if _names(body.get("because")) else []
    about = {*because, *again, EVERYTHING}
    if ask is None:
        return about
    about.add(f"act:{ask.act}")
    if ask.act in _SECTIONS:
        about.add(f"{_SECTIONS[ask.act]}.{ask.purpose}")
    if ask.act in {"disclose", "send"}:
        about.add(f"{'recipients' if ask.act == 'disclose' else 'messages'}.{ask.recipient}")
    if ask.purpose.startswith(("legal:", "statistics:")):
        about.add(ask.purpose.replace(":", ".", 1))
    return about


_SECTIONS = {"read": "purposes", "count": "purposes", "collect": "collection", "cookie": "cookies"}


def replay(conn: Connection) -> Heard:
    """Replay the whole ledger in order; counts by promise id, by ``act:NAME`` and, for all, under ``*``."""
    archived = conn.execute(select(policy_version.c.version, policy_version.c.effective_at))
    heard = _Replay(conn, _Archive(conn, {row.version: row.effective_at for row in archived}))
    query = select(entry.c.id, entry.c.at, entry.c.event, entry.c.body).order_by(entry.c.id)
    for rows in conn.execute(query, execution_options={"yield_per": _BATCH}).partitions():
        heard.hear(rows)
    chosen = frozenset(one.id for made in heard.chosen.values() for one in made)
    replayed = {name: count.frozen() for name, count in heard.counts.items()}
    return Heard(replayed, heard.disclosed, chosen, heard.published, heard.events)
