"""Telling recipients to delete: one instruction for each ending, person and recipient that the disclosures name."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, func, insert, literal, select, update

from troth import agenda, ledger
from troth.ledger import events
from troth.recipients import connectors
from troth.recipients.tables import disclosure, instruction
from troth.store.schema import Instant
from troth.store.site import Site

INSTRUCT = "instruct"
_BATCH = 500


def instruct(site: Site, conn: Connection, ending_id: str, person_ids: Collection[str], deadline: datetime) -> int:
    """Tell everyone who was given data about ``person_ids`` to delete it by ``deadline``; returns how many instructions.

    Disclosures that are still queued are taken back first, so that nothing leaves after its person has gone.
    """
    ids = list(person_ids)
    told = 0
    for start in range(0, len(ids), _BATCH):
        told += _instructed(site, conn, ending_id, ids[start : start + _BATCH], deadline)
    if told:
        for recipient in _recipients(conn, ending_id):
            key = f"{INSTRUCT}:{ending_id}:{recipient}"
            agenda.put(conn, INSTRUCT, key, f"{ending_id}:{recipient}", site.now(), site.now(), deadline)
        ledger.append(conn, site.now(), events.INSTRUCTION_SENT, {"ending": ending_id, "count": told})
    return told


def _instructed(site: Site, conn: Connection, ending_id: str, people: list[str], deadline: datetime) -> int:
    theirs = disclosure.c.person_id.in_(people)
    conn.execute(update(disclosure).where(theirs, disclosure.c.state == "queued").values(state="refused"))
    now, due = literal(site.now(), Instant()), literal(deadline, Instant())
    rows = (
        select(literal(ending_id), disclosure.c.person_id, disclosure.c.recipient, now, due)
        .where(theirs, disclosure.c.state == "delivered")
        .group_by(disclosure.c.person_id, disclosure.c.recipient)
    )
    columns = ["ending_id", "person_id", "recipient", "at", "deadline"]
    return conn.execute(insert(instruction).from_select(columns, rows)).rowcount


def _recipients(conn: Connection, ending_id: str) -> list[str]:
    query = select(instruction.c.recipient).where(instruction.c.ending_id == ending_id).distinct()
    return sorted(conn.scalars(query))


def carry(site: Site, job: agenda.Job) -> None:
    """Bring one recipient its instructions of one ending, in batches; its answer is the acknowledgement."""
    ending_id, _, recipient = job.ref.partition(":")
    while people := _open(site, ending_id, recipient):
        key = f"{job.key}:{people[0]}"
        if not connectors.send(site, recipient, "delete", key, {"people": people}):
            return
        acknowledge(site, ending_id, recipient, people, by="recipient")


def _open(site: Site, ending_id: str, recipient: str) -> list[str]:
    mine = (instruction.c.ending_id == ending_id) & (instruction.c.recipient == recipient)
    query = select(instruction.c.person_id).where(mine, instruction.c.acknowledged_at.is_(None))
    with site.reading() as conn:
        return list(conn.scalars(query.order_by(instruction.c.person_id).limit(_BATCH)))


def acknowledge(site: Site, ending_id: str, recipient: str, people: Collection[str], by: str) -> None:
    """Record that ``recipient`` has deleted; ``by`` is ``recipient``, or the staff role that has its word for it."""
    mine = (instruction.c.ending_id == ending_id) & (instruction.c.recipient == recipient)
    with site.writing() as conn:
        change = {"acknowledged_at": site.now(), "acknowledged_by": by}
        conn.execute(update(instruction).where(mine, instruction.c.person_id.in_(list(people))).values(**change))
        body = {"ending": ending_id, "recipient": recipient, "count": len(people), "by": by.replace(" ", "-")}
        ledger.append(conn, site.now(), events.INSTRUCTION_ACKNOWLEDGED, body)


def waiting(conn: Connection, ending_id: str | None = None) -> dict[str, int]:
    """How many instructions each recipient has not acknowledged, for one ending or for all."""
    query = select(instruction.c.recipient, func.count()).where(instruction.c.acknowledged_at.is_(None))
    if ending_id is not None:
        query = query.where(instruction.c.ending_id == ending_id)
    return {row[0]: row[1] for row in conn.execute(query.group_by(instruction.c.recipient))}
