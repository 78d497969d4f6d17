"""When business with a person ends: derived from recorded dealings, never set by hand.

Business begins anew with the latest event that begins it (a purchase always does), and only what lies at or after that can
end it. The earliest of what the policy names ends it:

- *customer notice*: the person says so;
- *last warranty ends*: over all products. A purchase whose warranty nobody recorded has no end that is known, so that business
  goes on: deleting what a warranty still needs would be the worse mistake;
- *account closed*: every account of theirs. Closing one is no new dealing, so it never puts silence off;
- *unsubscribed*: they have said no to all mail that promotes something (``troth.consent.unsubscribed``);
- *enquiry answered*: nothing that they asked is open;
- *silence*: nothing has happened for as long as the policy says. What happens are dealings; log-ins count where the policy says
  so, and nothing counts that nobody measures. A notice is no dealing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
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

from troth.consent import unsubscribed
from troth.people.tables import dealing, person
from troth.policy.compile import Compiled
from troth.policy.model import Relationship
from troth.policy.periods import Period, later
from troth.store.functions import NEVER, Least
from troth.store.prepared import Prepared, among
from troth.store.schema import Instant
from troth.store.site import Site

NOTICE = "notice"
PURCHASES = frozenset({"order", "paid order"})
REGISTRATION = "registration"
ASKED = frozenset({"request", "ticket", "enquiry"})
"""Dealings that are open until somebody has answered."""
_BEGINS = {"enquiry": ASKED | {"contact"}}
_MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class Dealing:
    """What a dealing says about the relationship."""

    kind: str
    at: datetime
    closed_at: datetime | None = None
    warranty_ends_at: datetime | None = None

    @property
    def last(self) -> datetime:
        """When something last happened about it; closing an account is nothing that happens."""
        return self.at if self.kind == REGISTRATION else self.closed_at or self.at


def ends_at(
    entry: Relationship, dealings: Collection[Dealing], since: datetime, stopped: datetime | None = None
) -> datetime | None:
    """When business with a person known ``since`` ends or ended; None while nothing is known that ends it. Pure.

    ``stopped`` is when they had said no to all promotional mail; None while they have not.
    """
    begun = max((d.at for d in dealings if d.kind in beginnings(entry)), default=None)
    notices = [d.at for d in dealings if d.kind == NOTICE and (begun is None or d.at >= begun)]
    warranty = max((d.warranty_ends_at for d in dealings if d.warranty_ends_at is not None), default=None)
    last = max((d.last for d in dealings if d.kind != NOTICE), default=since)
    ends = {
        "customer notice": min(notices, default=None),
        "last warranty ends": _after(warranty, begun),
        "account closed": _after(_all_closed(dealings, frozenset({REGISTRATION})), begun),
        "unsubscribed": _after(stopped, begun),
        "enquiry answered": _after(_all_closed(dealings, ASKED), begun),
        "silence": later(last, entry.silence) if entry.silence is not None else None,
    }
    known = [end for word, end in ends.items() if word in entry.ends and end is not None]
    return min(known, default=None)


def _after(end: datetime | None, begun: datetime | None) -> datetime | None:
    return None if end is None or (begun is not None and end < begun) else end


def _all_closed(dealings: Collection[Dealing], kinds: frozenset[str]) -> datetime | None:
    """When the last of those of these kinds was closed; None while one is open, or when there is none."""
    closings = [d.closed_at for d in dealings if d.kind in kinds]
    return max((at for at in closings if at is not None), default=None) if None not in closings else None


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
    mailing = unsubscribed.mailing(known)
    changed = sum(set_ends(conn, kind, entry, person_ids, mailing) for kind, entry in known.relationship.items())
    return changed + (_take_back(conn, known.people.keys() - known.relationship.keys()) if person_ids is None else 0)


def counts_log_ins(policy: Compiled, kind: str) -> bool:
    """Whether a log-in of somebody of ``kind`` keeps business with them going."""
    entry = policy.policy.relationship.get(kind)
    return entry is not None and "silence" in entry.ends and "log-in" in entry.silence_counts


def _take_back(conn: Connection, kinds: Collection[str]) -> int:
    """Take back the ends on record of people of ``kinds``, of which the policy does not say (any more) what ends business."""
    ended = person.c.kind.in_(sorted(kinds)) & person.c.relationship_ends_at.is_not(None)
    stale = update(person).where(ended, person.c.state == "active").values(relationship_ends_at=None)
    return conn.execute(stale).rowcount if kinds else 0


def set_ends(
    conn: Connection,
    kind: str,
    entry: Relationship,
    person_ids: Collection[str] | None = None,
    mailing: frozenset[str] = frozenset(),
) -> int:
    """As ``refresh``, for one kind of people and what the policy says of them; ``mailing`` are its promotional purposes."""
    if person_ids is None:
        return conn.execute(_setting(kind, _ways(entry, mailing))).rowcount
    return _setting_some(kind, _ways(entry, mailing)).run(conn, {"ids": list(person_ids)})


@dataclass(frozen=True, slots=True)
class _Ways:
    """What of a policy's entry the statements below are made of."""

    begins: frozenset[str]
    ends: frozenset[str]
    silence: Period | None
    mailing: frozenset[str]
    """the purposes whose mail somebody can unsubscribe from; none when that ends nothing"""


def _ways(entry: Relationship, mailing: frozenset[str]) -> _Ways:
    stops = mailing if "unsubscribed" in entry.ends else frozenset[str]()
    return _Ways(beginnings(entry), frozenset(entry.ends), entry.silence, stops)


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


