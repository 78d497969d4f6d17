"""Looks at the agenda without touching it: what waits, what is late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, not_, or_, select

from troth.agenda.rules import last_try
from troth.agenda.tables import job


@dataclass(frozen=True, slots=True)
class Late:
    """An open job whose deadline has passed."""

    id: str
    kind: str
    ref: str
    deadline: datetime
    attempts: int
    problem: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many open jobs are due, in a worker's hands, and to come; ``failing`` of them failed when last tried."""

    due: int
    taken: int
    later: int
    failing: int


@dataclass(frozen=True, slots=True)
class Failing:
    """How many open jobs failed in the same way when they were last tried, and when the last of them was tried."""

    number: int
    tried_at: datetime


def failing(conn: Connection, error: type[Exception]) -> Failing | None:
    """The open jobs that ended with ``error``; None when there are none. Those in a worker's hands are left out."""
    ended = job.c.problem.startswith(f"{error.__name__}:", autoescape=True)
    query = select(job.c.attempts, func.count(), func.max(job.c.due_at)).group_by(job.c.attempts)
    rows = conn.execute(query.where(job.c.done_at.is_(None), job.c.lease_until.is_(None), ended)).all()
    if not rows:
        return None
    return Failing(sum(number for _, number, _ in rows), max(last_try(due, tried) for tried, _, due in rows))


def problems(conn: Connection, most: int = 5) -> list[tuple[str, int]]:
    """What open jobs ended with when they were last tried, in words, the most frequent first, each with how many."""
    open_ = (job.c.done_at.is_(None), job.c.problem != "")
    query = select(job.c.problem, func.count()).where(*open_).group_by(job.c.problem)
    return [(row[0], row[1]) for row in conn.execute(query.order_by(func.count().desc(), job.c.problem).limit(most))]


def late_jobs(now: datetime) -> Select[Any]:
    """The query for open jobs whose deadline has come, the one due first ahead."""
    columns = (job.c[name] for name in Late.__slots__)
    return select(*columns).where(job.c.done_at.is_(None), job.c.deadline <= now).order_by(job.c.deadline)


def overdue(conn: Connection, now: datetime) -> list[Late]:
    """Open jobs whose deadline has come, the one due first ahead: each is an alarm."""
    return [Late(*row) for row in conn.execute(late_jobs(now))]


def waiting(conn: Connection, now: datetime) -> Waiting:
    """Count the open jobs, in one statement."""
    due, taken = job.c.due_at <= now, and_(job.c.lease_until.is_not(None), job.c.lease_until > now)
    counts = (_count(condition) for condition in (due, taken, not_(or_(due, taken)), job.c.problem != ""))
    return Waiting(*map(int, conn.execute(select(*counts).where(job.c.done_at.is_(None))).one()))


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
