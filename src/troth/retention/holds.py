"""Holds: exceptions to deletion. Each has a scope, a reason, an approver and an end; without all four there is no hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, and_, bindparam, func, insert, not_, select, update

from troth import ledger
from troth.errors import InvalidInput, Refused
from troth.ids import new_id
from troth.ledger import events
from troth.people.tables import holding, person, quarantined
from troth.policy.clocks import Clock
from troth.policy.compile import Compiled
from troth.policy.rules import one_word
from troth.recipients.rules import FIELDS, lacking
from troth.retention.clocks import coverage
from troth.retention.due import Scope, shapes
from troth.retention.keeping import POLICY, active, begun, fields_of, keep_apart, kept, mark
from troth.retention.quarantine import move, move_back
from troth.retention.tables import departure, hold
from troth.store.schema import Instant
from troth.store.site import Site

_HELD_WITH = frozenset({"reason", "approver", "end"})
"""what a legal ground may need and every hold has on record"""
NO_RECORD: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold, as it is told to the person: what stays, why, for what and until when."""

    id: str
    fields: tuple[str, ...]
    ground: str
    reason: str
    purpose: str
    approver: str
    ends_at: datetime


def make_hold(
    site: Site,
    conn: Connection,
    person_id: str,
    fields: Collection[str],
    ground: str,
    reason: str,
    purpose: str,
    approver: str,
    ends_at: datetime,
    record: Mapping[str, str] = NO_RECORD,
) -> str:
    """Keep ``fields`` of a person (none named: everything) from deletion until ``ends_at``; returns the hold's id.

    While the person's data is in use this changes nothing; when it ends, the held part stays, readable for ``purpose`` only
    (blank: for nothing). What is in quarantine already comes back, as long as it was not destroyed. ``record`` is what else
    the ground ``needs`` by the policy, by name, such as ``reference``; it holds no personal value.

    Raises:
        InvalidInput: without a reason, an approver or an end that lies ahead, for a person who is not there, or without
            something that the ground needs on record.
        Refused: when the policy knows no such ground for keeping these fields, or no such purpose.
    """
    compiled, now = site.policy(conn), site.now()
    _refuse_the_incomplete(conn, person_id, reason, approver, ends_at, now)
    _refuse_the_groundless(compiled, frozenset(fields), ground, purpose)
    _refuse_the_unrecorded(compiled, frozenset(fields), ground, record, person_id)
    made = new_id(now)
    row: dict[str, object] = {"id": made, "person_id": person_id}
    row |= {"fields": fields_of(fields), "reason": reason, "ground": ground}
    row |= {"purpose": purpose, "approver": approver, "made_at": now, "ends_at": ends_at, "released_at": None}
    conn.execute(insert(hold).values(**row, record=_asked_for(compiled, ground, record)))
    body = {"hold": made, "person": person_id, "fields": sorted(fields), "ground": one_word(ground), "purpose": purpose}
    ledger.append(conn, now, events.HOLD_MADE, {**body, "ends": ends_at})
    _keep_what_is_ending(site, conn, compiled, person_id, fields)
    return made


def _refuse_the_incomplete(
    conn: Connection, person_id: str, reason: str, approver: str, ends_at: datetime, now: datetime
) -> None:
    given = {"reason": reason.strip(), "approver": approver.strip(), "ends at": ends_at > now}
    problems = {name: "is missing" for name, there in given.items() if not there}
    if approver.strip().lower() == POLICY:
        problems["approver"] = "is what archives are marked with; name who on the staff decided"
    if problems:
        raise InvalidInput("A hold needs a reason, an approver and an end that lies ahead.", problems)
    if conn.scalar(select(person.c.id).where(person.c.id == person_id)) is None:
        raise InvalidInput("There is no such person.", {"person": "is not here, or was erased"})


def _refuse_the_groundless(compiled: Compiled, fields: frozenset[str], ground: str, purpose: str) -> None:
    policy = compiled.policy
    legal = policy.legal.get(ground)
    known = legal is not None and legal.act == "keep"
    if not known and not (policy.erasure and ground in policy.erasure.may_keep):
        raise Refused("The policy knows no such ground for keeping data.", "See `legal` and `erasure.may keep`.")
    if legal is not None and "everything" not in legal.data and not (fields and fields <= set(legal.data)):
        raise Refused(
            "This ground does not reach that far.", f"It keeps: {', '.join(legal.data)}.", (f"legal.{ground}",)
        )
    if purpose and purpose not in policy.purposes:
        raise Refused(
            "The policy knows no such purpose.", "A hold may also name none: then nobody reads what it keeps."
        )


