"""Into quarantine and back: rows change tables inside one transaction, so that they are always in exactly one.

This module and ``destroy`` are the only ones that speak of the quarantine; a test holds every other part of Troth away from it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Select,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from troth.people.tables import holding, person, quarantined, shape
from troth.retention.tables import departure
from troth.store.insert import insert_into

_COLUMNS = [column.name for column in holding.columns]


def move(conn: Connection, ids: Select[Any], ending_id: str) -> int:
    """Move the holdings that ``ids`` selects into quarantine under an ending; returns how many."""
    rows = select(*holding.columns, literal(ending_id)).where(holding.c.id.in_(ids))
    moved = _inserted(conn, insert(quarantined).from_select([*_COLUMNS, "ending_id"], rows))
    if moved:
        there = select(quarantined.c.id).where(quarantined.c.ending_id == ending_id)
        conn.execute(delete(holding).where(holding.c.id.in_(there)))
    return moved


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
    left = exists().where(holding.c.person_id == person.c.id).correlate(person)
    free = exists().where(holding.c.person_id == person.c.id, holding.c.only_for.is_(None)).correlate(person)
    over = or_(and_(person.c.state == "active", ~free), and_(person.c.state == "held", ~left))
    going = select(person.c.id, literal(ending_id), person.c.only_for).where(who, over)
    new = insert_into(conn, departure).from_select(["person_id", "ending_id", "only_for"], going)
    conn.execute(new.on_conflict_do_nothing())
    state = case((left, "held"), else_="quarantined")
    gone = select(departure.c.person_id)
    change = update(person).where(who, over, person.c.id.in_(gone)).values(state=state, only_for=_purposes())
    return conn.execute(change).rowcount


def _purposes() -> ColumnElement[Any]:
    each = (
        select(holding.c.only_for)
        .where(holding.c.person_id == person.c.id)
        .distinct()
        .correlate(person)
        .subquery("each")
    )
    return select(func.aggregate_strings(each.c.only_for, " ")).scalar_subquery()


def in_ending(ending_id: str) -> ColumnElement[bool]:
    """The condition on ``person`` that something of theirs is quarantined under this ending."""
    return person.c.id.in_(select(quarantined.c.person_id).where(quarantined.c.ending_id == ending_id))


def fields_in(conn: Connection, ending_id: str) -> frozenset[str]:
    """The fields of which something is quarantined under an ending; their names alone."""
    of_shape = shape.c.id == quarantined.c.shape_id
    written = select(shape.c.fields).join(quarantined, of_shape).where(quarantined.c.ending_id == ending_id)
    return frozenset(name for fields in conn.scalars(written.distinct()) for name in fields.split())
