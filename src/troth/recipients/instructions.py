"""Telling recipients to delete: one instruction for each cause, person and recipient that the disclosures name.

The cause is an ending, a choice by which somebody took back what a recipient was given their data for, or a stop. Whatever may
have arrived counts as given; what has not left yet is taken back first, so that nothing leaves after its person has gone.
Whoever was given data in a legal case, such as a court, keeps it under the law and is told nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, literal, or_, select, true, update

from troth import agenda, ledger
from troth.batches import batches
from troth.consent.stops.tables import stop
from troth.consent.tables import choice
from troth.ledger import events
from troth.recipients import connectors
from troth.recipients.tables import IN_A_CASE, MAY_HAVE_ARRIVED, NOT_LEFT, REFUSED, disclosure, instruction
from troth.store.insert import insert_into
from troth.store.schema import Instant
from troth.store.site import Site

INSTRUCT = "instruct"
_BATCH = 500


def instruct(
    site: Site,
    conn: Connection,
    cause_id: str,
    person_ids: Collection[str],
    deadline: datetime,
    recipient: str | None = None,
) -> int:
    """Tell everyone who may have data about ``person_ids``, or only ``recipient``, to delete it by ``deadline``.

    In the caller's transaction; the same cause tells the same recipient once. Returns how many instructions there are now that
    there were not before.
    """
    told = 0
    which = true() if recipient is None else disclosure.c.recipient == recipient
    for ids in batches(person_ids, _BATCH):
        theirs = disclosure.c.person_id.in_(ids) & which
        told += _instructed(site, conn, cause_id, theirs, deadline)
    return _handed_on(site, conn, cause_id, told, deadline)


def recall(site: Site, conn: Connection, cause_id: str, scope: str, deadline: datetime) -> int:
    """As ``instruct``, about everybody: what was given for the purpose ``scope``, or to the recipient after its ``@``."""
    to, for_ = disclosure.c.recipient == scope.removeprefix("@"), disclosure.c.purpose == scope
    told = _instructed(site, conn, cause_id, to if scope.startswith("@") else for_, deadline)
    return _handed_on(site, conn, cause_id, told, deadline)


def no_answer(now: datetime) -> ColumnElement[bool]:
    """Of an instruction: its recipient did not answer by the deadline."""
    return and_(instruction.c.acknowledged_at.is_(None), instruction.c.deadline <= now)


def for_a_no() -> ColumnElement[bool]:
    """Of an instruction: its cause is a choice or a stop, so that it is no part of an erasure."""
    cause = instruction.c.ending_id
    return or_(cause.in_(select(choice.c.id)), cause.in_(select(stop.c.id)))


def _handed_on(site: Site, conn: Connection, cause_id: str, told: int, deadline: datetime) -> int:
    if told:
        there = _counted(conn, cause_id)
        for one in there:
            key = f"{INSTRUCT}:{cause_id}:{one}"
            agenda.put(conn, INSTRUCT, key, f"{cause_id}:{one}", site.now(), site.now(), deadline)
        ledger.append(conn, site.now(), events.INSTRUCTION_SENT, {"ending": cause_id, "count": told, "to": there})
    return told


def _instructed(site: Site, conn: Connection, cause_id: str, theirs: ColumnElement[bool], deadline: datetime) -> int:
    conn.execute(update(disclosure).where(theirs, disclosure.c.state.in_(NOT_LEFT)).values(state=REFUSED))
    now, due = literal(site.now(), Instant()), literal(deadline, Instant())
    rows = (
        select(literal(cause_id), disclosure.c.person_id, disclosure.c.recipient, now, due)
        .where(theirs, disclosure.c.state.in_(MAY_HAVE_ARRIVED), ~IN_A_CASE)
        .group_by(disclosure.c.person_id, disclosure.c.recipient)
    )
    columns = ["ending_id", "person_id", "recipient", "at", "deadline"]
    made = insert_into(conn, instruction).from_select(columns, rows).on_conflict_do_nothing()
    return conn.execute(made, execution_options={"preserve_rowcount": True}).rowcount


def _counted(conn: Connection, ending_id: str) -> dict[str, int]:
    """Of how many people each recipient was told, for one cause."""
    query = select(instruction.c.recipient, func.count()).where(instruction.c.ending_id == ending_id)
    rows = conn.execute(query.group_by(instruction.c.recipient).order_by(instruction.c.recipient))
    return {recipient: int(count) for recipient, count in rows}


def carry(site: Site, job: agenda.Job) -> None:
    """Bring one recipient its instructions of one ending, in batches; its answer is the acknowledgement."""
    ending_id, _, recipient = job.ref.partition(":")
    if not connectors.wired(site, recipient):
        return  # staff write to it, and `acknowledge` what it answers
    while people := _open(site, ending_id, recipient):
        key = f"{job.key}:{hashlib.sha256(' '.join(people).encode()).hexdigest()[:16]}"
        connectors.send(site, recipient, "delete", key, {"people": people})
        acknowledge(site, ending_id, recipient, people, by="recipient")


def _open(site: Site, ending_id: str, recipient: str) -> list[str]:
    mine = (instruction.c.ending_id == ending_id) & (instruction.c.recipient == recipient)
    query = select(instruction.c.person_id).where(mine, instruction.c.acknowledged_at.is_(None))
    with site.reading() as conn:
        return list(conn.scalars(query.order_by(instruction.c.person_id).limit(_BATCH)))


def acknowledge(site: Site, ending_id: str, recipient: str, people: Collection[str], by: str) -> None:
    """Record that ``recipient`` has deleted; ``by`` is ``recipient``, or the staff role that has its word for it."""
    with site.writing() as conn:
        acknowledge_in(site, conn, ending_id, recipient, people, by)


def acknowledge_in(
    site: Site, conn: Connection, ending_id: str, recipient: str, people: Collection[str], by: str
) -> int:
    """As ``acknowledge``, in the caller's transaction; returns how many instructions were open until now."""
    mine = (instruction.c.ending_id == ending_id) & (instruction.c.recipient == recipient)
    unanswered = mine & instruction.c.acknowledged_at.is_(None) & instruction.c.person_id.in_(list(people))
    change = {"acknowledged_at": site.now(), "acknowledged_by": by}
    done = conn.execute(update(instruction).where(unanswered).values(**change)).rowcount
    if done:
        body = {"ending": ending_id, "recipient": recipient, "count": done, "by": by.replace(" ", "-")}
        ledger.append(conn, site.now(), events.INSTRUCTION_ACKNOWLEDGED, body)
    return done