def _refuse_the_unrecorded(
    compiled: Compiled, fields: frozenset[str], ground: str, record: Mapping[str, str], person_id: str
) -> None:
    legal = compiled.policy.legal.get(ground)
    missing = unrecorded(legal.needs, fields, record, person_id) if legal is not None else ()
    if missing:
        said = f"lacks what the ground needs: {', '.join(missing)}"
        raise InvalidInput(
            "This ground needs more on record.",
            {"record": said},
            "Give all that `needs` of the ground names in the policy.",
        )


def _asked_for(compiled: Compiled, ground: str, record: Mapping[str, str]) -> dict[str, str] | None:
    """What of ``record`` the ground needs, and nothing else; None when that is nothing."""
    legal = compiled.policy.legal.get(ground)
    if legal is None:
        return None
    return {need: record[need] for need in legal.needs if need in record} or None


def needed_of_hold(needs: Iterable[str], *, named: bool) -> frozenset[str]:
    """What of the ``needs`` of grounds is asked for, beside what every hold has, and its fields where they are ``named``."""
    return frozenset(needs) - _HELD_WITH - ({FIELDS} if named else frozenset())


def unrecorded(
    needs: Collection[str], fields: Collection[str], record: Mapping[str, str], person_id: str
) -> tuple[str, ...]:
    """What of the ``needs`` of a ground is not on record of a hold on ``fields``, beside what every hold has; sorted."""
    return lacking(needed_of_hold(needs, named=bool(fields)), record, person_id)


def _keep_what_is_ending(
    site: Site, conn: Connection, compiled: Compiled, person_id: str, fields: Collection[str]
) -> None:
    """Bring back what the new hold names of a person who is on the way out, and mark again what holds of theirs keep."""
    names = frozenset(fields)
    touched = [shape.id for shape in shapes(conn) if not names or shape.fields & names]
    mine = and_(quarantined.c.person_id == person_id, quarantined.c.shape_id.in_(touched))
    if move_back(conn, mine, only_for=""):
        back = and_(holding.c.person_id == person_id, holding.c.only_for.is_not(None))
        keep_apart(site, conn, Scope(holding, back, holding.c.at, by_people=True), compiled, site.now(), batch=1)
        _send_away(conn, person_id, and_(back, not_(kept(conn, compiled, site.now()).condition())))
        conn.execute(
            update(person).where(person.c.id == person_id, person.c.state == "quarantined").values(state="held")
        )
    mark_again(conn, compiled, [person_id], site.now())


def _send_away(conn: Connection, person_id: str, rest: ColumnElement[bool]) -> None:
    """The parts that the hold does not name go on by the ending they came from; else the next sweep takes them."""
    going = select(departure.c.ending_id).where(departure.c.person_id == person_id)
    ending_id = conn.scalar(going)
    if ending_id is not None:
        move(conn, select(holding.c.id).where(rest), ending_id)


def mark_again(conn: Connection, compiled: Compiled, person_ids: Collection[str], now: datetime) -> None:
    """After a hold came or went: set anew what the held data of these people may be read for."""
    ids = list(person_ids)
    marked = and_(holding.c.person_id.in_(ids), holding.c.only_for.is_not(None))
    mark(conn, marked, kept(conn, compiled, now))
    each = (
        select(holding.c.only_for)
        .where(holding.c.person_id == person.c.id)
        .distinct()
        .correlate(person)
        .subquery("each")
    )
    purposes = select(func.aggregate_strings(each.c.only_for, " ")).scalar_subquery()
    conn.execute(update(person).where(person.c.id.in_(ids), person.c.state == "held").values(only_for=purposes))


