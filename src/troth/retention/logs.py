"""Logs with a clock of their own, such as that of requests: found in the database by name, so that a log cannot hide.

A log is a table with a column ``at`` (an instant). One that the policy sets a time for, and that no room has made yet, has
nothing to check yet; once it is there its oldest row is held against the time.
"""

from __future__ import annotations

from sqlalchemy import column, func, inspect, select, table

from troth.policy.periods import Period
from troth.proof import Proof, Proving, Some
from troth.retention.heartbeat import SWEEP_EVERY
from troth.store.schema import Instant


def log_of(proving: Proving, name: str, keep: Period | None) -> Proof:
    """Whether the log ``name`` (``request log``, ``staff log``) holds nothing older than ``keep``."""
    limit = proving.say("{keep}", keep=keep) if keep else proving.say("no time")
    there = inspect(proving.conn).has_table(name.replace(" ", "_"))
    if not there or keep is None:
        return proving.nothing_yet("query", limit, "there is nothing to look at so far")
    log = table(name.replace(" ", "_"), column("at", Instant()))
    rows, oldest = proving.conn.execute(select(func.count(), func.min(log.c.at)).select_from(log)).one()
    evidence = proving.say("{all} looked at", all=Some(rows, "entry"))
    if oldest is None:
        return proving.nothing_yet("query", limit, "there is nothing to look at so far")
    age = proving.now - oldest
    over = proving.compiled.calendar.end(oldest, keep)
    if proving.now > over + 2 * SWEEP_EVERY:
        measured = proving.say("oldest {age}, {late} too old", age=age, late=proving.now - over)
        return Proof("broken", "query", limit, measured, evidence)
    return Proof("kept", "query", limit, proving.say("oldest {age}", age=age), evidence)
