"""When business with a person ends: derived from recorded dealings, never set by hand.

Business begins anew with the latest event that begins it (a purchase always does), and only what lies at or after that can
end it: the person's own notice, the end of the last warranty over all products, or silence. The earliest of these ends it. A
purchase whose warranty nobody recorded has no end that is known, so that business goes on until the person gives notice:
deleting what a warranty still needs would be the worse mistake.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Subquery,
    Update,
    and_,
    case,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from troth.people.tables import dealing, person
from troth.policy.compile import Compiled
from troth.policy.model import Relationship
from troth.store.prepared import Prepared, among
from troth.store.schema import Instant
from troth.store.site import Site

NOTICE = "notice"
PURCHASES = frozenset({"order", "paid order"})
_BEGINS = {"enquiry": frozenset({"contact", "ticket", "enquiry"})}
_MICROS = 1_000_000
_NEVER = 2**62  # microseconds: later than any instant there is


@dataclass(frozen=True, slots=True)
class Dealing:
    """What a dealing says about the relationship."""

    kind: str
    at: datetime
    closed_at: datetime | None = None
    warranty_ends_at: datetime | None = None


def ends_at(entry: Relationship, dealings: Collection[Dealing], since: datetime) -> datetime | None:
    """When business with a person known ``since`` ends or ended; None while nothing is known that ends it. Pure."""
    begun = max((d.at for d in dealings if d.kind in beginnings(entry)), default=None)
    notices = [d.at for d in dealings if d.kind == NOTICE and (begun is None or d.at >= begun)]
    warranty = max((d.warranty_ends_at for d in dealings if d.warranty_ends_at is not None), default=None)
    last = max((d.closed_at or d.at for d in dealings), default=since)
    ends = {
        "customer notice": min(notices, default=None),
        "last warranty ends": None if begun is not None and warranty is not None and warranty < begun else warranty,
        "silence": last + entry.silence if entry.silence is not None else None,
    }
    known = [end for word, end in ends.items() if word in entry.ends and end is not None]
    return min(known, default=None)


def beginnings(entry: Relationship) -> frozenset[str]:
    """The kinds of dealings that begin business anew."""
    return PURCHASES.union(*(_BEGINS.get(word, frozenset({word})) for word in entry.begins))


def refresh(
    site: Site, conn: Connection, person_ids: Collection[str] | None = None, policy: Compiled | None = None
) -> int:
    """Bring the recorded ends of business up to date, of these people or of all; one statement for each kind of people.

    Returns how many changed. To be called in the transaction that opens or closes a dealing; every sweep does all.
    """
    known = (policy or site.policy(conn)).policy
    changed = sum(set_ends(conn, kind, entry, person_ids) for kind, entry in known.relationship.items())
    return changed + (_take_back(conn, known.people.keys() - known.relationship.keys()) if person_ids is None else 0)


def _take_back(conn: Connection, kinds: Collection[str]) -> int:
    """Take back the ends on record of people of ``kinds``, of which the policy does not say (any more) what ends business."""
    ended = person.c.kind.in_(sorted(kinds)) & person.c.relationship_ends_at.is_not(None)
    stale = update(person).where(ended, person.c.state == "active").values(relationship_ends_at=None)
    return conn.execute(stale).rowcount if kinds else 0


def set_ends(conn: Connection, kind: str, entry: Relationship, person_ids: Collection[str] | None = None) -> int:
    """As ``refresh``, for one kind of people and what the policy says of them."""
    if person_ids is None:
        return conn.execute(_setting(kind, _ways(entry))).rowcount
    return _setting_some(kind, _ways(entry)).run(conn, {"ids": list(person_ids)})


@dataclass(frozen=True, slots=True)
class _Ways:
    """What of a policy's entry the statements below are made of."""

    begins: frozenset[str]
    ends: frozenset[str]
    silence: timedelta | None


def _ways(entry: Relationship) -> _Ways:
    return _Ways(beginnings(entry), frozenset(entry.ends), entry.silence)


@lru_cache(maxsize=64)
def _setting_some(kind: str, entry: _Ways) -> Prepared:
    return Prepared(_setting(kind, entry, some=True))


