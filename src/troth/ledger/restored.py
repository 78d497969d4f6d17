"""Going on after a store was cut, exchanged or put back: an act of its own, with a reason, on the ledger for ever.

A ledger that does not contain its kept head stays broken until somebody says why and answers for it. What is recorded names the
head that was lost, so that whoever holds a witness of it (``witness``) finds here why it is not in the tree any more. From then
on the site seals again, and nothing leaves it until that is released: an old copy does not know what was said since.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from troth.errors import InvalidInput
from troth.ids import new_id
from troth.ledger import events, heads
from troth.ledger.actions import append
from troth.ledger.checkpoints import Checkpoint
from troth.ledger.tables import restoration
from troth.store.site import Site

RECORDED, RESTORED = "recorded", "restored"
LONGEST = 500
"""characters of a reason"""


@dataclass(frozen=True, slots=True)
class Restoration:
    """One time that a store was put back: what for, who answers for it, and since when anything leaves the site again."""

    id: str
    at: datetime
    kind: str
    because: str
    made_by: str
    backup_at: datetime | None
    released_at: datetime | None
    released_by: str | None

    def line(self) -> str:
        """What was done, when, by whom and why."""
        what = "A backup was restored" if self.kind == RESTORED else "A store that was put back was accepted"
        return f"{what} on {self.at:%Y-%m-%d %H:%M} UTC by {self.made_by}: {self.because}"


def role_and_reason(because: str, by: str) -> tuple[str, str]:
    """The role as one word, and the reason. Raises ``InvalidInput`` when one is missing or too long."""
    role, reason = by.strip().lower().replace(" ", "_"), because.strip()
    missing = {name: "is missing" for name, value in (("by", role), ("because", reason)) if not value}
    if missing or len(reason) > LONGEST or len(role) > 63:
        problems = missing or {"because": f"is longer than {LONGEST} characters"}
        raise InvalidInput("Going on after a restore needs a role that answers for it and a reason.", problems)
    return role, reason


def enter(
    site: Site,
    conn: Connection,
    kind: str,
    because: str,
    by: str,
    problem: heads.Problem | None,
    last: Checkpoint | None,
    backup_at: datetime | None = None,
) -> str:
    """Enter a restoration into the data and the ledger, in the caller's transaction; its id."""
    now = site.now()
    made = new_id(now)
    row = {"id": made, "at": now, "kind": kind, "because": because, "made_by": by, "backup_at": backup_at}
    conn.execute(insert(restoration), row)
    body: dict[str, object] = {"restoration": made, "by": by, "because": hashlib.sha256(because.encode()).hexdigest()}
    body |= {"kept": last.size if last else 0, "backup": backup_at}
    if problem is not None:
        lost = problem.lost
        body |= {"found": problem.kind, "lost": None if lost is None else {"size": lost.size, "root": lost.root.hex()}}
    append(conn, now, events.LEDGER_RESTORED if kind == RECORDED else events.STORE_RESTORED, body)
    return made


def history(conn: Connection) -> list[Restoration]:
    """Every restoration, oldest first."""
    return [Restoration(*row) for row in conn.execute(select(restoration).order_by(restoration.c.at, restoration.c.id))]


def silenced(conn: Connection) -> bool:
    """Whether a store was put back and nobody has said yet that mail and deliveries may leave again."""
    return conn.execute(_OPEN).first() is not None


_OPEN = select(restoration.c.id).where(restoration.c.released_at.is_(None)).limit(1)


def release(site: Site, conn: Connection, by: str) -> int:
    """Let things leave again, in the caller's transaction; how many restorations were waiting for that."""
    still = restoration.c.released_at.is_(None)
    done = conn.execute(update(restoration).where(still).values(released_at=site.now(), released_by=by)).rowcount
    if done:
        append(conn, site.now(), events.STORE_RELEASED, {"by": by, "count": done})
    return done
