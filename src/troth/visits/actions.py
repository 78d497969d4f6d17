"""Recording visits and reading them again. A record holds the declared fields and nothing else; blank in the policy is nothing.

What could go wrong: a header too much is stored; a visit is read an hour too long; a backup brings back what had gone. So a
record is made from the policy's list, never from the request; expiry is part of every read, to the microsecond, whether or not
the sweep ran; and each day is sealed under a key of its own that goes with the day.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Row, Select, func, insert, select, tuple_

from troth import ledger
from troth.clock import DAY
from troth.consent.stops import actions as stops
from troth.decide import Ask
from troth.errors import Refused, Unverifiable
from troth.ids import new_id
from troth.ledger import events
from troth.people.tables import holding, shape
from troth.people.vault import By
from troth.policy.acts import READ_VISITS
from troth.policy.compile import Compiled
from troth.store.site import Site
from troth.visits import daykeys
from troth.visits.partitions import days_present, ensure_days, start_of, table_of
from troth.visits.rules import cutoff, record_of, recorded

PAGE = 1000
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Visit:
    """One recorded visit: when, and the declared fields that the request had."""

    at: datetime
    fields: Mapping[str, str]


def record(site: Site, conn: Connection, request: Mapping[str, str]) -> None:
    """Record a visit in the caller's transaction, as far as the policy in force allows; nothing when it does not.

    ``request`` offers values by field or by DPV category (``pd:IPAddress``); whatever the policy does not declare is left.
    """
    record_many(site, conn, [(site.now(), request)])


def number_of(conn: Connection, person_id: str, point: str) -> int:
    """How many visits of a member are kept with their account, recorded at ``point``."""
    mine = (holding.c.person_id == person_id) & (shape.c.point == point)
    return conn.scalar(select(func.count()).select_from(holding.join(shape)).where(mine)) or 0


def record_many(site: Site, conn: Connection, visits: Sequence[tuple[datetime, Mapping[str, str]]]) -> int:
    """Record buffered visits, each with its instant, in the caller's transaction; returns how many were kept.

    Those that expired while they waited are left out.
    """
    compiled = site.policy(conn)
    fields = recorded(compiled)
    expired = cutoff(compiled, site.now())
    alive: dict[date, list[tuple[datetime, Mapping[str, str]]]] = {}
    for at, request in visits if fields is not None else ():
        if at > expired:
            alive.setdefault(at.date(), []).append((at, request))
    if not alive or fields is None:
        return 0
    ensure_days(conn, alive)
    keys = daykeys.keys_for(site, alive)
    for day, its in alive.items():
        rows = [_row(at, record_of(compiled, fields, request, keys[day]), keys[day]) for at, request in its]
        conn.execute(insert(table_of(day)), rows)
    return sum(map(len, alive.values()))


def _row(at: datetime, fields: Mapping[str, str], key: bytes) -> dict[str, object]:
    made, nonce = new_id(at), os.urandom(_NONCE)
    plain = json.dumps(dict(fields), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return {"at": at, "id": made, "body": nonce + AESGCM(key).encrypt(nonce, plain, made.encode())}


def read(site: Site, purpose: str, by: By, since: datetime | None = None) -> Iterator[Visit]:
    """Stream the visits after ``since`` that have not expired, oldest first; who read, and for what, is on the ledger.

    Raises:
        Refused: at once, when the policy does not allow it.
    """
    with site.writing() as conn:
        compiled = site.policy(conn)
        ask = _ask(compiled, purpose, by, stops.facts(conn, [purpose]))
        decision = compiled.decide(ask)
        event = events.DECISION_MADE if decision.allowed else events.DECISION_REFUSED
        ledger.append(conn, site.now(), event, ledger.decision_body(ask, decision, compiled.version))
    if not decision.allowed:
        raise Refused("Visits may not be read for this.", decision.reason, decision.because)
    return stream(site, compiled, since)


def _ask(compiled: Compiled, purpose: str, by: By, stopped: frozenset[str]) -> Ask:
    fields = frozenset(compiled.policy.visits.records) if compiled.policy.visits else frozenset()
    return Ask(READ_VISITS, purpose, fields | {"time"}, facts=by.facts("") | stopped)


def stream(site: Site, compiled: Compiled, since: datetime | None) -> Iterator[Visit]:
    """The visits after ``since`` that have not expired, oldest first, for whoever was allowed to read or to count them."""
    with site.reading() as conn:
        days = days_present(conn)
    for day in days:
        if start_of(day) + DAY > max(since or start_of(day), cutoff(compiled, site.now())):
            yield from _stream_day(site, compiled, day, since)


def _stream_day(site: Site, compiled: Compiled, day: date, since: datetime | None) -> Iterator[Visit]:
    key = daykeys.keys_of(site, [day]).get(day)
    last: tuple[datetime, str] | None = None
    while key is not None:
        expired = cutoff(compiled, site.now())
        rows = _page(site, day, max(since or expired, expired), last)
        yield from (Visit(row.at, _opened(key, row)) for row in rows)
        if len(rows) < PAGE:
            return
        last = (rows[-1].at, rows[-1].id)


def _page(
    site: Site, day: date, after: datetime, last: tuple[datetime, str] | None
) -> Sequence[Row[datetime, str, bytes]]:
    table = table_of(day)
    query = select(table.c.at, table.c.id, table.c.body).where(table.c.at > after)
    if last is not None:
        query = query.where(tuple_(table.c.at, table.c.id) > last)
    with site.reading() as conn:
        if day not in days_present(conn):
            return []
        return conn.execute(query.order_by(table.c.at, table.c.id).limit(PAGE)).all()


def first_readable(site: Site, compiled: Compiled) -> datetime | None:
    """The instant of the oldest visit that a read would give now, None when there is none; for proofs, which keep nothing.

    Raises:
        Unverifiable: when it does not open.
    """
    first = next(stream(site, compiled, None), None)
    return first.at if first is not None else None


def sample(site: Site, conn: Connection, days: Collection[date], limit: int) -> list[Visit]:
    """The newest ``limit`` visits of each of ``days``, expired or not; for proofs, which keep nothing.

    Raises:
        Unverifiable: when one does not open. A day whose key is destroyed has nothing that anybody could read.
    """
    return [
        Visit(row.at, _opened(key, row))
        for day, key in daykeys.keys_of(site, days).items()
        for row in conn.execute(_newest(day, limit))
    ]


def _newest(day: date, limit: int) -> Select[datetime, str, bytes]:
    table = table_of(day)
    return select(table.c.at, table.c.id, table.c.body).order_by(table.c.at.desc()).limit(limit)


def _opened(key: bytes, row: Row[datetime, str, bytes]) -> dict[str, str]:
    try:
        plain = AESGCM(key).decrypt(row.body[:_NONCE], row.body[_NONCE:], row.id.encode())
    except (InvalidTag, ValueError):
        raise Unverifiable("A visit does not open: it was altered.", "Compare the database with a backup.") from None
    opened: dict[str, str] = json.loads(plain)
    return opened
