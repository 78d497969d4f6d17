"""Lets a seal commit to the whole store: the sums of the marks of its rows are entered, as a salted digest, before it.

What could go wrong: a table is put back together with its sum, and the next seal commits to that as if nothing had been. So a
sum that is older than what was sealed does not take its place, however often the table is changed after that; and where what
was sealed is not what the ledger says any more, nothing takes its place. Either stays until somebody has recorded that a store
was put back, or answers for what was found. The ledger itself is sealed all the same.
"""

from __future__ import annotations

import json
from dataclasses import replace

from sqlalchemy import Connection, func, select

from troth.ledger import events
from troth.ledger.actions import append
from troth.ledger.tables import entry
from troth.store.engines import writing
from troth.store.marks.arming import armed
from troth.store.marks.sealing import Kept, commit_to, digest, fold, kept, older, prune, sealed
from troth.store.prepare import newest
from troth.store.site import Site

STUCK_TURNS = 2**62
"""a count of turns that no real sum reaches, so that the table goes on being reported as older"""
_SUMMED = select(func.max(entry.c.id)).where(entry.c.event == events.STORE_SUMMED)
_LAST_SUMMED = select(entry.c.body).where(entry.c.id == _SUMMED.scalar_subquery())
_RESTORED = (events.LEDGER_RESTORED, events.STORE_RESTORED)


def enter_sums(site: Site, conn: Connection) -> None:
    """Enter the sums of both stores in the transaction that seals; nothing when they are as the last seal has them."""
    if not armed(conn):
        return
    fold(conn)
    before, salt = sealed(conn)
    on_record = _put_back_on_record(conn) or _answered_for(conn, digest(before, salt))
    if not (on_record or as_sealed(conn)):
        return
    now = [*kept(conn, "data"), *_of_keys(site)]
    kept_back = [] if on_record else [replace(one, turns=STUCK_TURNS) for one in older(now, before)]
    names = {(one.store, one.name) for one in kept_back}
    gone = {("data", name) for name in prune(conn)}
    sums = sorted([*kept_back, *(one for one in now if (one.store, one.name) not in names | gone)])
    if sums and (sums != before or not as_sealed(conn)):
        body = {"digest": commit_to(conn, sums), "tables": len(sums), "schema": _schema()}
        append(conn, site.now(), events.STORE_SUMMED, body)


def as_sealed(conn: Connection) -> bool:
    """Whether the sums that the last seal committed to are still those of which the ledger has the digest."""
    before, salt = sealed(conn)
    said = conn.scalar(_LAST_SUMMED)
    return (json.loads(said).get("digest") if said else None) == (digest(before, salt) if before else None)


def sums_found(conn: Connection) -> str:
    """A digest of the sums of the last seal as they are kept now, for whoever answers for them."""
    return digest(*sealed(conn))


def _answered_for(conn: Connection, found: str) -> bool:
    """Whether somebody answered, since the sums were last entered, for those that are kept now."""
    summed = conn.scalar(_SUMMED) or 0
    bodies = conn.scalars(select(entry.c.body).where(entry.c.event == events.STORE_ACCEPTED, entry.c.id > summed))
    return any(json.loads(body).get("sums") == found for body in bodies)


def _schema() -> dict[str, str]:
    """The last migration of each store, by which a store that is wound back is known."""
    return {store: ",".join(newest(store)) for store in ("data", "keys")}


def _of_keys(site: Site) -> list[Kept]:
    with writing(site.keys) as conn:
        fold(conn)
        return kept(conn, "keys")


def _put_back_on_record(conn: Connection) -> bool:
    """Whether it was recorded, since the sums were last entered, that a store was put back."""
    put_back = conn.scalar(select(func.max(entry.c.id)).where(entry.c.event.in_(_RESTORED)))
    if put_back is None:
        return False
    summed = conn.scalar(_SUMMED)
    return summed is None or summed < put_back
