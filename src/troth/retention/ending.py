"""The one path of everything that ends: a clock, a request, a cancelled account, a hold that is over.

Quarantined first, in one transaction and out of every use; restorable until it is destroyed; destroyed ahead of the deadline;
and complete when a re-reading finds nothing and every recipient has acknowledged. No other way out of the vault exists.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, Row, and_, bindparam, delete, insert, or_, select, update

from troth import ledger
from troth.errors import Refused
from troth.ids import new_id
from troth.ledger import events
from troth.people.tables import holding, person, quarantined
from troth.retention.clocks import destroys_at
from troth.retention.destroy import complete, destroy, destroyed_body
from troth.retention.due import of_person, shapes
from troth.retention.heartbeat import DESTROY, beat
from troth.retention.keeping import POLICY, active, anything_kept, keep_apart
from troth.retention.quarantine import depart_alone, move_back, move_of
from troth.retention.scrub import scrub
from troth.retention.split import split
from troth.retention.tables import departure, ending, hold
from troth.store.prepared import Prepared
from troth.store.schema import Instant
from troth.store.site import Site

QUARANTINED, DESTROYED = "quarantined", "destroyed"


def begin_ending(
    site: Site,
    conn: Connection,
    person_id: str,
    cause: str,
    deadline: datetime,
    scope: Literal["person", "fields"] = "person",
    fields: Collection[str] = (),
    everywhere: bool | None = None,
) -> str:
    """Quarantine a person, or ``fields`` of theirs, whole, in the caller's transaction; returns the ending's id.

    Args:
        cause: such as ``request:ID``; on the ledger, so an opaque word.
        deadline: the promised instant; destruction comes before it, by the margin of ``site.yaml``.
        everywhere: whether recipients are told to delete; as the policy's ``erasure`` says when left out.

    Raises:
        Refused: when there is no such person, or they are gone already.
    """
    compiled, now, made = site.policy(conn), site.now(), new_id(site.now())
    _refuse_unknown(conn, person_id)
    if whole := scope == "person":
        _BUSINESS_ENDS.run(conn, {"person_id": person_id, "now": now})
    shape_ids = None if whole else _parted(site, conn, person_id, frozenset(fields))
    if anything_kept(conn, compiled, now):
        keep_apart(site, conn, of_person(person_id, shape_ids), compiled, now, batch=1)
    counted = move_of(conn, person_id, shape_ids, made)
    if whole or not _FREE.rows(conn, {"person_id": person_id}):
        depart_alone(conn, made, person_id)
    if whole:
        _bring_forward(conn, person_id, made, deadline)
    told = (
        everywhere if everywhere is not None else bool(compiled.policy.erasure and compiled.policy.erasure.everywhere)
    )
    enter(site, conn, made, cause, deadline, counted, told and whole, person_id, scope)
    return made


_FREE = Prepared(
    select(holding.c.id).where(holding.c.person_id == bindparam("person_id"), holding.c.only_for.is_(None)).limit(1)
)
"""whoever has something left that no hold keeps apart stays in use"""


def _refuse_unknown(conn: Connection, person_id: str) -> None:
    if not _KNOWN.rows(conn, {"person_id": person_id}):
        raise Refused("There is no such person.", "They are unknown here, or were erased.")


_KNOWN = Prepared(select(person.c.state).where(person.c.id == bindparam("person_id")).with_for_update())


def _parted(site: Site, conn: Connection, person_id: str, fields: frozenset[str]) -> list[int]:
    """The shapes that have none but these fields, after what a person has of others is parted into such and the rest."""
    known = shapes(conn)
    in_part = [shape.id for shape in known if not fields.isdisjoint(shape.fields) and not shape.fields <= fields]
    for one in in_part:
        split(site, conn, of_person(person_id, [one]).select(holding.c.id), fields)
    return [shape.id for shape in (shapes(conn) if in_part else known) if shape.fields <= fields]


_NOW = bindparam("now", type_=Instant())
_BUSINESS_ENDS = Prepared(
    update(person)
    .where(
        person.c.id == bindparam("person_id"),
        or_(person.c.relationship_ends_at.is_(None), person.c.relationship_ends_at > _NOW),
    )
    .values(relationship_ends_at=_NOW)
)


def _bring_forward(conn: Connection, person_id: str, ending_id: str, deadline: datetime) -> None:
    """Somebody who was leaving by a later deadline leaves with this ending; what a hold keeps of them stays."""
    _FORWARD.run(conn, {"person_id": person_id, "made": ending_id, "deadline": deadline})


_LATER = select(ending.c.id).where(
    ending.c.destroy_by > bindparam("deadline", type_=Instant()), ending.c.state == "quarantined"
)
_FORWARD = Prepared(
    update(departure)
    .where(departure.c.person_id == bindparam("person_id"), departure.c.ending_id.in_(_LATER))
    .values(ending_id=bindparam("made"))
)


def enter(
    site: Site,
    conn: Connection,
    ending_id: str,
    cause: str,
    deadline: datetime,
    counted: int,
    everywhere: bool,
    person_id: str | None = None,
    scope: str = "fields",
    state: str = QUARANTINED,
) -> None:
    """Record an ending whose data has just gone into quarantine, or was ``DESTROYED`` where it lay, with its ledger entry."""
    now = site.now()
    planned = destroys_at(now, deadline, site.wiring.margin)
    row: dict[str, object] = {"id": ending_id, "cause": cause, "person_id": person_id, "scope": scope, "state": state}
    row |= {"began_at": now, "destroys_at": planned, "destroy_by": deadline, "counted": counted}
    row |= {"everywhere": int(everywhere), "destroyed_at": now if state == DESTROYED else None}
    _ENTERING.run(conn, row)
    if state == DESTROYED:
        ledger.append(conn, now, events.ENDING_DESTROYED, destroyed_body(ending_id, cause, counted, 0))
        return
    body = {"ending": ending_id, "cause": cause, "count": counted, "by": deadline, "person": person_id}
    ledger.append(conn, now, events.ENDING_QUARANTINED, body)


_ENTERING = Prepared(insert(ending), [column.name for column in ending.c if column.name != "complete_at"])


def restore(site: Site, conn: Connection, ending_id: str) -> int:
    """Undo an ending that is not destroyed yet, in the caller's transaction; returns how many holdings came back.

    The cause should be mended first (a dealing recorded, a hold made): what is due goes again at the next sweep. Somebody who
    registered anew meanwhile keeps the identifiers; the restored person is then known by their number alone.

    Raises:
        Refused: when the data is destroyed, or the ending is unknown.
    """
    row = conn.execute(select(ending.c.state).where(ending.c.id == ending_id).with_for_update()).first()
    if row is None or row.state != "quarantined":
        raise Refused("This can no longer be restored.", "Only what is in quarantine can; what is destroyed is gone.")
    back = move_back(conn, quarantined.c.ending_id == ending_id)
    theirs = select(departure.c.person_id).where(departure.c.ending_id == ending_id)
    conn.execute(update(holding).where(holding.c.person_id.in_(theirs)).values(only_for=None))
    automatic = and_(hold.c.person_id.in_(theirs), hold.c.approver == POLICY, active(site.now()))
    conn.execute(update(hold).where(automatic).values(released_at=site.now()))
    before = select(departure.c.only_for).where(departure.c.person_id == person.c.id).scalar_subquery()
    conn.execute(update(person).where(person.c.id.in_(theirs)).values(state="active", only_for=before))
    conn.execute(delete(departure).where(departure.c.ending_id == ending_id))
    conn.execute(update(ending).where(ending.c.id == ending_id).values(state="restored"))
    ledger.append(conn, site.now(), events.ENDING_RESTORED, {"ending": ending_id, "count": back})
    return back


def destroy_due(site: Site) -> int:
    """Destroy every ending whose time has come, finish what a crash left, and call complete what is; how many were destroyed.

    Safe to repeat and to interrupt anywhere. Late is no reason not to: whatever is past its deadline goes now.
    """
    destroyed = destroy_quietly(site)
    with site.writing() as conn:
        beat(conn, DESTROY, site.now())
    return destroyed


def destroy_quietly(site: Site) -> int:
    """As ``destroy_due``, without its heartbeat, which the worker notes together with those of its other tasks."""
    going = {row.id: row.state for row in _open(site)}
    due = [one for one, state in going.items() if state != "destroyed"]
    for one in due:
        destroy(site, one)
    completed = [one for one in going if complete(site, one)]
    if due or completed:
        scrub(site.engine, ["holding", "quarantined"])
        scrub(site.keys, ["person_key"])
    return len(due)


def _open(site: Site) -> Sequence[Row[str, str]]:
    """The endings that something can be done about now, the one due first ahead."""
    with site.reading() as conn:
        return conn.execute(_OPEN, {"now": site.now()}).all()


_DUE = and_(ending.c.state == "quarantined", ending.c.destroys_at <= bindparam("now", type_=Instant()))
_OPEN = (
    select(ending.c.id, ending.c.state)
    .where(or_(_DUE, ending.c.state.in_(("destroying", "destroyed"))))
    .order_by(ending.c.destroys_at, ending.c.id)
)
