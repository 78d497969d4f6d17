"""Confirmations of what came in: one message for an event of a point whose policy has a class of them, once and for ever."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, func, select

from troth.ids import new_id
from troth.messages.actions import queue
from troth.messages.rules import confirmations
from troth.messages.tables import message
from troth.people.tables import dealing
from troth.policy.compile import Compiled
from troth.policy.notice.language import Speaker
from troth.policy.notice.language import language as words_of
from troth.store.schema import Instant
from troth.store.site import Site

CONFIRMED_WITHIN = timedelta(days=2)
"""After that a confirmation confirms nothing, and events that were taken over from elsewhere bring none."""


def queue_confirmations(site: Site, ref: str | None = None, limit: int = 500) -> int:
    """Queue the confirmations that are owed: one for each event whose point has such a message class, once and for ever.

    Found by a query over events without a message, so that a crash loses none; one that may not be sent has its row as well.
    ``ref`` (``point:key``) narrows it to one event. Returns how many were queued.
    """
    with site.reading() as conn:
        compiled = site.policy(conn)
        if not _owed(site, conn, compiled, ref, limit=1):
            return 0
    with site.writing() as conn:
        owed = _owed(site, conn, compiled, ref, limit)
        return sum(_queued(site, conn, compiled, row, name, point) for row, name, point in owed)


def _owed(
    site: Site, conn: Connection, compiled: Compiled, ref: str | None, limit: int
) -> list[tuple[Row[Any], str, str]]:
    """The events without a confirmation, each with the class of the message and the point."""
    since = site.now() - CONFIRMED_WITHIN
    values = {"since": since, "first_id": new_id(since)[:10], "ref": ref, "limit": limit}
    return [
        (row, name, point)
        for point in compiled.policy.collection
        for name in confirmations(compiled.policy, point)
        for row in conn.execute(_statement(point, name, ref is not None), values)
    ]


@lru_cache(maxsize=256)
def _statement(point: str, name: str, of_ref: bool) -> Select[Any]:
    """Events of ``point`` without a message of the class ``name``; two dealings of one submission are one event.

    A dealing's id begins with the time it was made, so that the index on ids leads straight to the recent ones.
    """
    recent = and_(dealing.c.at >= bindparam("since", type_=Instant()), dealing.c.id >= bindparam("first_id"))
    mine = dealing.c.ref.startswith(f"{point}:", autoescape=True)
    events_ = (
        select(dealing.c.person_id, func.min(dealing.c.id).label("event"), func.min(dealing.c.at).label("at"))
        .where(recent, mine, *((dealing.c.ref == bindparam("ref"),) if of_ref else ()))
        .group_by(dealing.c.ref, dealing.c.person_id)
        .subquery("happened")
    )
    answered = select(message.c.id).where(message.c.key == f"confirm:{name}:" + events_.c.event).exists()
    return select(events_).where(~answered).order_by(events_.c.event.desc()).limit(bindparam("limit"))


def _queued(site: Site, conn: Connection, compiled: Compiled, row: Row[Any], name: str, point: str) -> bool:
    speaker = Speaker(compiled.policy, words_of(compiled.policy.policy.languages[0]))
    what = speaker.text(compiled.policy.collection[point].label)
    terms = {"language": speaker.words.tag, "what": what, "number": row.event, "day": speaker.date(row.at.date())}
    terms |= {"notice": site.wiring.base_url.rstrip("/") + "/"}
    key = f"confirm:{name}:{row.event}"
    return queue(site, conn, row.person_id, name, "confirmation", terms, key, final=True)
