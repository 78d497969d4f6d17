"""Looking into the ledger: what was entered between two instants, for whoever must account for it. Entries hold no values."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from troth.ledger.events import EVENTS
from troth.ledger.guard import NotForTheLedger
from troth.ledger.tables import entry

MOST = 1_000
"""entries of one answer"""


@dataclass(frozen=True, slots=True)
class Entered:
    """One entry; ``body`` is canonical JSON."""

    id: int
    at: datetime
    event: str
    body: str


_AT = entry.c.at.type
_BETWEEN = (
    select(entry.c.id, entry.c.at, entry.c.event, entry.c.body)
    .where(
        entry.c.event.in_(bindparam("events", expanding=True)),
        entry.c.at >= bindparam("since", type_=_AT),
        entry.c.at < bindparam("until", type_=_AT),
    )
    .order_by(entry.c.at, entry.c.id)
    .limit(bindparam("most"))
)


def between(
    conn: Connection, since: datetime, until: datetime, events: Collection[str], limit: int = MOST
) -> list[Entered]:
    """Up to ``limit`` entries of these ``events`` from ``since`` up to but not at ``until``, oldest first; served by an index.

    To go on, ask again from the last one's instant.

    Raises:
        NotForTheLedger: for an event that the ledger does not know.
    """
    unknown = sorted(set(events) - EVENTS.keys())
    if unknown:
        raise NotForTheLedger(f"The ledger knows no event `{unknown[0]}`.", "ledger/events.py names them.")
    asked = {"events": sorted(events), "since": since, "until": until, "most": min(limit, MOST)}
    return [Entered(*row) for row in conn.execute(_BETWEEN, asked)]
