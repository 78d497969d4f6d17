"""Tells whoever sent a request that it stands differently: noticed by a sweep, written down, sent by the agenda.

What could go wrong: a change that nobody hears of because a worker died; the same change told for ever; an older state that
arrives after a newer one; an address that is still called, or a number that is taken again, long after. So a change is
noticed by comparing how a request stands with what its sender was last told, and the jobs that tell it are written in the
transaction that notes the new state; a job whose state is not the last any more has nothing to say; staff hear after a day of
one that does not get through and it is given up after a week; and then the addresses go, and later the whole row, once nobody
could send the same request again.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, case, delete, select, update

from troth import agenda
from troth.agenda import NewJob
from troth.clock import DAY, to_micros
from troth.rights.cases import CLOSED
from troth.rights.protocols import opendsr, tokens
from troth.rights.protocols.tables import protocol_request
from troth.rights.tables import request
from troth.store.site import Site

CALL = "protocol:callback"
ALARM, GIVE_UP = 1 * DAY, 7 * DAY
"""after a change: staff hear that a callback does not get through; it is not tried any more"""
REMEMBERED: timedelta = opendsr.LATE + 10 * DAY
"""from its arrival a request that has ended keeps its number: nobody could send the same again before"""
UNTIED = 1 * DAY
"""a number whose request was never taken in"""
BATCH = 500

_STANDS = case((request.c.outcome == "", request.c.state), else_=request.c.state + " " + request.c.outcome)
_CHANGED = (
    select(protocol_request.c.id, protocol_request.c.callbacks, _STANDS.label("stands"), request.c.state)
    .join(request, request.c.id == protocol_request.c.request_id)
    .where(protocol_request.c.ended_at.is_(None), protocol_request.c.told != _STANDS)
    .order_by(protocol_request.c.id)
    .limit(BATCH)
)


def tell_changes(site: Site) -> int:
    """Note every request that stands differently from what its sender was told, and put on the agenda to tell it."""
    told = 0
    while True:
        with site.reading() as conn:
            changed = conn.execute(_CHANGED).all()
        if not changed:
            return told
        with site.writing() as conn:
            for row in changed:
                note_change(site, conn, row.id, row.callbacks, row.stands, ended=row.state == CLOSED)
        told += len(changed)


def note_change(site: Site, conn: Connection, row_id: str, callbacks: str, stands: str, *, ended: bool) -> None:
    """Note in the caller's transaction how a request stands now, and put its callbacks on the agenda."""
    now = site.now()
    news = (protocol_request.c.id == row_id) & (protocol_request.c.told != stands)
    values: dict[str, Any] = {"told": stands, "told_at": now} | ({"ended_at": now} if ended else {})
    if conn.execute(update(protocol_request).where(news).values(**values)).rowcount == 0:
        return
    refs = [f"{row_id}:{to_micros(now)}:{place}" for place in range(len(json.loads(callbacks)))]
    agenda.put_many(conn, [NewJob(CALL, f"{CALL}:{ref}", ref, now, now + ALARM) for ref in refs], now)


def forget(site: Site) -> int:
    """Drop callback addresses whose time is over, numbers that need no remembering, and tokens that ended; how many."""
    now, over = site.now(), protocol_request.c.ended_at
    dropped = (over <= now - GIVE_UP) & (protocol_request.c.callbacks != "[]")
    gone = (over.is_not(None) & (protocol_request.c.received_at <= now - REMEMBERED)) | (
        protocol_request.c.request_id.is_(None) & (protocol_request.c.received_at <= now - UNTIED)
    )
    with site.reading() as conn:
        if not any(conn.execute(select(protocol_request.c.id).where(one).limit(1)).first() for one in (dropped, gone)):
            return tokens.forget(site)
    with site.writing() as conn:
        conn.execute(update(protocol_request).where(dropped).values(callbacks="[]"))
        count = conn.execute(delete(protocol_request).where(gone)).rowcount
    return count + tokens.forget(site)
