"""Alarms: a deadline that passed with something still there, and a task that stopped. Each is raised once, on the ledger."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select

from troth import agenda, ledger
from troth.ledger import events
from troth.policy.rules import one_word
from troth.recipients.tables import instruction
from troth.retention import heartbeat, overdue
from troth.retention.tables import alarm, ending
from troth.store.schema import Instant
from troth.store.site import Site

STOPPED = "sweeper stopped"


@dataclass(frozen=True, slots=True)
class Alarm:
    """What is wrong, about what, since when; the words are for the operator and hold no personal values."""

    kind: str
    subject: str
    since: datetime
    words: str

    @property
    def key(self) -> tuple[str, str]:
        """What makes two alarms the same one."""
        return self.kind, self.subject


def alarms(site: Site, more: Sequence[Alarm] = ()) -> list[Alarm]:
    """All that is wrong now, ``more`` from other rooms included; what is new goes on the ledger, and what is over, too."""
    with site.reading() as conn:
        found = [*_found(site, conn), *more]
        changed = _known(conn) != {one.key for one in found}
    if changed:
        with site.writing() as conn:
            _enter(conn, found, site.now())
    return found


def raised(conn: Connection, kind: str) -> list[tuple[str, datetime]]:
    """Of what alarms of one kind are raised, and since when."""
    query = select(alarm.c.subject, alarm.c.since).where(alarm.c.kind == kind).order_by(alarm.c.subject)
    return [(row.subject, row.since) for row in conn.execute(query)]


def stand(site: Site, conn: Connection, kind: str, subjects: Collection[str]) -> None:
    """Let alarms of one kind stand about ``subjects`` and nothing else, in the caller's transaction."""
    known, now = {subject for subject, _ in raised(conn, kind)}, site.now()
    for subject in sorted(set(subjects) - known):
        _raise(conn, kind, subject, now, now)
    for subject in sorted(known - set(subjects)):
        _end(conn, kind, subject, now)


def to_show(conn: Connection, now: datetime) -> list[tuple[str, datetime]]:
    """What is raised, and tasks of the worker that do not run, whether or not anybody was there to raise that; oldest first."""
    there = {(row.kind, row.subject): row.since for row in conn.execute(select(alarm))}
    there |= {(STOPPED, task): since for task, since in heartbeat.silent(conn, now).items()}
    return sorted(((kind, since) for (kind, _), since in there.items()), key=lambda one: one[1])


def _found(site: Site, conn: Connection) -> list[Alarm]:
    now = site.now()
    found = [
        Alarm(STOPPED, task, since, f"`{task}` has not run since.")
        for task, since in heartbeat.silent(conn, now).items()
    ]
    found += [
        Alarm("clock overdue", one.clock, one.since, f"{one.count} holdings are past the clock `{one.clock}`.")
        for one in overdue.overdue(conn, site.policy(conn), now)
    ]
    found += _endings(conn, now)
    found += [
        Alarm("job late", f"{late.kind}:{late.id}", late.deadline, "A job missed its deadline.")
        for late in agenda.overdue(conn, now)
    ]
    return found + _instructions(conn, now)


def _endings(conn: Connection, now: datetime) -> list[Alarm]:
    words = "Quarantined data was not destroyed in time."
    return [Alarm("ending late", row.id, row.destroy_by, words) for row in conn.execute(_LATE, {"now": now})]


_NOW = bindparam("now", type_=Instant())
_LATE = (
    select(ending.c.id, ending.c.destroy_by)
    .where(ending.c.state.in_(("quarantined", "destroying")), ending.c.destroy_by <= _NOW)
    .order_by(ending.c.destroy_by)
)
_TOLD = (instruction.c.ending_id, instruction.c.recipient, instruction.c.deadline)
_SILENT = (
    select(*_TOLD)
    .where(instruction.c.acknowledged_at.is_(None), instruction.c.deadline <= _NOW)
    .distinct()
    .order_by(*_TOLD)
)
_RAISED = select(alarm.c.kind, alarm.c.subject)


def _instructions(conn: Connection, now: datetime) -> list[Alarm]:
    rows = conn.execute(_SILENT, {"now": now})
    words = "A recipient has not said that it deleted what it was told to delete."
    return [Alarm("recipient silent", f"{row.ending_id}:{row.recipient}", row.deadline, words) for row in rows]


def _known(conn: Connection) -> set[tuple[str, str]]:
    return {(row.kind, row.subject) for row in conn.execute(_RAISED)}


def _enter(conn: Connection, found: Sequence[Alarm], now: datetime) -> None:
    known = _known(conn)
    for one in {one.key: one for one in found}.values():
        if one.key not in known:
            _raise(conn, one.kind, one.subject, one.since, now)
    for kind, subject in known - {one.key for one in found}:
        _end(conn, kind, subject, now)


def _raise(conn: Connection, kind: str, subject: str, since: datetime, now: datetime) -> None:
    conn.execute(insert(alarm).values(kind=kind, subject=subject, since=since, raised_at=now))
    ledger.append(conn, now, events.ALARM_RAISED, {**_body(kind, subject), "since": since})


def _end(conn: Connection, kind: str, subject: str, now: datetime) -> None:
    conn.execute(delete(alarm).where(alarm.c.kind == kind, alarm.c.subject == subject))
    ledger.append(conn, now, events.ALARM_ENDED, _body(kind, subject))


def _body(kind: str, subject: str) -> dict[str, object]:
    return {"kind": one_word(kind), "subject": subject}
