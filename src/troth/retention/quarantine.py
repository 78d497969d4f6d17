"""Into quarantine and back: rows change tables inside one transaction, so that they are always in exactly one.

This module and ``destroy`` are the only ones that speak of the quarantine; a test holds every other part of Troth away from it.
"""

from __future__ import annotations

from collections.abc import Collection
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
from troth.retention.tables import departure
from troth.store.insert import insert_for
from troth.store.prepared import Prepared, among

_COLUMNS = [column.name for column in holding.columns]


def move(conn: Connection, ids: Select[Any], ending_id: str) -> int:
    """Move the holdings that ``ids`` selects into quarantine under an ending; returns how many."""
    moved = _inserted(conn, _entering(holding.c.id.in_(ids), literal(ending_id)))
    if moved:
        _LEAVING.run(conn, {"made": ending_id})
    return moved


def move_of(conn: Connection, person_id: str, shape_ids: Collection[int] | None, ending_id: str) -> int:
    """As ``move``, of all that is held of a person for any use, or of what of it has one of these shapes."""
    values: dict[str, object] = {"person_id": person_id, "made": ending_id, "shapes": list(shape_ids or ())}
    moved = (_ALL_OF if shape_ids is None else _SOME_OF).run(conn, values)
    if moved:
        _LEAVING.run(conn, {"made": ending_id})
    return moved


def _entering(which: ColumnElement[bool], ending: ColumnElement[Any]) -> Insert:
    return insert(quarantined).from_select([*_COLUMNS, "ending_id"], select(*holding.columns, ending).where(which))


_MADE = bindparam("made", type_=String())
_LEAVING = Prepared(
    delete(holding).where(holding.c.id.in_(select(quarantined.c.id).where(quarantined.c.ending_id == _MADE)))
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


def depart(conn: Connection, ending_id: str, who: ColumnElement[bool]) -> int:
    """Take those people who meet ``who`` out of every use of whom nothing is left but what holds keep; returns how many.

    Nobody finds them any more. ``held`` are those of whom a hold keeps something; the rest wait for their destruction.
    """
    conn.execute(_departing(conn.dialect.name, who, literal(ending_id)))
    return conn.execute(_out_of_use(who)).rowcount


def depart_alone(conn: Connection, ending_id: str, person_id: str) -> int:
    """As ``depart``, of one person."""
    _DEPARTING_ALONE.run(conn, {"person_id": person_id, "made": ending_id})
    return _ALONE_OUT_OF_USE.run(conn, {"person_id": person_id})


_LEFT = exists().where(holding.c.person_id == person.c.id).correlate(person)
_FREE = exists().where(holding.c.person_id == person.c.id, holding.c.only_for.is_(None)).correlate(person)
_OVER = or_(and_(person.c.state == "active", ~_FREE), and_(person.c.state == "held", ~_LEFT))


def _departing(dialect: str, who: ColumnElement[bool], ending: ColumnElement[Any]) -> Insert:
    going = select(person.c.id, ending, person.c.only_for).where(who, _OVER)
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


_ALONE = person.c.id == bindparam("person_id")
_DEPARTING_ALONE = Prepared(lambda dialect: _departing(dialect, _ALONE, _MADE))
_ALONE_OUT_OF_USE = Prepared(_out_of_use(_ALONE))


def in_ending(ending_id: str) -> ColumnElement[bool]:
    """The condition on ``person`` that something of theirs is quarantined under this ending."""
    return person.c.id.in_(select(quarantined.c.person_id).where(quarantined.c.ending_id == ending_id))


def fields_in(conn: Connection, ending_id: str) -> frozenset[str]:
    """The fields of which something is quarantined under an ending; their names alone."""
    of_shape = shape.c.id == quarantined.c.shape_id
    written = select(shape.c.fields).join(quarantined, of_shape).where(quarantined.c.ending_id == ending_id)
    return frozenset(name for fields in conn.scalars(written.distinct()) for name in fields.split())
