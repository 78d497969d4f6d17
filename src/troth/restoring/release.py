"""A site that was put back keeps quiet until somebody has seen what would leave it.

What could go wrong: an old copy does not know what was said since, so it says it again: a campaign twice, a delivery twice, a
reminder of what is long settled. So while a restoration is not released no job runs by which something leaves (``work``). What
waits is listed by kind; staff release it, or drop kinds of it that may have been said already.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, case, func, select, update

from troth.agenda.tables import job
from troth.errors import Refused
from troth.ledger import heads
from troth.ledger.restored import release as released
from troth.ledger.restored import silenced, unfinished
from troth.store.site import Site
from troth.work import HANDLERS, STAYING


@dataclass(frozen=True, slots=True)
class Held:
    """Jobs of one kind that wait: how many, the oldest, and how many of them are due now."""

    kind: str
    count: int
    due: int
    oldest: datetime


def waiting(site: Site) -> list[Held]:
    """What would leave the site after a release, by kind."""
    due = func.sum(case((job.c.due_at <= site.now(), 1), else_=0))
    query = select(job.c.kind, func.count(), due, func.min(job.c.due_at)).where(_open(set(HANDLERS) - STAYING))
    with site.reading() as conn:
        rows = conn.execute(query.group_by(job.c.kind).order_by(job.c.kind)).all()
    return [Held(kind, count, int(now), oldest) for kind, count, now, oldest in rows]


def _open(kinds: Collection[str]) -> ColumnElement[bool]:
    return and_(job.c.done_at.is_(None), job.c.kind.in_(sorted(kinds)))


def release(site: Site, by: str, drop: Collection[str] = ()) -> int:
    """Let what waits leave, but for the jobs of the kinds in ``drop``, which are done with; how many were dropped.

    Raises:
        Refused: when nothing is held back, when a kind is unknown, or while the stores are not what was sealed.
    """
    unknown = sorted(set(drop) - (set(HANDLERS) - STAYING))
    if unknown:
        raise Refused(f"Nothing of the kind `{unknown[0]}` leaves a site.", "`troth restore release` lists what waits.")
    with site.reading() as conn:
        begun = unfinished(conn)
    if begun is not None:
        hint = "Run `troth ledger restored` again, which goes on with it."
        raise Refused("A store was put back, and what was done in between is not all done again.", hint)
    problem = heads.look(site)
    if problem is not None:
        raise Refused(problem.words, heads.HINT)
    with site.writing() as conn:
        if not silenced(conn):
            raise Refused("Nothing is held back: no store was put back since the last release.")
        dropped = _dropped(conn, site.now(), drop)
        released(site, conn, by)
    return dropped


def _dropped(conn: Connection, now: datetime, kinds: Collection[str]) -> int:
    if not kinds:
        return 0
    gone = {"done_at": now, "lease_until": None, "problem": "dropped after a restore"}
    return conn.execute(update(job).where(_open(kinds)).values(**gone)).rowcount
