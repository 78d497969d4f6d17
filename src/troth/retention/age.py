"""Clocks that count from the day a holding came in: what they end is destroyed where it lies, window by window.

Such a clock asks nothing about the person, so that the index on shape and time finds what is due, and a window of it goes in
one statement: no row is copied first, and none is written twice (``docs/decisions/0012`` says what that gives up). Each window
is a transaction of its own that deletes, records why, and takes out of use whoever has nothing left; the next one, or the next
sweep after a crash, goes on behind it. Windows follow the table's own order and are sized by the time they take, so that no
writer on SQLite waits long.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Delete, Select, and_, bindparam, delete, func, not_, select

from troth.ids import new_id
from troth.people.keystore import BATCH as AT_ONCE
from troth.people.tables import holding, person
from troth.policy.clocks import Clock
from troth.policy.compile import Compiled
from troth.retention.ending import DESTROYED, QUARANTINED, enter
from troth.retention.keeping import Kept, kept
from troth.retention.pace import Pace
from troth.retention.quarantine import depart
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
    site: Site, compiled: Compiled, clock: Clock, shape_id: int, until: datetime, now: datetime, pace: Pace
) -> int:
    """Destroy the holdings of a shape that came in at or before ``until`` and that no hold keeps; returns how many."""
    whole, total = Window(shape_id, _BEGINNING, until), 0
    while whole.after < until:
        with pace.timed(), site.writing() as conn:
            window = _next(conn, whole, pace.rows)
            total += _destroy(site, conn, compiled, clock, window, now)
        whole = replace(whole, after=window.until)
    return total


def shapes_due(conn: Connection, clock: Clock, shape_ids: Collection[int], until: datetime) -> list[int]:
    """Those of ``shape_ids`` of which something came in at or before ``until``, in order."""
    look = _oldest(clock.archive)
    windows = [Window(one, _BEGINNING, until) for one in sorted(shape_ids)]
    return [one.shape for one in windows if conn.execute(look, one.values).scalar_one() is not None]


def _next(conn: Connection, rest: Window, rows: int) -> Window:
    """The first ``rows`` of what is left, and whatever came in at the same instant as the last of them."""
    last = conn.execute(_LAST, {**rest.values, "skip": rows - 1}).scalar_one_or_none()
    return rest if last is None else replace(rest, until=last)


def _destroy(site: Site, conn: Connection, compiled: Compiled, clock: Clock, window: Window, now: datetime) -> int:
    held = kept(conn, compiled, now, but=clock.id).of_shape(window.shape)
    oldest = conn.execute(_oldest(clock.archive), window.values).scalar_one()
    if oldest is None:
        return 0
    made = new_id(now)
    perhaps = conn.scalars(_alone(clock.archive), window.values).all()
    gone = conn.execute(_deletion(clock.archive, held), {**window.values, "now": now}).rowcount
    if gone:
        left = sum(depart(conn, made, person.c.id.in_(some)) for some in _batches(perhaps))
        cause, deadline = f"clock:{clock.id}", oldest + clock.keep
        enter(site, conn, made, cause, deadline, gone, clock.everywhere, state=QUARANTINED if left else DESTROYED)
    return gone


def _batches(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE)]


def _inside(rows: Any, is_archive: bool) -> ColumnElement[bool]:
    """The condition on ``rows`` (holdings) that they lie in the window and are not left to a hold."""
    after, until = (bindparam(name, type_=Instant()) for name in ("after", "until"))
    lies = and_(rows.c.shape_id == bindparam("shape"), rows.c.at > after, rows.c.at <= until)
    return lies if is_archive else and_(lies, rows.c.only_for.is_(None))


_LAST = select(holding.c.at).where(_inside(holding, True)).order_by(holding.c.at).limit(1).offset(bindparam("skip"))


@lru_cache
def _oldest(is_archive: bool) -> Select[Any]:
    return select(func.min(holding.c.at)).where(_inside(holding, is_archive))


@lru_cache
def _alone(is_archive: bool) -> Select[Any]:
    """Whoever in the window has nothing in use outside it; ``depart`` looks again when the window is gone."""
    people = select(holding.c.person_id).where(_inside(holding, is_archive)).distinct().subquery("people")
    other = holding.alias("other")
    free = and_(other.c.person_id == people.c.person_id, other.c.only_for.is_(None), not_(_inside(other, is_archive)))
    return select(people.c.person_id).where(~select(other.c.id).where(free).exists())


@lru_cache(maxsize=256)
def _deletion(is_archive: bool, held: Kept | None) -> Delete:
    inside = _inside(holding, is_archive)
    return delete(holding).where(inside if held is None else and_(inside, not_(held.condition())))
