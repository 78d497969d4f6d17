"""Heartbeats: the last time each task that must never stop came to its end. A silent task is an alarm.

``SWEEP_EVERY`` is the declared interval of the sweeps: data past its clock is hidden at once where reading is by the clock, and
physically gone after at most this long.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from troth.retention.tables import heartbeat
from troth.store.insert import insert_into
from troth.store.tables import policy_version

SWEEP_EVERY = timedelta(hours=1)
SWEEP = "sweep"
DESTROY = "destroy"
VISITS = "visits"
EXPECTED: Mapping[str, timedelta] = dict.fromkeys((SWEEP, DESTROY, VISITS), SWEEP_EVERY)


def beat(conn: Connection, task: str, at: datetime) -> None:
    """Note that ``task`` came to its end, in the caller's transaction."""
    row = insert_into(conn, heartbeat).values(task=task, at=at)
    conn.execute(row.on_conflict_do_update(index_elements=["task"], set_={"at": row.excluded.at}))


def last(conn: Connection) -> dict[str, datetime]:
    """When each task last came to its end."""
    return {row.task: row.at for row in conn.execute(select(heartbeat))}


def silent(conn: Connection, now: datetime, expected: Mapping[str, timedelta] = EXPECTED) -> dict[str, datetime]:
    """The tasks that missed two turns, each with the instant it was last heard of (at first: when the site began)."""
    beats = last(conn)
    begun: datetime | None = conn.scalar(select(func.min(policy_version.c.effective_at)))
    heard = {task: beats.get(task, begun) for task in expected}
    return {task: at for task, at in heard.items() if at is not None and at + 2 * expected[task] < now}