@lru_cache(maxsize=64)
def _setting(kind: str, entry: _Ways, some: bool = False) -> Update:
    """The statement that sets the ends, of all or of ``ids``; remembered, since it is long and asked for at every dealing."""
    ends = _ends(kind, entry, some).subquery("ends")
    differs = person.c.relationship_ends_at.is_distinct_from(ends.c.at)
    theirs = and_(person.c.id == ends.c.id, person.c.state == "active", differs)
    return update(person).where(theirs).values(relationship_ends_at=ends.c.at)


def differing(conn: Connection, kind: str, entry: Relationship) -> tuple[int, int]:
    """How many active people of ``kind`` have another end on record than their dealings say, and how many there are."""
    ends = _ends(kind, _ways(entry)).subquery("ends")
    differs = person.c.relationship_ends_at.is_distinct_from(ends.c.at)
    joined = select(func.count(case((differs, 1))), func.count()).join_from(person, ends, ends.c.id == person.c.id)
    wrong, total = conn.execute(joined.where(person.c.state == "active")).one()
    return int(wrong), int(total)


def _ends(kind: str, entry: _Ways, some: bool = False) -> Select[Any]:
    """The same rule as ``ends_at`` over all people of ``kind``, or ``some`` (``ids``), as a query with ``id`` and ``at``."""
    of, facts = person.alias("of"), _facts(entry, some)
    notices = _notices(facts, some)
    ways: dict[str, ColumnElement[Any]] = {
        "customer notice": notices.c.at,
        "last warranty ends": case(
            (facts.c.warranty >= func.coalesce(facts.c.begun, facts.c.warranty), facts.c.warranty)
        ),
        "silence": _later(func.coalesce(facts.c.last, of.c.since), entry),
    }
    known = [type_coerce(way, BigInteger) for word, way in ways.items() if word in entry.ends]
    query: Select[Any] = (
        select(of.c.id, type_coerce(_earliest(known), Instant).label("at"))
        .outerjoin(facts, facts.c.person_id == of.c.id)
        .outerjoin(notices, notices.c.person_id == of.c.id)
    )
    if some:  # joined with nothing, the kind is in no index: SQLite would go through all people of it to find one
        return query.where(among(of.c.id, "ids"), (of.c.kind + "") == kind)
    return query.where(of.c.kind == kind)


def _facts(entry: _Ways, some: bool) -> Subquery:
    begins = or_(*(dealing.c.kind == kind for kind in sorted(entry.begins)))
    query = select(
        dealing.c.person_id,
        func.max(case((begins, dealing.c.at))).label("begun"),
        func.max(dealing.c.warranty_ends_at).label("warranty"),
        func.max(func.coalesce(dealing.c.closed_at, dealing.c.at)).label("last"),
    ).group_by(dealing.c.person_id)
    if some:
        query = query.where(among(dealing.c.person_id, "ids"))
    return query.subquery("facts")


def _notices(facts: Subquery, some: bool) -> Subquery:
    counts = and_(dealing.c.kind == NOTICE, dealing.c.at >= func.coalesce(facts.c.begun, dealing.c.at))
    query = (
        select(dealing.c.person_id, func.min(dealing.c.at).label("at"))
        .join(facts, facts.c.person_id == dealing.c.person_id)
        .where(counts)
        .group_by(dealing.c.person_id)
    )
    if some:
        query = query.where(among(dealing.c.person_id, "ids"))
    return query.subquery("notices")


def _later(at: ColumnElement[Any], entry: _Ways) -> ColumnElement[Any]:
    if entry.silence is None:
        return null()
    return type_coerce(at, BigInteger) + round(entry.silence.total_seconds()) * _MICROS


class _Least(FunctionElement[int]):
    """The least of several values: ``least`` on PostgreSQL, ``min`` on SQLite."""

    inherit_cache = True


@compiles(_Least)
def _least(element: _Least, compiler: Any, **options: Any) -> str:
    return f"least({compiler.process(element.clauses, **options)})"


@compiles(_Least, "sqlite")
def _min(element: _Least, compiler: Any, **options: Any) -> str:
    return f"min({compiler.process(element.clauses, **options)})"


def _earliest(ways: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    never = literal(_NEVER, BigInteger)
    return func.nullif(_Least(never, *(func.coalesce(way, never) for way in ways)), never)
