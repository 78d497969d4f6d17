"""Replay: every decision on the ledger is asked again under the policy version then in force, and must come out the same.

The ledger keeps the question (act, purpose, fields, facts) with the answer. A row that was forged, a read that was let
through without a purpose, a gate that forgot consent: each is an answer that the policy of its day does not give. A fact
could be forged as well, so consent facts are held against the choices people made. One pass serves all promises.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from troth.consent import actions as consent
from troth.consent.rules import Choice, facts_of
from troth.decide import Ask
from troth.errors import StoreError
from troth.ledger.tables import entry
from troth.policy.compile import Compiled
from troth.proof import Replayed
from troth.store import versions

EVERYTHING = "*"
_BATCH = 2_000


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


@dataclass
class _Replay:
    conn: Connection
    counts: dict[str, _Count] = field(default_factory=lambda: defaultdict(_Count))
    compiled: dict[int, Compiled | None] = field(default_factory=dict)

    def policy(self, version: int) -> Compiled | None:
        if version not in self.compiled:
            try:
                self.compiled[version] = versions.by_number(self.conn, version)
            except StoreError:
                self.compiled[version] = None
        return self.compiled[version]

    def hear(self, rows: Iterable[Any]) -> None:
        asked = [(row.id, row.at, json.loads(row.body)) for row in rows]
        decisions = [(id_, at, body) for id_, at, body in asked if "ask" in body]
        unfounded = self._unfounded(decisions)
        for id_, _, body in decisions:
            self._one(id_, body, id_ not in unfounded)

    def _one(self, entry_id: int, body: Mapping[str, Any], founded: bool) -> None:
        compiled = self.policy(body["version"])
        ask = _ask(body["ask"])
        again = compiled.decide(ask) if compiled else None
        same = again is not None and again.allowed == body["allowed"] and list(again.because) == list(body["because"])
        right = same and (founded or not body["allowed"])
        for name in _spoken_of(ask, body, again.because if again else ()):
            self.counts[name].add(entry_id, right)

    def _unfounded(self, decisions: list[tuple[int, datetime, Any]]) -> set[int]:
        """The entries whose consent facts no choice of the person bears out at that instant."""
        wanted = [
            (id_, at, body["person"], fact.removeprefix("consent:"))
            for id_, at, body in decisions
            for fact in body["ask"]["facts"]
            if fact.startswith("consent:") and "person" in body
        ]
        history = consent.histories(self.conn, {person for _, _, person, _ in wanted})
        return {id_ for id_, at, person, scope in wanted if not _given(history.get(person, ()), scope, at)}


def _given(choices: Sequence[Choice], scope: str, at: datetime) -> bool:
    """Whether the choices made by ``at`` amount to consent for ``scope``; people erased since have none left to ask."""
    return not choices or f"consent:{scope}" in facts_of(choice for choice in choices if choice.at <= at)


def _ask(body: Mapping[str, Any]) -> Ask:
    words = ("act", "purpose", "people", "recipient")
    return Ask(fields=frozenset(body["fields"]), facts=frozenset(body["facts"]), **{word: body[word] for word in words})


def _spoken_of(ask: Ask, body: Mapping[str, Any], again: Iterable[str]) -> set[str]:
    """The promises a decision bears on: those it cites then or now, and its own purpose, recipient and act."""
    about = {*body["because"], *again, EVERYTHING, f"act:{ask.act}"}
    sections = {"read": "purposes", "count": "purposes", "collect": "collection", "cookie": "cookies"}
    if ask.act in sections:
        about.add(f"{sections[ask.act]}.{ask.purpose}")
    if ask.act in {"disclose", "send"}:
        about.add(f"{'recipients' if ask.act == 'disclose' else 'messages'}.{ask.recipient}")
    if ask.purpose.startswith("legal:"):
        about.add(ask.purpose.replace(":", ".", 1))
    return about


def replay(conn: Connection) -> dict[str, Replayed]:
    """Replay the whole ledger in order; counts by promise id, by ``act:NAME`` and, for all, under ``*``."""
    heard = _Replay(conn)
    query = select(entry.c.id, entry.c.at, entry.c.body).order_by(entry.c.id)
    for rows in conn.execution_options(yield_per=_BATCH).execute(query).partitions():
        heard.hear(rows)
    return {name: count.frozen() for name, count in heard.counts.items()}
