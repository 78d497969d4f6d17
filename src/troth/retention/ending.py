"""The one path of everything that ends: a clock, a request, a cancelled account, a hold that is over.

Quarantined first, in one transaction and out of every use; restorable until it is destroyed; destroyed ahead of the deadline;
and complete when a re-reading finds nothing and every recipient has acknowledged. No other way out of the vault exists.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, Row, and_, bindparam, delete, or_, select, update

from troth import ledger
from troth.batches import batches
from troth.errors import Refused
from troth.ids import new_id
from troth.ledger import events
from troth.people.tables import holding, person, quarantined
from troth.policy.compile import Compiled
from troth.retention.destroy import complete, destroy
from troth.retention.due import of_person, shapes
from troth.retention.entering import Entered, enter
from troth.retention.heartbeat import DESTROY, beat
from troth.retention.keeping import POLICY, active, anything_kept, keep_apart
from troth.retention.quarantine import depart_each, move_back, move_each
from troth.retention.relationship import refresh
from troth.retention.scrub import scrub
from troth.retention.split import split
from troth.retention.tables import departure, ending, hold
from troth.store.prepared import Prepared, among
from troth.store.schema import Instant
from troth.store.site import Site


@dataclass(frozen=True, slots=True)
class Going:
    """Somebody who goes by a deadline: whole, or some fields of theirs.

    Attributes:
        cause, deadline, everywhere: as ``begin_ending`` takes them.
        fields: blank for all of them, and the person.
    """

    person_id: str
    cause: str
    deadline: datetime
    fields: frozenset[str] | None = None
    everywhere: bool | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """An ending that has begun, and how many holdings went into quarantine."""

    id: str
    counted: int


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
    going = Going(person_id, cause, deadline, None if scope == "person" else frozenset(fields), everywhere)
    (begun,) = begin_each(site, conn, [going])
    return begun.id


def begin_each(site: Site, conn: Connection, goings: Sequence[Going]) -> list[Begun]:
    """As ``begin_ending``, of several people at once, each an ending that is restored by itself; in the order of ``goings``.

    Raises:
        Refused: as ``begin_ending`` does, for any of them; then nothing was quarantined.
        ValueError: when somebody is named twice.
    """
    people = [going.person_id for going in goings]
    if len(set(people)) < len(people):
        raise ValueError("a person has one ending at a time")
    compiled, now = site.policy(conn), site.now()
    _refuse_unknown(conn, people)
    made, whole = [new_id(now) for _ in goings], [going.fields is None for going in goings]
    leaving = [row for row, is_whole in zip(_rows_of(made, goings), whole, strict=True) if is_whole]
    _BUSINESS_ENDS.many(conn, [row | {"now": now} for row in leaving])
    parted = _parted(site, conn, goings)
    if anything_kept(conn, compiled, now):
        for one, shape_ids in zip(people, parted, strict=True):
            keep_apart(site, conn, of_person(one, shape_ids), compiled, now, batch=1)
    counted = move_each(conn, list(zip(made, people, parted, strict=True)))
    stay = {one for (one,) in _FREE.rows(conn, {"ids": people})} if not all(whole) else set()
    depart_each(conn, [(id_, one) for id_, one in zip(made, people, strict=True) if one not in stay])
    _FORWARD.many(conn, leaving)
    begun = [Begun(id_, counted.get(id_, 0)) for id_ in made]
    _enter_begun(site, conn, compiled, goings, begun)
    return begun


def _rows_of(made: Sequence[str], goings: Sequence[Going]) -> list[dict[str, object]]:
    """What the statements below are told of each."""
    return [
        {"made": id_, "person_id": one.person_id, "deadline": one.deadline}
        for id_, one in zip(made, goings, strict=True)
    ]


_FREE = Prepared(
    select(holding.c.person_id).where(among(holding.c.person_id, "ids"), holding.c.only_for.is_(None)).distinct()
)
"""whoever has something left that no hold keeps apart stays in use"""


def _refuse_unknown(conn: Connection, people: Sequence[str]) -> None:
    if len(_KNOWN.rows(conn, {"ids": list(people)})) < len(people):
        raise Refused("There is no such person.", "They are unknown here, or were erased.")


_KNOWN = Prepared(select(person.c.id).where(among(person.c.id, "ids")).order_by(person.c.id).with_for_update())


def _parted(site: Site, conn: Connection, goings: Sequence[Going]) -> list[list[int] | None]:
    """For each the shapes that have none but the fields that go, blank for all: what has others too is parted first."""
    some, known = [(one.person_id, one.fields) for one in goings if one.fields is not None], shapes(conn)
    parting = [
        (person_id, shape.id, fields)
        for person_id, fields in some
        for shape in known
        if not fields.isdisjoint(shape.fields) and not shape.fields <= fields
    ]
    for person_id, shape_id, fields in parting:
        split(site, conn, of_person(person_id).select(holding.c.id, shape_ids=[shape_id]), fields)
    known = shapes(conn) if parting else known
    return [
        None if one.fields is None else [shape.id for shape in known if shape.fields <= one.fields] for one in goings
    ]


_NOW = bindparam("now", type_=Instant())
_BUSINESS_ENDS = Prepared(
    update(person)
    .where(
        person.c.id == bindparam("person_id"),
        or_(person.c.relationship_ends_at.is_(None), person.c.relationship_ends_at > _NOW),
    )
    .values(relationship_ends_at=_NOW)
)
_LATER = select(ending.c.id).where(
    ending.c.destroy_by > bindparam("deadline", type_=Instant()), ending.c.state == "quarantined"
)
_FORWARD = Prepared(
    update(departure)
    .where(departure.c.person_id == bindparam("person_id"), departure.c.ending_id.in_(_LATER))
    .values(ending_id=bindparam("made"))
)
"""Somebody who was leaving by a later deadline leaves with this ending; what a hold keeps of them stays."""


def _enter_begun(
    site: Site, conn: Connection, compiled: Compiled, goings: Sequence[Going], begun: Sequence[Begun]
) -> None:
    usually = bool(compiled.policy.erasure and compiled.policy.erasure.everywhere)
    entered = []
    for one, its in zip(goings, begun, strict=True):
        told = usually if one.everywhere is None else one.everywhere
        whole = one.fields is None
        scope = "person" if whole else "fields"
        names = tuple(sorted(one.fields or ()))
        everywhere = told and whole
        entered.append(
            Entered(its.id, one.cause, one.deadline, its.counted, everywhere, one.person_id, scope, fields=names)
        )
    enter(site, conn, entered)


_RESTORED = 500
"""people whose ends of business a statement works out"""


def restore(site: Site, conn: Connection, ending_id: str) -> int:
    """Undo an ending that is not destroyed yet, in the caller's transaction; returns how many holdings came back.

    Business with them ends again when their dealings say so. The cause should be mended first (a dealing recorded, a hold
    made): what is due goes again at the next sweep. Somebody who registered anew meanwhile keeps the identifiers; the restored
    person is then known by their number alone.

    Raises:
        Refused: when the data is destroyed, or the ending is unknown.
    """
    row = conn.execute(select(ending.c.state).where(ending.c.id == ending_id).with_for_update()).first()
    if row is None or row.state != "quarantined":
        raise Refused("This can no longer be restored.", "Only what is in quarantine can; what is destroyed is gone.")
    back = move_back(conn, quarantined.c.ending_id == ending_id)
    theirs = select(departure.c.person_id).where(departure.c.ending_id == ending_id)
    people = list(conn.scalars(theirs))
    conn.execute(update(holding).where(holding.c.person_id.in_(theirs)).values(only_for=None))
    automatic = and_(hold.c.person_id.in_(theirs), hold.c.approver == POLICY, active(site.now()))
    conn.execute(update(hold).where(automatic).values(released_at=site.now()))
    before = select(departure.c.only_for).where(departure.c.person_id == person.c.id).scalar_subquery()
    conn.execute(update(person).where(person.c.id.in_(theirs)).values(state="active", only_for=before))
    conn.execute(delete(departure).where(departure.c.ending_id == ending_id))
    conn.execute(update(ending).where(ending.c.id == ending_id).values(state="restored"))
    for some in batches(people, _RESTORED):
        refresh(site, conn, some)
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
