"""Lets a seal commit to the whole store: the sums of the marks of its rows are entered, as a salted digest, before it.

What could go wrong: a table is put back together with its sum, and the next seal commits to that as if nothing had been. So a
sum that is older than what was sealed does not take its place, until somebody has recorded that a store was put back.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from troth.ledger import events
from troth.ledger.actions import append
from troth.ledger.tables import entry
from troth.store.engines import writing
from troth.store.marks.arming import armed
from troth.store.marks.sealing import Kept, commit_to, fold, kept, older, sealed
from troth.store.site import Site

_RESTORED = (events.LEDGER_RESTORED, events.STORE_RESTORED)


def enter_sums(site: Site, conn: Connection) -> None:
    """Enter the sums of both stores in the transaction that seals; nothing when they are as the last seal has them."""
    if not armed(conn):
        return
    fold(conn)
    before, _ = sealed(conn)
    now = [*kept(conn, "data"), *_of_keys(site)]
    kept_back = [] if _put_back_on_record(conn) else older(now, before)
    names = {(one.store, one.name) for one in kept_back}
    sums = sorted([*kept_back, *(one for one in now if (one.store, one.name) not in names)])
    if sums and sums != before:
        append(conn, site.now(), events.STORE_SUMMED, {"digest": commit_to(conn, sums), "tables": len(sums)})


def _of_keys(site: Site) -> list[Kept]:
    with writing(site.keys) as conn:
        fold(conn)
        return kept(conn, "keys")


def _put_back_on_record(conn: Connection) -> bool:
    """Whether it was recorded, since the sums were last entered, that a store was put back."""
    last = select(func.coalesce(func.max(entry.c.id), 0)).where(entry.c.event == events.STORE_SUMMED).scalar_subquery()
    since = select(entry.c.id).where(entry.c.event.in_(_RESTORED), entry.c.id > last).limit(1)
    return conn.execute(since).first() is not None
