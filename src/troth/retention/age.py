"""Clocks that count from the day a holding came in: what they end is destroyed where it lies, window by window.

Such a clock asks nothing about the person, so that the index on shape and time finds what is due, and a window of it goes in
one statement: no row is copied first, and none is written twice (``docs/decisions/0012`` says what that gives up). Each window
is a transaction of its own that deletes, records why, and takes out of use whoever has nothing left; the next one, or the next
sweep after a crash, goes on behind it. Windows follow the table's own order and are sized by the time they take, so that no
writer on SQLite waits long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Delete,
    Integer,
    and_,
    bindparam,
    delete,
    func,
    not_,
    select,
)

from troth.batches import batches
from troth.clock import from_micros
from troth.ids import new_id
from troth.people.keystore import BATCH
from troth.people.tables import holding, person
from troth.policy.clocks import Clock
from troth.policy.compile import Compiled
from troth.retention.entering import DESTROYED, QUARANTINED, Entered, enter
from troth.retention.keeping import Kept, kept
from troth.retention.pace import Pace
from troth.retention.quarantine import depart
from troth.store.prepared import Prepared
from troth.store.schema import Instant
from troth.store.site import Site

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Window:
    """Holdings of one shape that came in after ``after`` and until ``until``."""

    shape: int
    after: datetime
    until: datetime

    @property
    def values(self) -> dict[str, object]:
        """As the statements below call them."""
        return {"shape": self.shape, "after": self.after, "until": self.until}


def destroy_by_age(
    site: Site,
    compiled: Compiled,
    clock: Clock,
    shape_ids: Collection[int],
    until: datetime,
    now: datetime,
    pace: Pace,
    swept: datetime | None = None,
) -> int:
    """Destroy the holdings of these shapes that came in at or before ``until`` and that no hold keeps; returns how many.

    What has few rows shares a transaction with what comes after it, until there are enough of them. ``swept`` is when a sweep
    last came to its end.
    """
    due, total = deque(_due(site, clock, shape_ids, until)), 0
    while due:
        with pace.timed(), site.writing() as conn:
            rows = pace.rows
            while due and rows > 0:
                whole = due.popleft()
                window = _next(conn, whole, rows)
                gone = _destroy(site, conn, compiled, clock, window, now, swept)
                total, rows = total + gone, rows - gone
                if window.until < until:  # it was full
                    due.appendleft(replace(whole, after=window.until))
                    break
    return total


def _due(site: Site, clock: Clock, shape_ids: Collection[int], until: datetime) -> list[Window]:
    """Of those of ``shape_ids`` of which something came in at or before ``until``, all that did."""
    windows = [Window(one, _BEGINNING, until) for one in sorted(shape_ids)]
    with site.reading() as conn:
        return [one for one in windows if _oldest_in(conn, clock, one) is not None]


def _oldest_in(conn: Connection, clock: Clock, window: Window) -> datetime | None:
    [[at]] = _oldest(clock.archive).rows(conn, window.values)
    return None if at is None else from_micros(at)


def _next(conn: Connection, rest: Window, rows: int) -> Window:
    """The first ``rows`` of what is left, and whatever came in at the same instant as the last of them."""
    last = _LAST.rows(conn, {**rest.values, "skip": rows - 1})
    return replace(rest, until=from_micros(last[0][0])) if last else rest


def _destroy(
    site: Site,
    conn: Connection,
    compiled: Compiled,
    clock: Clock,
    window: Window,
    now: datetime,
    swept: datetime | None,
) -> int:
    held = kept(conn, compiled, now, but=clock.id).of_shape(window.shape)
    oldest = _oldest_in(conn, clock, window)
    if oldest is None:
        return 0
    made = new_id(now)
    perhaps = [person_id for (person_id,) in _alone(clock.archive).rows(conn, window.values)]
    gone = _delete(conn, clock, window, held, now)
    if gone:
        cause, deadline = f"clock:{clock.id}", clock.end(oldest)
        left = sum(depart(conn, made, person.c.id.in_(some), deadline) for some in batches(perhaps, BATCH))
        state = QUARANTINED if left else DESTROYED
        enter(site, conn, [Entered(made, cause, deadline, gone, clock.everywhere, state=state, swept=swept)])
    return gone


def _inside(rows: Any, is_archive: bool) -> ColumnElement[bool]:
    """The condition on ``rows`` (holdings) that they lie in the window and are not left to a hold."""
    after, until = (bindparam(name, type_=Instant()) for name in ("after", "until"))
    lies = and_(rows.c.shape_id == bindparam("shape"), rows.c.at > after, rows.c.at <= until)
    return lies if is_archive else and_(lies, rows.c.only_for.is_(None))


_SKIP: BindParameter[int] = bindparam("skip", type_=Integer())
_LAST = Prepared(select(holding.c.at).where(_inside(holding, True)).order_by(holding.c.at).limit(1).offset(_SKIP))


@lru_cache
def _oldest(is_archive: bool) -> Prepared:
    return Prepared(select(func.min(holding.c.at)).where(_inside(holding, is_archive)))


@lru_cache
def _alone(is_archive: bool) -> Prepared:
    """Whoever in the window has nothing in use outside it; ``depart`` looks again when the window is gone."""
    people = select(holding.c.person_id).where(_inside(holding, is_archive)).distinct().subquery("people")
    other = holding.alias("other")
    free = and_(other.c.person_id == people.c.person_id, other.c.only_for.is_(None), not_(_inside(other, is_archive)))
    return Prepared(select(people.c.person_id).where(~select(other.c.id).where(free).exists()))


def _delete(conn: Connection, clock: Clock, window: Window, held: Kept | None, now: datetime) -> int:
    if held is None:
        return _free_deletion(clock.archive).run(conn, window.values)
    return conn.execute(_deletion(clock.archive, held), {**window.values, "now": now}).rowcount


@lru_cache
def _free_deletion(is_archive: bool) -> Prepared:
    return Prepared(_deletion(is_archive, None))


@lru_cache(maxsize=256)
def _deletion(is_archive: bool, held: Kept | None) -> Delete:
    inside = _inside(holding, is_archive)
    return delete(holding).where(inside if held is None else and_(inside, not_(held.condition())))
