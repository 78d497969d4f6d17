"""What a hold keeps when everything else about a person goes, as SQL: which holdings, and for what they may still be read.

A hold names a person and fields. A holding is *kept* when an active hold of its person names one of its fields; holdings that a
hold names in part are parted first, so that nothing stays that no hold names. A kept holding is marked with the purposes of its
holds (``only_for``) when its person's data ends, and with its mark it stays out of every other use.

An archive (a clock that says so) keeps by holds, too: they are made here, set by set, when something else ends its data.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, false, func, insert, literal, or_, select, update

from troth import ledger
from troth.ids import new_id
from troth.ledger import events
from troth.people.tables import holding
from troth.policy.clocks import Clock
from troth.policy.compile import Compiled
from troth.retention.clocks import Shape
from troth.retention.due import Scope, combined, event_of, shapes
from troth.retention.split import split
from troth.retention.tables import hold
from troth.store.prepared import Prepared
from troth.store.schema import Instant
from troth.store.site import Site

POLICY = "policy"
"""The approver of the holds that an archive makes by itself."""


@dataclass(frozen=True)
class Named:
    """What the holds on one ground name: ``fields``, or everything when blank; an archive only where its clock rules."""

    ground: str
    fields: str
    archive: Clock | None = None

    def of(self, shape: Shape) -> frozenset[str]:
        """The fields of ``shape`` that these holds keep."""
        names = frozenset(self.fields.split()) or shape.fields
        if self.archive is None:
            return shape.fields & names
        return frozenset(f for f in shape.fields & names if (shape.point, f) in self.archive.covers)


@dataclass(frozen=True)
class Kept:
    """What active holds keep, and in which shapes."""

    now: datetime | None
    """blank in statements that are remembered: they are given it as ``now``"""
    named: tuple[tuple[Named, frozenset[int]], ...]

    def of_shape(self, shape_id: int) -> Kept | None:
        """The same for holdings of one shape alone, for a statement to be remembered; None when nothing is kept of it."""
        named = tuple((one, frozenset({shape_id})) for one, ids in self.named if shape_id in ids)
        return Kept(None, named) if named else None

    def holds(self) -> ColumnElement[bool]:
        """The condition on ``hold`` that it keeps the holding beside it."""
        each = [
            and_(hold.c.ground == one.ground, hold.c.fields == one.fields, holding.c.shape_id.in_(sorted(ids)))
            for one, ids in self.named
        ]
        return and_(hold.c.person_id == holding.c.person_id, active(self.now), or_(false(), *each))

    def condition(self) -> ColumnElement[bool]:
        """The condition on ``holding`` that a hold keeps it."""
        return select(hold.c.id).where(self.holds()).correlate(holding).exists() if self.named else false()


def active(now: datetime | None) -> ColumnElement[bool]:
    """The condition on ``hold`` that it is in force at ``now``, or at the statement's own ``now``."""
    at = bindparam("now", type_=Instant()) if now is None else literal(now, Instant())
    return and_(hold.c.released_at.is_(None), hold.c.ends_at > at)


def kept(conn: Connection, compiled: Compiled, now: datetime, but: str = "") -> Kept:
    """What holds keep now, those on the ground ``but`` left out."""
    archives = {clock.id: clock for clock in compiled.clocks if clock.archive}
    found = _NAMED.rows(conn, {"now": now, "but": but})
    named = [Named(ground, fields, archives.get(ground)) for ground, fields in found]
    known = shapes(conn) if named else ()
    touched = ((one, frozenset(shape.id for shape in known if one.of(shape))) for one in named)
    return Kept(now, tuple((one, ids) for one, ids in touched if ids))


_NAMED = Prepared(
    select(hold.c.ground, hold.c.fields).where(active(None), hold.c.ground != bindparam("but")).distinct()
)


def anything_kept(conn: Connection, compiled: Compiled, now: datetime) -> bool:
    """Whether there is an archive or an active hold at all, so that something of whatever ends may have to be kept apart."""
    return any(clock.archive for clock in compiled.clocks) or bool(_NAMED.rows(conn, {"now": now, "but": ""}))


