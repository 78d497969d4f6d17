"""Endings on record: why data goes, by when, and where it now is; each with its entry on the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert

from troth import ledger
from troth.ledger import events
from troth.retention.clocks import destroys_at
from troth.retention.destroy import destroyed_body
from troth.retention.tables import ending
from troth.store.prepared import Prepared
from troth.store.site import Site

QUARANTINED, DESTROYED = "quarantined", "destroyed"


@dataclass(frozen=True, slots=True)
class Entered:
    """An ending whose data has just gone into quarantine, or was ``DESTROYED`` where it lay.

    Attributes:
        counted: holdings.
        everywhere: whether recipients must be told to delete.
        person_id: blank for a clock's batch over many people.
        fields: those that go, of an ending of some fields of a person; by these it can be begun again after a restore.
        swept: when a sweep came to its end before this one, of what a clock ends: whether this one was late is seen by it.
    """

    id: str
    cause: str
    deadline: datetime
    counted: int
    everywhere: bool
    person_id: str | None = None
    scope: str = "fields"
    state: str = QUARANTINED
    fields: tuple[str, ...] = ()
    swept: datetime | None = None


def enter(site: Site, conn: Connection, endings: Sequence[Entered]) -> None:
    """Record endings, each with its ledger entry."""
    now = site.now()
    _ENTERING.many(conn, [_row(one, now, site.wiring.margin) for one in endings])
    ledger.append_all(conn, now, [_told(one) for one in endings])


_ENTERING = Prepared(
    insert(ending), [column.name for column in ending.c if column.name != "complete_at"], together=True
)


def _row(one: Entered, now: datetime, margin: timedelta) -> dict[str, object]:
    row: dict[str, object] = {"id": one.id, "cause": one.cause, "person_id": one.person_id, "scope": one.scope}
    row |= {"state": one.state, "began_at": now, "destroys_at": destroys_at(now, one.deadline, margin)}
    row |= {"destroy_by": one.deadline, "counted": one.counted, "everywhere": int(one.everywhere)}
    return row | {"destroyed_at": now if one.state == DESTROYED else None}


def _told(one: Entered) -> ledger.Told:
    swept = {"swept": one.swept} if one.swept is not None else {}
    if one.state == DESTROYED:
        body = destroyed_body(one.id, one.cause, one.counted, 0) | {"by": one.deadline}
        return events.ENDING_DESTROYED, body | swept
    body = {"ending": one.id, "cause": one.cause, "count": one.counted, "by": one.deadline, "person": one.person_id}
    body |= swept
    if one.person_id is not None:
        body |= {"scope": one.scope, "fields": list(one.fields)}
    return events.ENDING_QUARANTINED, body
