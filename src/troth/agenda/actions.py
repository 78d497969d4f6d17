"""Puts jobs on the agenda: in the transaction of their cause, so that neither is ever without the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, update

from troth.agenda.tables import job
from troth.ids import new_id
from troth.store.insert import insert_for
from troth.store.prepared import Prepared


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be put on the agenda; ``ref`` has ids, names of the policy and instants, never a personal value."""

    kind: str
    key: str
    ref: str
    due_at: datetime
    deadline: datetime | None = None


def put(
    conn: Connection, kind: str, key: str, ref: str, due_at: datetime, at: datetime, deadline: datetime | None = None
) -> bool:
    """Put one job on the agenda, in the caller's transaction; false when there was one with this key, done or not."""
    return put_many(conn, [NewJob(kind, key, ref, due_at, deadline)], at) == 1


def put_many(conn: Connection, jobs: Sequence[NewJob], at: datetime) -> int:
    """Put ``jobs`` on the agenda in one statement, in the caller's transaction; how many of their keys were new."""
    if not jobs:
        return 0
    rows = [_row(new, at) for new in {new.key: new for new in reversed(jobs)}.values()]
    return _PUTTING.many(conn, rows)


def settle(conn: Connection, key: str, at: datetime) -> None:
    """Note, in the transaction of the work itself, that the job with this key was done by whoever put it there."""
    conn.execute(_SETTLING, {"settled": key, "at": at})


_SETTLING = (
    update(job)
    .where(job.c.key == bindparam("settled"), job.c.done_at.is_(None))
    .values(done_at=bindparam("at", type_=job.c.done_at.type), lease_until=None, problem="")
)
_PUTTING = Prepared(
    lambda dialect: insert_for(dialect, job).on_conflict_do_nothing(index_elements=["key"]),
    ("id", "kind", "key", "ref", "due_at", "deadline", "attempts", "problem"),
    together=True,
)


def _row(new: NewJob, at: datetime) -> dict[str, object]:
    row: dict[str, object] = {"id": new_id(at), "kind": new.kind, "key": new.key, "ref": new.ref}
    return row | {"due_at": new.due_at, "deadline": new.deadline, "attempts": 0, "problem": ""}
