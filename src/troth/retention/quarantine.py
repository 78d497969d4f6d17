"""Into quarantine and back: rows change tables inside one transaction, so that they are always in exactly one.

This module and ``destroy`` are the only ones that speak of the quarantine; a test holds every other part of Troth away from it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Select,
    String,
    Update,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)

from troth.people.tables import holding, person, quarantined, shape
from troth.retention.tables import departure, ending
from troth.store.insert import insert_for
from troth.store.prepared import Prepared, among

_COLUMNS = [column.name for column in holding.columns]


def move(conn: Connection, ids: Select[Any], ending_id: str) -> int:
    """Move the holdings that ``ids`` selects into quarantine under an ending; returns how many."""
    moved = _inserted(conn, _entering(holding.c.id.in_(ids), literal(ending_id)))
    if moved:
        _LEAVING.run(conn, {"endings": [ending_id]})
    return moved


def move_each(conn: Connection, goings: Sequence[tuple[str, str, Collection[int] | None]]) -> dict[str, int]:
    """Move what is held of people for any use, or what of it has certain shapes, each person under an ending of their own.

    Args:
        goings: the ending, the person, and the shapes; all when blank.

    Returns:
        How many holdings went by each ending; one by which nothing went is left out.
    """
    whole = [{"made": made, "person_id": one} for made, one, shape_ids in goings if shape_ids is None]
    some = [
        {"made": made, "person_id": one, "shapes": list(shape_ids)}
        for made, one, shape_ids in goings
        if shape_ids is not None
    ]
    if not _ALL_OF.many(conn, whole) + _SOME_OF.many(conn, some):
        return {}
    endings = {"endings": [made for made, _, _ in goings]}
    _LEAVING.run(conn, endings)
    return dict(_COUNTED.rows(conn, endings))


def _entering(which: ColumnElement[bool], ending: ColumnElement[Any]) -> Insert:
    return insert(quarantined).from_select([*_COLUMNS, "ending_id"], select(*holding.columns, ending).where(which))


_MADE = bindparam("made", type_=String())
_LEAVING = Prepared(
    delete(holding).where(holding.c.id.in_(select(quarantined.c.id).where(among(quarantined.c.ending_id, "endings"))))
)
_COUNTED = Prepared(
    select(quarantined.c.ending_id, func.count())
    .where(among(quarantined.c.ending_id, "endings"))
    .group_by(quarantined.c.ending_id)
)
_THEIRS = and_(holding.c.person_id == bindparam("person_id"), holding.c.only_for.is_(None))
_ALL_OF = Prepared(_entering(_THEIRS, _MADE))
_SOME_OF = Prepared(_entering(and_(_THEIRS, among(holding.c.shape_id + 0, "shapes")), _MADE))  # a sum is in no index


def _inserted(conn: Connection, statement: Insert) -> int:
    return conn.execute(statement, execution_options={"preserve_rowcount": True}).rowcount


def move_back(conn: Connection, which: ColumnElement[bool], only_for: str | None = None) -> int:
    """Move the quarantined holdings that meet ``which`` back, for any purpose or ``only_for`` those; returns how many."""
    values = [literal(only_for) if name == "only_for" else quarantined.c[name] for name in _COLUMNS]
    back = _inserted(conn, insert(holding).from_select(_COLUMNS, select(*values).where(which)))
    conn.execute(delete(quarantined).where(which))
    return back


def depart(conn: Connection, ending_id: str, who: ColumnElement[bool], deadline: datetime) -> int:
    """Take those people who meet ``who`` out of every use of whom nothing is left but what holds keep; returns how many.

    Nobody finds them any more. ``held`` are those of whom a hold keeps something; the rest wait for their destruction.
    Whoever was leaving by a later deadline, with nothing in quarantine that could still come back, leaves with this ending.
    """
    later = select(ending.c.id).where(ending.c.state == "quarantined", ending.c.destroy_by > deadline)
    waits = exists().where(quarantined.c.person_id == departure.c.person_id, quarantined.c.ending_id != ending_id)
    mine = departure.c.person_id.in_(select(person.c.id).where(who, _OVER))
    forward = update(departure).where(mine, departure.c.ending_id.in_(later), ~waits.correlate(departure))
    conn.execute(forward.values(ending_id=ending_id))
    conn.execute(_departing(conn.dialect.name, who, literal(ending_id)))
    return conn.execute(_out_of_use(who)).rowcount


def depart_each(conn: Connection, goings: Sequence[tuple[str, str]]) -> int:
    """As ``depart``, of people who go each by an ending of their own: the ending and the person."""
    _EACH_DEPARTING.many(conn, [{"made": made, "person_id": one} for made, one in goings])
    return _EACH_OUT_OF_USE.run(conn, {"ids": [one for _, one in goings]}) if goings else 0


_LEFT = exists().where(holding.c.person_id == person.c.id).correlate(person)
_FREE = exists().where(holding.c.person_id == person.c.id, holding.c.only_for.is_(None)).correlate(person)
_OVER = or_(and_(person.c.state == "active", ~_FREE), and_(person.c.state == "held", ~_LEFT))


def _departing(dialect: str, who: ColumnElement[bool], made: ColumnElement[Any]) -> Insert:
    going = select(person.c.id, made, person.c.only_for).where(who, _OVER)
    new = insert_for(dialect, departure).from_select(["person_id", "ending_id", "only_for"], going)
    return new.on_conflict_do_nothing()


def _out_of_use(who: ColumnElement[bool]) -> Update:
    state = case((_LEFT, "held"), else_="quarantined")
    gone = person.c.id.in_(select(departure.c.person_id))
    return update(person).where(who, _OVER, gone).values(state=state, only_for=_purposes())


_SPACE: Any = literal_column("' '")
"""not bound: what is compiled once has no place for what SQLAlchemy writes into a statement at the last moment"""


def _purposes() -> ColumnElement[Any]:
    each = (
        select(holding.c.only_for)
        .where(holding.c.person_id == person.c.id)
        .distinct()
        .correlate(person)
        .subquery("each")
    )
    return select(func.aggregate_strings(each.c.only_for, _SPACE)).scalar_subquery()


_EACH_DEPARTING = Prepared(lambda dialect: _departing(dialect, person.c.id == bindparam("person_id"), _MADE))
_EACH_OUT_OF_USE = Prepared(_out_of_use(among(person.c.id, "ids")))


def in_ending(ending_id: str) -> ColumnElement[bool]:
    """The condition on ``person`` that something of theirs is quarantined under this ending."""
    return person.c.id.in_(select(quarantined.c.person_id).where(quarantined.c.ending_id == ending_id))


def fields_in(conn: Connection, ending_id: str) -> frozenset[str]:
    """The fields of which something is quarantined under an ending; their names alone."""
    of_shape = shape.c.id == quarantined.c.shape_id
    written = select(shape.c.fields).join(quarantined, of_shape).where(quarantined.c.ending_id == ending_id)
    return frozenset(name for fields in conn.scalars(written.distinct()) for name in fields.split())
