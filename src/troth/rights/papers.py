"""What was written in requests, and the log of them: sealed under the key of the day a request arrived.

What could go wrong: a log that is read for something else; one that outlives its promise in a backup; a row that somebody
alters to show that a request never came, or came later. So the log is a table of its own with exactly the fields that the
policy names, and nothing in Troth reads it but the desk; after its time it is refused by the clock, unreadable with the key of
its day, and gone with the next sweep, in this order; and the ledger has the digest of every row, so that one that was changed,
or taken away before its time, is found.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, insert, select, update

from troth import ledger
from troth.ids import new_id
from troth.ledger import events
from troth.ledger.guard import instant
from troth.ledger.restored import lost
from troth.ledger.tables import entry
from troth.people.blind import blind, normal_email
from troth.people.daykeys import DayKeys
from troth.people.sealing import seal, unseal
from troth.rights.rules import Intake
from troth.rights.tables import reply, request, request_key, request_link, request_log, request_paper, request_step
from troth.store.prepared import Prepared
from troth.store.secret import read_ring
from troth.store.site import Site

KEYS = DayKeys(request_key)
PAPER, LOG, STEP = "paper", "log", "step"
MASKS = "masks"
SORTED = "sorted"
"""the step with which staff say what a request is"""
_CHANGE = "change."


class Step(NamedTuple):
    """One thing that happened with a request; ``words`` are what staff recorded, or what came with it, if anything."""

    at: datetime
    act: str
    by: str
    words: str


def _sealed(site: Site, at: datetime, request_id: str, kind: str, values: Mapping[str, str]) -> bytes:
    key = KEYS.keys_for(site, [at.date()])[at.date()]
    return _names(values) + seal(key, request_id, kind, values)


def _opened(site: Site, at: datetime, request_id: str, kind: str, body: bytes) -> dict[str, str]:
    """The values; nothing once the key of their day is destroyed."""
    key = KEYS.keys_of(site, [at.date()]).get(at.date())
    if key is None:
        return {}
    names, _, rest = body.partition(b"\n")
    return unseal(key, request_id, kind, names.decode().split(), rest)


def _names(values: Mapping[str, str]) -> bytes:
    """The names of the values, which are sealed together with them and say nothing: those of the policy and of a paper."""
    return " ".join(sorted(values)).encode() + b"\n"


def keep(site: Site, conn: Connection, request_id: str, at: datetime, intake: Intake) -> None:
    """Keep what was written in a request, in the caller's transaction."""
    given = {"email": intake.email, "name": intake.name, "text": intake.text, "ip": intake.ip}
    given |= {f"{_CHANGE}{field}": value for field, value in intake.changes.items()}
    values = {name: value for name, value in given.items() if value or name.startswith(_CHANGE)}
    row = {"request_id": request_id, "at": at, "mark": mark_of(site, intake.email) if intake.email else None}
    conn.execute(insert(request_paper), row | {"body": _sealed(site, at, request_id, PAPER, values)})


def read(site: Site, conn: Connection, request_id: str, over: datetime) -> dict[str, str]:
    """What was written in a request; nothing when it came at or before ``over``, whether or not it was swept."""
    row = conn.execute(select(request_paper).where(request_paper.c.request_id == request_id)).first()
    if row is None or row.at <= over:
        return {}
    return _opened(site, row.at, request_id, PAPER, row.body)


def add(site: Site, conn: Connection, request_id: str, at: datetime, changes: Mapping[str, str]) -> None:
    """Add corrections that staff read out of a request of the instant ``at`` to its paper, in the caller's transaction."""
    _put(site, conn, request_id, at, {f"{_CHANGE}{field}": value for field, value in changes.items()})


def keep_masks(site: Site, conn: Connection, request_id: str, at: datetime, masks: str) -> None:
    """Add what is left out of the answer to the paper of a request of the instant ``at``, in the caller's transaction."""
    _put(site, conn, request_id, at, {MASKS: masks})


def _put(site: Site, conn: Connection, request_id: str, at: datetime, more: Mapping[str, str]) -> None:
    body = conn.scalar(select(request_paper.c.body).where(request_paper.c.request_id == request_id))
    values = (_opened(site, at, request_id, PAPER, body) if body else {}) | dict(more)
    sealed = _sealed(site, at, request_id, PAPER, values)
    conn.execute(update(request_paper).where(request_paper.c.request_id == request_id).values(body=sealed))


def changes_in(paper: Mapping[str, str]) -> dict[str, str]:
    """The corrections that a paper asks for, by field."""
    return {key.removeprefix(_CHANGE): value for key, value in paper.items() if key.startswith(_CHANGE)}


def mark_of(site: Site, email: str) -> bytes:
    """What stands for an address, to find what came from it before without reading any paper."""
    return blind(read_ring(site).index, "request", normal_email(email.strip()))


def mark_kept(conn: Connection, request_id: str) -> bytes | None:
    """The mark of the address that a request came with, if it came with one and its paper is still kept."""
    return conn.scalar(select(request_paper.c.mark).where(request_paper.c.request_id == request_id))


def came_from(conn: Connection, mark: bytes, since: datetime) -> list[str]:
    """The requests that came from an address since an instant."""
    return [str(row[0]) for row in _FROM.rows(conn, {"mark": mark, "since": since})]


_FROM = Prepared(
    select(request_paper.c.request_id).where(
        request_paper.c.mark == bindparam("mark"),
        request_paper.c.at > bindparam("since", type_=request_paper.c.at.type),
    )
)