def differing(
    conn: Connection, kind: str, entry: Relationship, mailing: frozenset[str] = frozenset()
) -> tuple[int, int]:
    """How many active people of ``kind`` have another end on record than their dealings say, and how many there are."""
    ends = _ends(kind, _ways(entry, mailing)).subquery("ends")
    differs = person.c.relationship_ends_at.is_distinct_from(ends.c.at)
    joined = select(func.count(case((differs, 1))), func.count()).join_from(person, ends, ends.c.id == person.c.id)
    wrong, total = conn.execute(joined.where(person.c.state == "active")).one()
    return int(wrong), int(total)


def _ends(kind: str, entry: _Ways, some: bool = False) -> Select[Any]:
    """The same rule as ``ends_at`` over all people of ``kind``, or ``some`` (``ids``), as a query with ``id`` and ``at``."""
    of, facts = person.alias("of"), _facts(entry, some)
    notices = _notices(facts, some)
    stopped = unsubscribed.since(entry.mailing, some) if entry.mailing else None
    ways: dict[str, ColumnElement[Any]] = {
        "customer notice": notices.c.at,
        "last warranty ends": _not_before(facts.c.warranty, facts),
        "account closed": _not_before(facts.c.account_closed, facts),
        "enquiry answered": _not_before(facts.c.answered, facts),
        "unsubscribed": _not_before(stopped.c.at, facts) if stopped is not None else null(),
        "silence": _later(func.coalesce(facts.c.last, of.c.since), entry),
    }
    known = [type_coerce(way, BigInteger) for word, way in ways.items() if word in entry.ends]
    query: Select[Any] = (
        select(of.c.id, type_coerce(_earliest(known), Instant).label("at"))
        .outerjoin(facts, facts.c.person_id == of.c.id)
        .outerjoin(notices, notices.c.person_id == of.c.id)
    )
    if stopped is not None:
        query = query.outerjoin(stopped, stopped.c.person_id == of.c.id)
    if some:  # joined with nothing, the kind is in no index: SQLite would go through all people of it to find one
        return query.where(among(of.c.id, "ids"), (of.c.kind + "") == kind)
    return query.where(of.c.kind == kind)


def _not_before(end: ColumnElement[Any], facts: Subquery) -> ColumnElement[Any]:
    """``end``, unless business began anew after it."""
    return case((end >= func.coalesce(facts.c.begun, end), end))


def _closed(kinds: Collection[str]) -> ColumnElement[Any]:
    """When the last dealing of these kinds was closed; null while one is open, or when there is none."""
    mine = or_(*(dealing.c.kind == kind for kind in sorted(kinds)))
    number, closed = func.count(case((mine, 1))), func.count(case((and_(mine, dealing.c.closed_at.is_not(None)), 1)))
    return case((number == closed, func.max(case((mine, dealing.c.closed_at)))))


def _facts(entry: _Ways, some: bool) -> Subquery:
    begins = or_(*(dealing.c.kind == kind for kind in sorted(entry.begins)))
    query = select(
        dealing.c.person_id,
        func.max(case((begins, dealing.c.at))).label("begun"),
        func.max(dealing.c.warranty_ends_at).label("warranty"),
        func.max(
            case(
                (dealing.c.kind == REGISTRATION, dealing.c.at),
                (dealing.c.kind != NOTICE, func.coalesce(dealing.c.closed_at, dealing.c.at)),
            )
        ).label("last"),
        _closed({REGISTRATION}).label("account_closed"),
        _closed(ASKED).label("answered"),
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
    micros = type_coerce(at, BigInteger)
    if entry.silence.months:
        return _MonthsLater(micros, entry.silence.months)
    return micros + round(entry.silence.length.total_seconds()) * _MICROS


class _MonthsLater(FunctionElement[int]):
    """Microseconds, some months of the calendar later, as ``periods.later`` reckons: the same time of day, in UTC.

    PostgreSQL knows months that end with their last day; SQLite goes on into the next one, so the earlier of two dates counts.
    """

    inherit_cache = False  # the months are part of the statement, not a value of it
    type = BigInteger()

    def __init__(self, at: ColumnElement[Any], months: int) -> None:
        super().__init__(at)
        self.months = months


@compiles(_MonthsLater)
def _months_later(element: _MonthsLater, compiler: Any, **options: Any) -> str:
    at, day = (
        compiler.process(element.clauses, **options),
        86_400 * _MICROS,
    )  # no `%`: the driver reads it as a placeholder
    date = f"(DATE '1970-01-01' + CAST(({at}) / {day} AS INTEGER))"
    return f"((({date} + INTERVAL '{element.months} months')::date - DATE '1970-01-01') * {day}::bigint + mod({at}, {day}))"


@compiles(_MonthsLater, "sqlite")
def _months_later_on_sqlite(element: _MonthsLater, compiler: Any, **options: Any) -> str:
    at, day = compiler.process(element.clauses, **options), 86_400 * _MICROS
    date, months = f"({at}) / {day} * 86400, 'unixepoch'", element.months
    plain = f"strftime('%s', {date}, '+{months} months')"
    last = f"strftime('%s', {date}, 'start of month', '+{months + 1} months', '-1 day')"
    return f"(min(CAST({plain} AS INTEGER), CAST({last} AS INTEGER)) * {_MICROS} + ({at}) % {day})"


def _earliest(ways: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    never = literal(NEVER, BigInteger)
    return func.nullif(Least(never, *(func.coalesce(way, never) for way in ways)), never)
