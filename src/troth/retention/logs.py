"""Logs with a clock of their own, those of requests and of the staff: each table of theirs is held against its time.

The record of a request is more than its row of the log: the request itself, its paper, its steps and the keys of their days.
Its links and replies need no look: no database keeps them without their request.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import column, func, select, table, union_all

from troth.people.keystore import keys_read
from troth.policy.clocks import REQUEST_LOG, STAFF_LOG
from troth.policy.periods import Period
from troth.proof import Proof, Proving, Some
from troth.retention.heartbeat import SWEEP_EVERY
from troth.store.schema import Instant

_PARTS: Mapping[str, tuple[str, ...]] = {
    REQUEST_LOG: ("request_log", "request", "request_paper", "request_step"),
    STAFF_LOG: ("staff_log",),
}
"""the tables of each log, the log itself ahead, with the instant ``at`` of each row; named by text, since those of requests are
declared in a room above this one"""
_KEYS: Mapping[str, str] = {REQUEST_LOG: "request_key"}
"""the keys of days, in the key store, under which what a log holds is sealed"""
TABLES: Mapping[str, tuple[str, ...]] = {
    log: (*parts, _KEYS[log]) if log in _KEYS else parts for log, parts in _PARTS.items()
}
"""every table that is looked at for a log"""


def log_of(proving: Proving, name: str, keep: Period | None) -> Proof:
    """Whether nothing of the log ``name`` (``request log``, ``staff log``) is older than ``keep``."""
    limit = proving.say("{keep}", keep=keep) if keep else proving.say("no time")
    if keep is None:
        return proving.nothing_yet("query", limit, "there is nothing to look at so far")
    rows, oldest = _looked(proving, name)
    evidence = proving.say("{all} looked at", all=Some(rows, "entry"))
    if oldest is not None and proving.now > (over := proving.compiled.calendar.end(oldest, keep)) + 2 * SWEEP_EVERY:
        age, late = proving.now - oldest, proving.now - over
        measured = proving.say("oldest {age}, {late} too old", age=age, late=late)
        return Proof("broken", "query", limit, measured, evidence)
    if _keys_left(proving, name, proving.compiled.calendar.cutoff(proving.now - 2 * SWEEP_EVERY, keep)):
        return Proof("broken", "query", limit, proving.say("the key of a day that is over is still there"), evidence)
    if oldest is None:
        return proving.nothing_yet("query", limit, "there is nothing to look at so far")
    return Proof("kept", "query", limit, proving.say("oldest {age}", age=proving.now - oldest), evidence)


def _looked(proving: Proving, name: str) -> tuple[int, datetime | None]:
    """How many rows the log itself has, and when the oldest row of all its tables was written."""
    parts = [table(one, column("at", Instant())) for one in _PARTS[name]]
    rows = proving.conn.scalar(select(func.count()).select_from(parts[0])) or 0
    oldest = union_all(*(select(func.min(one.c.at).label("oldest")) for one in parts))
    return rows, min(filter(None, proving.conn.scalars(oldest)), default=None)


def _keys_left(proving: Proving, name: str, over: datetime) -> bool:
    """Whether there is a key of a day that ended at or before ``over``."""
    if name not in _KEYS:
        return False
    days = table(_KEYS[name], column("day"))
    with keys_read(proving.site) as conn:
        query = select(days.c.day).where(days.c.day < f"{over:%Y%m%d}").limit(1)
        return conn.execute(query).first() is not None