def keep_apart(site: Site, conn: Connection, scope: Scope, compiled: Compiled, now: datetime, batch: int) -> bool:
    """Before ``scope`` ends: make the holds of archives, part what is kept in part, and mark what is kept.

    Returns whether there may be more: an archive makes at most ``batch`` holds at a time.
    """
    archives = [clock for clock in compiled.clocks if clock.archive]
    full = [_archive(conn, scope, clock, compiled, now, batch) == batch for clock in archives]
    held = kept(conn, compiled, now)
    if held.named:
        _part(site, conn, scope, held)
        held = kept(conn, compiled, now)
        mark(conn, and_(holding.c.id.in_(scope.select(holding.c.id)), held.condition()), held)
    return any(full)


def _archive(conn: Connection, scope: Scope, clock: Clock, compiled: Compiled, now: datetime, batch: int) -> int:
    touched = [
        shape.id for shape in shapes(conn) if any((shape.point, field) in clock.covers for field in shape.fields)
    ]
    if not touched:
        return 0
    event = func.max(begun(clock, now))
    query = scope.select(holding.c.person_id, event.label("event"), shape_ids=touched).group_by(holding.c.person_id)
    alive = query.having(event > clock.cutoff(now)).order_by(holding.c.person_id).limit(batch)
    rows = [_hold(row.person_id, clock, compiled, clock.end(row.event), now) for row in conn.execute(alive)]
    if rows:
        conn.execute(insert(hold), rows)
        ledger.append(conn, now, events.HOLD_MADE, _held(clock, rows))
    return len(rows)


def begun(clock: Clock, now: datetime) -> ColumnElement[Any]:
    """When the period of an archive begins for each holding: with its event, or now while that has not come."""
    event = combined([event_of(word, holding) for word in clock.after], later=clock.later)
    return holding.c.at if clock.by_age else func.coalesce(event, literal(now, Instant()))


def _held(clock: Clock, rows: Sequence[Mapping[str, object]]) -> dict[str, object]:
    holds = {str(row["id"]): row["person_id"] for row in rows}
    return {"ground": clock.id, "approver": POLICY, "count": len(rows), "holds": holds}


def _hold(person_id: str, clock: Clock, compiled: Compiled, ends_at: datetime, now: datetime) -> dict[str, object]:
    entry = compiled.policy.retention[clock.id]
    row = {"id": new_id(now), "person_id": person_id, "fields": fields_of({field for _, field in clock.covers})}
    row |= {
        "ground": clock.id,
        "reason": entry.because or clock.id,
        "purpose": " ".join(entry.for_),
        "approver": POLICY,
    }
    return {**row, "made_at": now, "ends_at": ends_at}


def _part(site: Site, conn: Connection, scope: Scope, held: Kept) -> None:
    for one, _ in held.named:
        theirs = and_(hold.c.person_id == holding.c.person_id, active(held.now))
        mine = and_(theirs, hold.c.ground == one.ground, hold.c.fields == one.fields)
        for shape in shapes(conn):
            if one.of(shape) and one.of(shape) != shape.fields:
                ids = scope.select(holding.c.id, shape_ids=[shape.id])
                split(site, conn, ids.where(select(hold.c.id).where(mine).correlate(holding).exists()), one.of(shape))


def mark(conn: Connection, which: ColumnElement[bool], held: Kept) -> int:
    """Set what kept holdings may still be read for: the purposes of the holds that keep them, and nothing else."""
    each = select(hold.c.purpose).where(held.holds()).distinct().correlate(holding).subquery("each")
    purposes = select(func.aggregate_strings(each.c.purpose, " ")).scalar_subquery()
    return conn.execute(update(holding).where(which).values(only_for=func.coalesce(purposes, ""))).rowcount


def fields_of(names: Collection[str]) -> str:
    """How fields are written in a hold: sorted, one space between."""
    return " ".join(sorted(names))
