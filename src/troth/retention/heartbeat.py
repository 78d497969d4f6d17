"""Heartbeats: the last time each task that must never stop came to its end. A silent task is an alarm.

``SWEEP_EVERY`` is the declared interval of the sweeps: data past its clock is hidden at once where reading is by the clock, and
physically gone after at most this long.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import Connection, Executable, bindparam, func, select

from troth.clock import AHEAD, DAY, of_late
from troth.retention.tables import heartbeat
from troth.store.insert import insert_for
from troth.store.tables import policy_version

SWEEP_EVERY = timedelta(hours=1)
SWEEP = "sweep"
DESTROY = "destroy"
VISITS = "visits"
STORES = "stores"
SEAL = "seal"
EXPECTED: Mapping[str, timedelta] = {**dict.fromkeys((SWEEP, DESTROY, VISITS), SWEEP_EVERY), STORES: DAY, SEAL: DAY}
"""The longest that each task waits for its next turn; a worker that serves takes a turn every minute."""


def beat(conn: Connection, task: str, at: datetime) -> None:
    """Note that ``task`` came to its end, in the caller's transaction."""
    beat_all(conn, [task], at)


def beat_all(conn: Connection, tasks: Collection[str], at: datetime) -> None:
    """As ``beat``, for several tasks in one statement."""
    if tasks:
        conn.execute(_beating(conn.dialect.name), [{"task": task, "at": at} for task in sorted(tasks)])


@lru_cache
def _beating(dialect: str) -> Executable:
    row = insert_for(dialect, heartbeat)
    return row.on_conflict_do_update(index_elements=["task"], set_={"at": row.excluded.at})


def lately(conn: Connection, task: str, now: datetime) -> bool:
    """Whether ``task`` came to its end within the interval of the sweeps; a clock that was set back does not count."""
    return of_late(conn.execute(_BEAT, {"task": task}).scalar_one_or_none(), now, SWEEP_EVERY)


def last_turn(conn: Connection, task: str, now: datetime) -> datetime | None:
    """When ``task`` last came to its end, or could begin, if it never did; a beat that is dated ahead is none."""
    at: datetime | None = conn.execute(_BEAT, {"task": task}).scalar_one_or_none()
    return at if at is not None and at <= now + AHEAD else conn.scalar(_BEGUN)


def last(conn: Connection) -> dict[str, datetime]:
    """When each task last came to its end."""
    return {row.task: row.at for row in conn.execute(_LAST)}


_LAST = select(heartbeat)
_BEAT: Executable = select(heartbeat.c.at).where(heartbeat.c.task == bindparam("task"))
_BEGUN = select(func.min(policy_version.c.published_at))
"""when something could run for the first time: a policy may have applied for years before Troth ran it"""


def silent(conn: Connection, now: datetime, expected: Mapping[str, timedelta] = EXPECTED) -> dict[str, datetime]:
    """The tasks that missed two turns, each with the instant it was last heard of: when it could begin, if it never was.

    A beat that is dated ahead is none.
    """
    beats = {task: at for task, at in last(conn).items() if at <= now + AHEAD}
    begun: datetime | None = conn.scalar(_BEGUN)
    heard = {task: beats.get(task, begun) for task in expected}
    return {task: at for task, at in heard.items() if at is not None and at + 2 * expected[task] < now}
