"""Writes entries in the transaction of their cause: there is no act without its entry and no entry without its act."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import rfc8785
from sqlalchemy import Connection, insert

from troth.decide import Ask, Decision
from troth.ledger.events import EVENTS
from troth.ledger.guard import NotForTheLedger, Plain, instant, plain
from troth.ledger.tables import entry
from troth.ledger.tree import leaf_hash

_APPENDING = insert(entry).returning(entry.c.id)


def append(conn: Connection, at: datetime, event: str, body: Mapping[str, object]) -> int:
    """Write one entry in the caller's transaction and return its id.

    Raises:
        NotForTheLedger: when the event is unknown or the body might hold a personal value.
    """
    return int(conn.execute(_APPENDING, _row(at, event, body)).scalar_one())


def append_many(conn: Connection, at: datetime, event: str, bodies: Sequence[Mapping[str, object]]) -> int:
    """Write an entry for each of ``bodies`` in one go, in the caller's transaction, and return how many.

    Raises:
        NotForTheLedger: when the event is unknown or a body might hold a personal value; nothing was written.
    """
    rows = [_row(at, event, body) for body in bodies]
    if rows:
        conn.execute(insert(entry), rows)
    return len(rows)


def decision_body(ask: Ask, decision: Decision, version: int) -> dict[str, object]:
    """What is kept of a decision: enough to ask the same question again under the same ``version`` of the policy."""
    asked = {"act": ask.act, "purpose": ask.purpose, "fields": sorted(ask.fields), "people": ask.people}
    asked |= {"recipient": ask.recipient, "facts": sorted(ask.facts)}
    return {"ask": asked, "allowed": decision.allowed, "because": list(decision.because), "version": version}


def canonical(at: datetime, event: str, body: str) -> bytes:
    """The bytes that are sealed: RFC 8785 JSON of the entry, put together around a ``body`` that is canonical already."""
    return f'{{"at":"{instant(at)}","body":{body},"event":"{event}"}}'.encode()


_FRACTION = re.compile(r"[:,\[]-?[0-9]+[.eE]")


def canonical_body(body: dict[str, Plain]) -> str:
    """RFC 8785 JSON of a body that has passed the guard.

    What passes is ASCII without quotes or control characters, so that the standard library writes the same, many times
    faster; only numbers with a fraction are spelt differently.
    """
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return rfc8785.dumps(body).decode() if _FRACTION.search(text) else text


def _row(at: datetime, event: str, body: Mapping[str, object]) -> dict[str, object]:
    if event not in EVENTS:
        raise NotForTheLedger(f"The ledger knows no event `{event}`.", "Name it in ledger/events.py, with a sentence.")
    text = canonical_body(plain(body))
    return {"at": at, "event": event, "body": text, "leaf": leaf_hash(canonical(at, event, text))}