def log(site: Site, conn: Connection, entry_id: str, at: datetime, method: str, values: Mapping[str, str]) -> str:
    """Enter a request into the log, in the caller's transaction; the digest that the ledger is to be told."""
    body = _sealed(site, at, entry_id, LOG, values)
    conn.execute(insert(request_log), {"id": entry_id, "at": at, "method": method, "body": body})
    return digest(entry_id, at, method, body)


def digest(entry_id: str, at: datetime, method: str, body: bytes) -> str:
    """SHA-256 of a row of the log, in hexadecimal."""
    return hashlib.sha256(f"{entry_id}\x00{at.isoformat()}\x00{method}\x00".encode() + body).hexdigest()


def logged_as(
    site: Site, conn: Connection, entry_id: str, over: datetime
) -> tuple[datetime, str, dict[str, str]] | None:
    """When and by which method a request was logged, and the fields; None when that was at or before ``over``."""
    row = conn.execute(select(request_log).where(request_log.c.id == entry_id)).first()
    if row is None or row.at <= over:
        return None
    return row.at, row.method, _opened(site, row.at, entry_id, LOG, row.body)


def altered(conn: Connection, since: datetime) -> list[str]:
    """The entries of the log since an instant that are not as they were written, or were taken out.

    A letter is logged under the day it came and not that on which it was entered, and goes by it. What a restoration on record
    lost was not taken out.
    """
    rows = {row.id: row for row in conn.execute(select(request_log).where(request_log.c.at > since))}
    query = select(entry.c.at, entry.c.body).where(entry.c.event == events.REQUEST_RECEIVED, entry.c.at > since)
    told, first = [(row.at, json.loads(row.body)) for row in conn.execute(query)], instant(since)
    # An entry without the day is of a request that was logged as it came in, or of a build that knew no other.
    young = [(at, one) for at, one in told if "received" not in one or one["received"] > first]
    vouched, is_lost = {one["entry"]: one["log"] for _, one in young}, lost(conn)
    wrong = {one for one, row in rows.items() if vouched.get(one) != digest(row.id, row.at, row.method, row.body)}
    return sorted(wrong | ({one["entry"] for at, one in young if not is_lost(at)} - rows.keys()))


def note(site: Site, conn: Connection, request_id: str, arrived: datetime, act: str, by: str, words: str = "") -> str:
    """Record one step of a request that ``arrived`` then, in the caller's transaction; returns the step's id."""
    now = site.now()
    made = new_id(now)
    body = _sealed(site, arrived, made, STEP, {"words": words}) if words else None
    row = {"id": made, "request_id": request_id, "at": now, "act": act, "by": by, "body": body}
    conn.execute(insert(request_step), row)
    return made


def steps(site: Site, conn: Connection, request_id: str, arrived: datetime) -> list[Step]:
    """All that happened with a request, oldest first."""
    query = select(request_step).where(request_step.c.request_id == request_id)
    found = []
    for row in conn.execute(query.order_by(request_step.c.at, request_step.c.id)):
        words = _opened(site, arrived, row.id, STEP, row.body).get("words", "") if row.body else ""
        found.append(Step(row.at, row.act, row.by, words))
    return found


def was_sorted(conn: Connection, request_id: str) -> bool:
    """Whether staff said that a request asks for something else than it came as, as far as its steps are kept."""
    mine = (request_step.c.request_id == request_id) & (request_step.c.act == SORTED)
    return conn.execute(select(request_step.c.id).where(mine).limit(1)).first() is not None


def words_of(site: Site, conn: Connection, step_id: str, arrived: datetime) -> str:
    """What staff recorded with one step; blank when nothing was, or its time is over."""
    body = conn.scalar(select(request_step.c.body).where(request_step.c.id == step_id))
    return _opened(site, arrived, step_id, STEP, body).get("words", "") if body else ""


def sweep(site: Site, over: datetime) -> int:
    """Destroy papers, notes and log entries of ``over`` and before, the keys of the days that are wholly past it, and all else
    that is on record of requests of that time which have ended; how many rows of papers, of the log and of requests.

    Safe to repeat and to interrupt anywhere: rows first, in one transaction, then keys, which are found by their days alone.
    """
    with site.writing() as conn:
        gone = conn.execute(delete(request_log).where(request_log.c.at <= over)).rowcount
        gone += conn.execute(delete(request_paper).where(request_paper.c.at <= over)).rowcount
        conn.execute(delete(request_step).where(request_step.c.at <= over))
    if KEYS.keys_before(site, over.date()):
        KEYS.destroy_keys_before(site, over.date())
    forgotten = _BATCH
    while forgotten == _BATCH:
        forgotten = _forget(site, over)
        gone += forgotten
    return gone


_BATCH = 500
"""requests that a transaction forgets, and that its entry on the ledger names"""


def past(over: datetime) -> ColumnElement[bool]:
    """The condition on a request that nothing may be left of it: it came at ``over`` or before, and has ended."""
    return and_(request.c.at <= over, request.c.closed_at.is_not(None))


def _forget(site: Site, over: datetime) -> int:
    """Destroy what is on record of some requests that are ``past``; how many."""
    with site.writing() as conn:
        ids = list(conn.scalars(select(request.c.id).where(past(over)).order_by(request.c.at).limit(_BATCH)))
        for table in (request_paper, request_step, request_link, reply) if ids else ():
            conn.execute(delete(table).where(table.c.request_id.in_(ids)))
        if ids:
            conn.execute(delete(request).where(request.c.id.in_(ids)))
            ledger.append(conn, site.now(), events.REQUEST_SWEPT, {"gone": ids})
    return len(ids)