@dataclass(frozen=True, slots=True)
class Unanswered:
    """One instruction to delete that its recipient has not acknowledged."""

    ending_id: str
    person_id: str
    recipient: str
    at: datetime
    deadline: datetime


def unanswered(
    conn: Connection, person_id: str | None = None, limit: int | None = None, offset: int = 0
) -> list[Unanswered]:
    """The instructions that nobody has acknowledged, of a person or of everybody, the one that is due first ahead."""
    query = select(instruction).where(instruction.c.acknowledged_at.is_(None)).order_by(instruction.c.deadline)
    query = query if person_id is None else query.where(instruction.c.person_id == person_id)
    last = instruction.c.person_id, instruction.c.ending_id, instruction.c.recipient
    rows = conn.execute(query.order_by(*last).limit(limit).offset(offset))
    return [Unanswered(row.ending_id, row.person_id, row.recipient, row.at, row.deadline) for row in rows]


def acknowledged(conn: Connection, ending_id: str) -> list[str]:
    """The recipients that acknowledged an instruction of one ending."""
    mine = (instruction.c.ending_id == ending_id) & instruction.c.acknowledged_at.is_not(None)
    return sorted(conn.scalars(select(instruction.c.recipient).where(mine).distinct()))


def waiting(conn: Connection, ending_id: str | None = None) -> dict[str, int]:
    """How many instructions each recipient has not acknowledged, for one ending or for all."""
    query = select(instruction.c.recipient, func.count()).where(instruction.c.acknowledged_at.is_(None))
    if ending_id is not None:
        query = query.where(instruction.c.ending_id == ending_id)
    return {row[0]: row[1] for row in conn.execute(query.group_by(instruction.c.recipient))}
