"""Takes due jobs and runs them.

What could go wrong: a worker dies in the middle of a job, or after the work and before saying so; two workers take the same
job; one job that always fails, or kills its worker, keeps the others waiting. So a job is taken by moving its due time to the
end of a lease, in one statement that two workers cannot both win. A worker that dies leaves the job due again when the lease
ends, behind everything that fell due before then: whatever kills workers goes to the back of the queue each time. The same job
may therefore run twice, one run after the other, and a handler must be idempotent; it never runs twice within a lease.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Select, Update, bindparam, func, select, update

from troth.agenda.rules import next_try
from troth.agenda.tables import job
from troth.errors import TrothError
from troth.store.schema import Instant
from troth.store.site import Site

LEASE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Job:
    """A job that a worker has taken: it may work until ``lease_until``; ``attempts`` counts this one too."""

    id: str
    kind: str
    key: str
    ref: str
    attempts: int
    deadline: datetime | None
    lease_until: datetime


Handler = Callable[[Site, Job], None]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a worker did: jobs done, jobs that failed and will be tried again, and jobs still due."""

    done: int
    failed: int
    left: int


def run_due(site: Site, handlers: Mapping[str, Handler], limit: int = 50, lease: timedelta = LEASE) -> Ran:
    """Take up to ``limit`` due jobs of the kinds in ``handlers`` and run them, those that failed least first.

    A handler's exception is recorded, without personal values, and its job tried again later.

    Raises:
        StoreError: when the store is gone or locked; jobs taken and not run are due again when the lease ends.
    """
    taken = _take(site, sorted(handlers), limit, lease)
    failed = done = 0
    for taken_job in taken:
        if site.now() >= taken_job.lease_until:
            break  # another worker may have it by now
        problem = _attempt(site, handlers[taken_job.kind], taken_job)
        _record(site, taken_job, problem)
        failed, done = failed + bool(problem), done + (not problem)
    if not taken:
        return Ran(0, 0, 0)
    with site.reading() as conn:
        left = conn.execute(due(site.now(), sorted(handlers)).with_only_columns(func.count())).scalar_one()
    return Ran(done, failed, left)


def due(now: datetime, kinds: Sequence[str]) -> Select[tuple[str]]:
    """The query for the ids of open jobs of ``kinds`` that are due; a job under lease is due when that ends."""
    return select(job.c.id).where(job.c.done_at.is_(None), job.c.due_at <= now, job.c.kind.in_(kinds))


def taking(now: datetime, kinds: Sequence[str], limit: int, lease: timedelta) -> Update:
    """The statement by which a worker takes jobs; those that another worker is taking at this moment are passed over."""
    first = due(now, kinds).order_by(job.c.due_at).limit(limit).with_for_update(skip_locked=True).cte("first")
    until = now + lease
    return (
        update(job)
        .where(job.c.id.in_(select(first.c.id)))
        .values(lease_until=until, due_at=until, attempts=job.c.attempts + 1)
    )


def _take(site: Site, kinds: Sequence[str], limit: int, lease: timedelta) -> list[Job]:
    if not _anything_due(site, kinds):
        return []
    columns = (job.c[name] for name in Job.__slots__)
    with site.writing() as conn:
        rows = conn.execute(taking(site.now(), kinds, limit, lease).returning(*columns)).all()
    return sorted((Job(*row) for row in rows), key=lambda taken: (taken.attempts, taken.id))


_DUE = (
    select(job.c.id)
    .where(job.c.done_at.is_(None), job.c.due_at <= bindparam("now", type_=Instant()))
    .where(job.c.kind.in_(bindparam("kinds", expanding=True)))
    .limit(1)
)


def _anything_due(site: Site, kinds: Sequence[str]) -> bool:
    """Looked up before anything is taken: most turns find nothing, and a look holds nobody up."""
    with site.reading() as conn:
        return conn.execute(_DUE, {"now": site.now(), "kinds": list(kinds)}).first() is not None


def _attempt(site: Site, handler: Handler, taken: Job) -> str:
    """Run ``handler``; what went wrong in words without personal values, or nothing."""
    try:
        handler(site, taken)
    except TrothError as error:
        return f"{type(error).__name__}: {error.message}"
    except Exception as error:
        return type(error).__name__  # anybody's text may quote what it stumbled over
    return ""


def _record(site: Site, taken: Job, problem: str) -> None:
    with site.writing() as conn:
        if problem:
            _postpone(conn, taken, site.now(), problem)
        else:
            conn.execute(
                update(job).where(job.c.id == taken.id).values(done_at=site.now(), lease_until=None, problem="")
            )


def _postpone(conn: Connection, taken: Job, now: datetime, problem: str) -> None:
    mine = (job.c.id == taken.id, job.c.done_at.is_(None), job.c.lease_until == taken.lease_until)
    later = next_try(now, taken.attempts)
    conn.execute(update(job).where(*mine).values(due_at=later, lease_until=None, problem=problem))
