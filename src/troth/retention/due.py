"""What ends, as SQL: a set of holdings and the order in which they go. For a clock, also the instant its period counts from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
    and_,
    case,
    func,
    not_,
    select,
)

from troth.people.dealings import LOG_IN
from troth.people.tables import dealing, holding, person, shape
from troth.policy.clocks import Clock
from troth.policy.compile import Compiled
from troth.retention.clocks import Shape
from troth.store.prepared import Prepared

Until = datetime | BindParameter[datetime]


def shapes(conn: Connection) -> tuple[Shape, ...]:
    """Every shape there is; there are as many as ways of filling in the forms, so a few dozen."""
    return tuple(_shape(*row) for row in _SHAPES.rows(conn))


@lru_cache(maxsize=1024)
def _shape(id_: int, point: str, fields: str) -> Shape:
    return Shape(id_, point, frozenset(fields.split()))


_SHAPES = Prepared(select(shape.c.id, shape.c.point, shape.c.fields).order_by(shape.c.id))


@dataclass(frozen=True)
class Scope:
    """Holdings that end together: the rows of ``source`` that meet ``where``, in the order of ``event``."""

    source: FromClause
    where: ColumnElement[bool]
    event: ColumnElement[Any]
    by_people: bool = False  # few people and all that is theirs, so that the index on people should serve

    def select(self, *columns: ColumnElement[Any], shape_ids: Collection[int] | None = None) -> Select[Any]:
        """``columns`` of these holdings, or of those among them with one of ``shape_ids``."""
        query = select(*columns).select_from(self.source).where(self.where)
        if shape_ids is None:
            return query
        ids = sorted(shape_ids)
        if self.by_people:  # a sum is in no index
            return query.where((holding.c.shape_id + 0).in_(ids))
        return query.where(holding.c.shape_id == ids[0] if len(ids) == 1 else holding.c.shape_id.in_(ids))


def of_person(person_id: str, shape_ids: Collection[int] | None = None) -> Scope:
    """All that is held about a person, or what of it has one of these shapes; but for what a hold keeps already."""
    mine = and_(holding.c.person_id == person_id, holding.c.only_for.is_(None))
    if shape_ids is not None:
        mine = and_(mine, (holding.c.shape_id + 0).in_(sorted(shape_ids)))
    return Scope(holding, mine, holding.c.at, by_people=True)


def of_clock(compiled: Compiled, clock: Clock, until: Until) -> Scope:
    """What ``clock`` rules and whose event lies at or before ``until``.

    What a hold keeps is left to the hold; an archive ends its own. Shapes are chosen when it is selected.
    """
    return of_kinds(frozenset(compiled.policy.people), clock, until)


def of_kinds(kinds: Collection[str], clock: Clock, until: Until) -> Scope:
    """As ``of_clock``, where ``kinds`` are all the kinds of people there are: what a remembered statement is made of."""
    source, event = counted_from(clock, holding)
    where = [event <= until]
    if not clock.archive:
        where.append(holding.c.only_for.is_(None))
    if clock.after == "relationship ends":
        where.append(person.c.kind.in_(sorted(kinds)))
        if not clock.archive:
            where.append(person.c.state == "active")
    return Scope(source, and_(*where), event, by_people=clock.after != "collection")


def counted_from(clock: Clock, rows: Table) -> tuple[FromClause, ColumnElement[Any]]:
    """The event that ``clock`` counts from, for each of ``rows`` (holdings, quarantined or not), and where it is found."""
    if clock.after == "collection":
        return rows, rows.c.at
    if clock.after == "relationship ends":
        return rows.join(person, person.c.id == rows.c.person_id), person.c.relationship_ends_at
    latest = (
        select(dealing.c.person_id, _EVENTS[clock.after].label("at"))
        .where(_KINDS.get(clock.after, dealing.c.kind.is_not(None)))
        .group_by(dealing.c.person_id)
        .having(_HAVING.get(clock.after, func.count() > 0))
        .subquery("latest")
    )
    joined = rows.join(latest, latest.c.person_id == rows.c.person_id, isouter=clock.after == "last contact")
    if clock.after == "last contact":  # handing in data is a contact, too
        return joined, case((latest.c.at > rows.c.at, latest.c.at), else_=rows.c.at)
    return joined, latest.c.at


_EVENTS: dict[str, ColumnElement[Any]] = {
    "request": func.max(dealing.c.at),
    "account closed": func.max(dealing.c.closed_at),
    "last contact": func.max(
        case((dealing.c.kind == "registration", dealing.c.at), else_=func.coalesce(dealing.c.closed_at, dealing.c.at))
    ),  # whoever closes an account leaves, and is in contact no more
}
_KINDS: dict[str, ColumnElement[bool]] = {
    "request": dealing.c.kind == "request",
    "account closed": dealing.c.kind == "registration",
    "last contact": dealing.c.kind != LOG_IN,  # somebody who looks at their account is in contact with nobody
}
_HAVING: dict[str, ColumnElement[bool]] = {
    "account closed": not_(func.count() > func.count(dealing.c.closed_at)),  # every account of theirs
}