def release(site: Site, conn: Connection, hold_id: str) -> bool:
    """End a hold now, in the caller's transaction; what only it kept goes with the next sweep. False when it is over."""
    query = select(hold.c.person_id).where(hold.c.id == hold_id, active(site.now()))
    person_id = conn.scalar(query)
    if person_id is None:
        return False
    conn.execute(update(hold).where(hold.c.id == hold_id).values(released_at=site.now()))
    ledger.append(conn, site.now(), events.HOLD_RELEASED, {"hold": hold_id, "person": person_id})
    mark_again(conn, site.policy(conn), [person_id], site.now())
    return True


def end_holds(conn: Connection, compiled: Compiled, now: datetime, batch: int) -> int:
    """Close up to ``batch`` holds that reached their end, or prolong those whose archive goes on, in the caller's transaction.

    Returns how many were handled, closed or prolonged: fewer than ``batch`` when none is left.
    """
    columns = (hold.c.id, hold.c.person_id, hold.c.ground, hold.c.approver, hold.c.made_at)
    over = and_(hold.c.released_at.is_(None), hold.c.ends_at <= now)
    rows = conn.execute(select(*columns).where(over).order_by(hold.c.ends_at).limit(batch)).all()
    going_on = _prolonged(conn, compiled, rows, now)
    ended = [row for row in rows if row.id not in going_on]
    if ended:
        ids = [row.id for row in ended]
        conn.execute(update(hold).where(hold.c.id.in_(ids)).values(released_at=hold.c.ends_at))
        ledger.append(conn, now, events.HOLD_ENDED, {"count": len(ended)})
        mark_again(conn, compiled, {row.person_id for row in ended}, now)
    return len(rows)


def _prolonged(conn: Connection, compiled: Compiled, rows: Sequence[Any], now: datetime) -> set[str]:
    """Put off the end of those holds of archives whose period goes on by the policy in force; the ids of these holds.

    A hold has the end that was reckoned when it was made: by a version that kept for less, or before months and years went by
    the calendar. An archive that the policy keeps longer must not lose what it keeps.
    """
    later = []
    for clock in (one for one in compiled.clocks if one.archive):
        mine = [row for row in rows if row.ground == clock.id and row.approver == POLICY]
        newest = _newest(conn, clock, {row.person_id for row in mine}, now)
        for row in mine:
            event = newest.get(row.person_id)
            if event is not None and clock.end(event) > now:
                later.append({"which": row.id, "until": clock.end(event)})
    if later:
        until: BindParameter[datetime] = bindparam("until", type_=Instant())
        conn.execute(update(hold).where(hold.c.id == bindparam("which")).values(ends_at=until), later)
        ledger.append(conn, now, events.HOLD_PROLONGED, {"count": len(later)})
    return {str(one["which"]) for one in later}


def _newest(conn: Connection, clock: Clock, people: Collection[str], now: datetime) -> dict[str, datetime]:
    """When the period of ``clock`` began last for what it rules of each of these people."""
    ruled = sorted(coverage(clock, shapes(conn)).whole) if people else []
    theirs = and_(holding.c.person_id.in_(sorted(people)), holding.c.shape_id.in_(ruled))
    query = select(holding.c.person_id, func.max(begun(clock, now))).where(theirs).group_by(holding.c.person_id)
    return dict(conn.execute(query).all())


def holds_of(conn: Connection, person_id: str, now: datetime) -> list[Hold]:
    """The holds in force about a person, the one that ends first ahead."""
    return _holds(conn, (hold.c.person_id == person_id) & active(now))


def holds_in_force(conn: Connection, now: datetime, limit: int | None = None, offset: int = 0) -> list[Hold]:
    """The holds that somebody placed, about anybody, the one that ends first ahead; not those of archives."""
    return _holds(conn, _placed(now), limit, offset)


def count_in_force(conn: Connection, now: datetime) -> int:
    """How many holds ``holds_in_force`` has in all."""
    return conn.scalar(select(func.count()).select_from(hold).where(_placed(now))) or 0


def _placed(now: datetime) -> ColumnElement[bool]:
    return active(now) & (hold.c.approver != POLICY)


def _holds(conn: Connection, which: ColumnElement[bool], limit: int | None = None, offset: int = 0) -> list[Hold]:
    query = select(hold).where(which).order_by(hold.c.ends_at, hold.c.id).limit(limit).offset(offset)
    return [
        Hold(r.id, tuple(r.fields.split()), r.ground, r.reason, r.purpose, r.approver, r.ends_at)
        for r in conn.execute(query)
    ]
