"""Tries, counted before what was tried is looked at, so that those who try at once are counted one by one.

What could go wrong: two who try at once are both the last that is allowed; somebody who knows nothing keeps the owner out for
ever, by trying on while the door is closed. So tries at one thing take turns, and one that comes while the door is closed is
refused and not counted: the door opens when the oldest of those that were counted has passed, whoever goes on.

A try is kept for a day under a mark, the keyed hash of whom it was about.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, delete, insert, select

from troth.clock import DAY
from troth.logins.rules import may_try
from troth.store.turns import take_turns


@dataclass(frozen=True, slots=True)
class Tries:
    """The tries that one table keeps, in its columns ``mark`` and ``at``."""

    table: Table

    def enter(
        self,
        conn: Connection,
        mark: bytes,
        now: datetime,
        rule: Callable[[Collection[datetime], datetime], bool] = may_try,
    ) -> bool:
        """Count one more try, in the caller's transaction, if those of the last day leave room for it; whether they do.

        ``forgive`` takes it back when it was right. To be called before anything else is locked.
        """
        take_turns(conn, f"try:{mark.hex()}")
        mine = (self.table.c.mark == mark) & (self.table.c.at > now - DAY)
        if not rule(list(conn.scalars(select(self.table.c.at).where(mine))), now):
            return False
        conn.execute(insert(self.table).values(mark=mark, at=now))
        return True

    def forgive(self, conn: Connection, mark: bytes) -> None:
        """Forget the tries at what was right now."""
        conn.execute(delete(self.table).where(self.table.c.mark == mark))
