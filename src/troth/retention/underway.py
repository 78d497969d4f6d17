"""What of a person is already on its way out: in quarantine, where nobody reads it, until it is destroyed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select

from troth.clock import from_micros
from troth.people.tables import quarantined
from troth.retention.tables import ending
from troth.store.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Underway:
    """Holdings of a person that end together; ``cause`` is a word and an opaque id, as ``clock:ID``."""

    cause: str
    began_at: datetime
    destroy_by: datetime
    count: int


_OF_PERSON = Prepared(
    select(ending.c.cause, ending.c.began_at, ending.c.destroy_by, func.count())
    .join(quarantined, quarantined.c.ending_id == ending.c.id)
    .where(quarantined.c.person_id == bindparam("person_id"))
    .group_by(ending.c.id, ending.c.cause, ending.c.began_at, ending.c.destroy_by)
    .order_by(ending.c.destroy_by, ending.c.id)
)


def underway(conn: Connection, person_id: str) -> list[Underway]:
    """The endings that hold something of this person, the one that is destroyed first ahead."""
    rows = _OF_PERSON.rows(conn, {"person_id": person_id})
    return [Underway(cause, from_micros(began), from_micros(by), count) for cause, began, by, count in rows]
