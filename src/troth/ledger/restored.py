"""Going on after a store was cut, exchanged or put back: an act of its own, with a reason, on the ledger for ever.

A ledger that does not contain its kept head stays broken until somebody says why and answers for it. What is recorded names the
head that was lost, so that whoever holds a witness of it (``witness``) finds here why it is not in the tree any more. From then
on the site seals again, and nothing leaves it until that is released: an old copy does not know what was said since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from troth.clock import to_micros
from troth.errors import InvalidInput
from troth.ids import new_id
from troth.ledger import events, heads
from troth.ledger.actions import append
from troth.ledger.checkpoints import Checkpoint
from troth.ledger.tables import entry, restoration
from troth.store.site import Site

RECORDED, RESTORED, ACCEPTED = "recorded", "restored", "accepted"
_DONE = {
    RESTORED: "A backup was restored",
    RECORDED: "A store that was put back was accepted",
    ACCEPTED: "What stores hold otherwise than Troth wrote was accepted",
}
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
        return f"{_DONE[self.kind]} on {self.at:%Y-%m-%d %H:%M} UTC by {self.made_by}: {self.because}"


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
    carried: tuple[int, int] | None = None,
) -> str:
    """Enter a restoration into the data and the ledger, in the caller's transaction; its id.

    ``carried``: which entries say what is yet to be done again, as ``Unfinished`` has them.
    """
    now = site.now()
    made = new_id(now)
    row = {"id": made, "at": now, "kind": kind, "because": because, "made_by": by, "backup_at": backup_at}
    conn.execute(insert(restoration), row)
    body: dict[str, object] = {"restoration": made, "by": by, "because": hashlib.sha256(because.encode()).hexdigest()}
    there = last.size if last else 0
    body |= {"kept": there if problem is None or problem.kept is None else problem.kept, "backup": backup_at}
    if problem is not None:
        lost = problem.lost
        body |= {"found": problem.kind, "lost": None if lost is None else {"size": lost.size, "root": lost.root.hex()}}
    if carried is not None:
        body["carried"] = list(carried)
    append(conn, now, events.LEDGER_RESTORED if kind == RECORDED else events.STORE_RESTORED, body)
    return made


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A restoration that was recorded, and of which what was done in between is not all done again.

    What that is the entries say from the position ``first`` on, up to the id ``until``. ``found`` is what was wrong then.
    """

    restoration: str
    at: datetime
    first: int
    until: int
    found: heads.Problem


def unfinished(conn: Connection) -> Unfinished | None:
    """The last restoration that was recorded, while it is not finished."""
    row = conn.execute(_LAST_OF, {"event": events.LEDGER_RESTORED}).first()
    body = json.loads(row.body) if row else {}
    if row is None or "carried" not in body:
        return None
    done = conn.execute(_LAST_OF, {"event": events.LEDGER_REPLAYED}).first()
    if done is not None and json.loads(done.body)["restoration"] == body["restoration"]:
        return None
    lost = body["lost"]
    head = Checkpoint(int(lost["size"]), row.at, bytes.fromhex(lost["root"]), b"", "", b"") if lost else None
    problem = heads.Problem(body["found"], head, row.at, int(body["kept"]))
    first, until = body["carried"]
    return Unfinished(str(body["restoration"]), row.at, int(first), int(until), problem)


def finish(site: Site, conn: Connection, restoration_id: str) -> None:
    """Say on the ledger, in the caller's transaction, that a restoration is finished."""
    append(conn, site.now(), events.LEDGER_REPLAYED, {"restoration": restoration_id})


_LAST_OF = (
    select(entry.c.id, entry.c.at, entry.c.body)
    .where(entry.c.event == bindparam("event"))
    .order_by(entry.c.id.desc())
    .limit(1)
)


def note(conn: Connection, made: str, at: datetime, kind: str, because: str, by: str) -> None:
    """Keep a reason for which nothing waits to be released, in the caller's transaction."""
    row = {"id": made, "at": at, "kind": kind, "because": because, "made_by": by, "released_at": at, "released_by": by}
    conn.execute(insert(restoration), row)


def history(conn: Connection) -> list[Restoration]:
    """Every restoration, oldest first."""
    return [Restoration(*row) for row in conn.execute(select(restoration).order_by(restoration.c.at, restoration.c.id))]


def lost_between(conn: Connection) -> list[tuple[int, int]]:
    """After when and until when entries tell of what the store lost when it was put back, in microseconds since 1970.

    A backup lost what was done after it; a store that was put back by hand lost what an export of the ledger, carried over
    then, tells more than it did. Where stores were accepted as they were found nothing was lost.
    """
    when = select(restoration.c.backup_at, restoration.c.at).where(restoration.c.kind == RESTORED)
    lost = [(to_micros(since), to_micros(until)) for since, until in conn.execute(when) if since is not None]
    recorded = select(entry.c.at, entry.c.body).where(entry.c.event == events.LEDGER_RESTORED)
    for until, body in conn.execute(recorded).all():
        first, last = json.loads(body).get("carried", (0, 0))
        if last:
            own = conn.scalar(select(entry.c.at).where(entry.c.position == first - 1))
            lost.append((to_micros(own) if own else 0, to_micros(until)))
    return sorted(lost)


def lost(conn: Connection) -> Callable[[datetime], bool]:
    """Whether what an entry of an instant tells of may be lost by a restoration: it is of a time ``lost_between``."""
    spans = lost_between(conn)
    return lambda at: any(since < to_micros(at) <= until for since, until in spans)


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
