"""Tries, counted before what was tried is looked at, so that those who try at once are counted one by one.

A try is kept for a day as a keyed hash of whom it was about: an address, known here or not, or a member.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from troth.accounts.tables import attempt
from troth.logins.rules import may_try
from troth.people.blind import blind
from troth.store.secret import read_ring
from troth.store.site import Site
from troth.store.turns import take_turns


def mark_of(site: Site, what: str, whom: str) -> bytes:
    """What stands for tries at ``what`` about ``whom``. Raises ``StoreError`` when the site's secret is missing."""
    return blind(read_ring(site).index, what, whom)


def enter(
    site: Site, conn: Connection, mark: bytes, rule: Callable[[Collection[datetime], datetime], bool] = may_try
) -> bool:
    """Count one more try, in the caller's transaction, and say whether the ones before it leave room for it.

    ``forgive`` takes it back when it was right. To be called before anything else is locked.
    """
    take_turns(conn, f"try:{mark.hex()}")
    before = list(conn.scalars(select(attempt.c.at).where(attempt.c.mark == mark)))
    conn.execute(insert(attempt).values(mark=mark, at=site.now()))
    return rule(before, site.now())


def forgive(conn: Connection, mark: bytes) -> None:
    """Forget the tries at what was right now."""
    conn.execute(delete(attempt).where(attempt.c.mark == mark))
