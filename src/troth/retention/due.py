"""What ends, as SQL: a set of holdings and the order in which they go. For a clock, also the instant its period counts from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Subquery,
    Table,
    and_,
    case,
    func,
    literal,
    not_,
    select,
    type_coerce,
)

from troth.consent.unsubscribed import said_no_at, since
from troth.people.dealings import LOG_IN
from troth.people.tables import dealing, happening, holding, person, shape
from troth.policy.clocks import Clock
from troth.policy.compile import Compiled
from troth.policy.happenings import (
    ACCOUNT_CLOSED,
    COLLECTION,
    LANGUAGE,
    LAST_CONTACT,
    ORDER,
    RELATIONSHIP_ENDS,
    REQUEST,
    withdrawn,
)
from troth.retention.clocks import Shape
from troth.store.functions import NEVER, Greatest, Least
from troth.store.prepared import Prepared
from troth.store.schema import Instant

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
    if clock.by_business:
        where.append(person.c.kind.in_(sorted(kinds)))
        if not clock.archive:
            where.append(person.c.state == "active")
    if len(clock.after) > 1:
        return _of_several(clock, until, Scope(source, and_(*where), event))
    return Scope(source, and_(*where), event, by_people=not clock.by_age)


def _of_several(clock: Clock, until: Until, scope: Scope) -> Scope:
    """``scope`` with what an index can serve: all of them must have come where the last one counts, so that one leads to few
    people; where the first one counts, what the clock rules is found by its shapes."""
    if not clock.later:
        return scope
    for word in clock.after:
        if word not in LANGUAGE and withdrawn(word) is None:
            came = select(happening.c.person_id).where(happening.c.event == word, happening.c.at <= until)
            return replace(scope, where=scope.where & holding.c.person_id.in_(came), by_people=True)
    return replace(scope, where=scope.where & (holding.c.at <= until)) if COLLECTION in clock.after else scope


def counted_from(clock: Clock, rows: Table) -> tuple[FromClause, ColumnElement[Any]]:
    """The event that ``clock`` counts from, for each of ``rows`` (holdings, quarantined or not), and where it is found.

    Of one event all are found together; of several each is asked of the person of the row, by the index on people.
    """
    if len(clock.after) > 1:
        return rows, combined([event_of(word, rows) for word in clock.after], later=clock.later)
    [word] = clock.after
    if word == COLLECTION:
        return rows, rows.c.at
    if word == RELATIONSHIP_ENDS:
        return rows.join(person, person.c.id == rows.c.person_id), person.c.relationship_ends_at
    latest = _latest(word)
    joined = rows.join(latest, latest.c.person_id == rows.c.person_id, isouter=word == LAST_CONTACT)
    if word == LAST_CONTACT:  # handing in data is a contact, too
        return joined, case((latest.c.at > rows.c.at, latest.c.at), else_=rows.c.at)
    return joined, latest.c.at


def _latest(word: str) -> Subquery:
    """``person_id`` and ``at`` of everybody to whom an event happened, and when it did so last."""
    purpose = withdrawn(word)
    if purpose is not None:
        return since([purpose])
    if word not in _EVENTS:
        found = select(happening.c.person_id, func.max(happening.c.at).label("at")).where(happening.c.event == word)
        return found.group_by(happening.c.person_id).subquery("latest")
    return (
        select(dealing.c.person_id, _EVENTS[word].label("at"))
        .where(_KINDS[word])
        .group_by(dealing.c.person_id)
        .having(_HAVING.get(word, func.count() > 0))
        .subquery("latest")
    )


def event_of(word: str, rows: FromClause) -> ColumnElement[Any]:
    """When the event ``word`` happened to the person of each of ``rows``; null when it did not."""
    theirs, purpose = rows.c.person_id, withdrawn(word)
    if word == COLLECTION:
        return rows.c.at
    if word == RELATIONSHIP_ENDS:
        return select(person.c.relationship_ends_at).where(person.c.id == theirs).scalar_subquery()
    if purpose is not None:
        return said_no_at(purpose, theirs)
    if word not in _EVENTS:
        found = select(func.max(happening.c.at)).where(happening.c.person_id == theirs, happening.c.event == word)
        return found.scalar_subquery()
    found = select(_EVENTS[word]).where(dealing.c.person_id == theirs, _KINDS[word])
    if word in _HAVING:
        found = found.having(_HAVING[word])
    asked = found.scalar_subquery()
    return combined([asked, rows.c.at], later=True, of_those_there=True) if word == LAST_CONTACT else asked


def happened(conn: Connection, compiled: Compiled, person_id: str) -> dict[str, datetime | None]:
    """When what the clocks count from happened to one person, but for what each record has of its own."""
    words = sorted({word for clock in compiled.clocks for word in clock.after} - {COLLECTION, LAST_CONTACT})
    if not words:
        return {}
    one = select(literal(person_id).label("person_id")).subquery("one")
    found = conn.execute(select(*(type_coerce(event_of(word, one), Instant) for word in words)).select_from(one)).one()
    return dict(zip(words, found, strict=True))


def combined(events: Sequence[ColumnElement[Any]], *, later: bool, of_those_there: bool = False) -> ColumnElement[Any]:
    """The first of several instants, or with ``later`` the last, which is null while one is missing, unless only
    ``of_those_there``."""
    if len(events) == 1:
        return events[0]
    missing = literal(0 if of_those_there else NEVER, BigInteger)
    each = [func.coalesce(type_coerce(one, BigInteger), missing) for one in events]
    return type_coerce(func.nullif(Greatest(*each) if later else Least(*each), missing), Instant)


_EVENTS: dict[str, ColumnElement[Any]] = {
    REQUEST: func.max(dealing.c.at),
    ORDER: func.max(dealing.c.at),
    ACCOUNT_CLOSED: func.max(dealing.c.closed_at),
    LAST_CONTACT: func.max(
        case((dealing.c.kind == "registration", dealing.c.at), else_=func.coalesce(dealing.c.closed_at, dealing.c.at))
    ),  # whoever closes an account leaves, and is in contact no more
}
_KINDS: dict[str, ColumnElement[bool]] = {
    REQUEST: dealing.c.kind == "request",
    ORDER: dealing.c.kind == "order",
    ACCOUNT_CLOSED: dealing.c.kind == "registration",
    LAST_CONTACT: dealing.c.kind != LOG_IN,  # somebody who looks at their account is in contact with nobody
}
_HAVING: dict[str, ColumnElement[bool]] = {
    ACCOUNT_CLOSED: not_(func.count() > func.count(dealing.c.closed_at)),  # every account of theirs
}
