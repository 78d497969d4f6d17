"""Events that the policy names and the business reports: periods count from them.

An event is known by the operator's own number of it, so that a report that comes twice, or is mended, stays one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from troth import ledger
from troth.errors import Refused
from troth.ids import new_id
from troth.ledger import events
from troth.ledger.guard import instant
from troth.ledger.restored import lost
from troth.ledger.tables import entry
from troth.people.facts import known
from troth.people.tables import happening
from troth.policy.rules import one_word
from troth.store.site import Site


def report(site: Site, conn: Connection, person_id: str, event: str, ref: str, at: datetime) -> str:
    """Note in the caller's transaction that ``event`` happened at ``at``; the same number again mends the day. Its id.

    Raises:
        Refused: when the number is already another person's.
    """
    mine = (happening.c.event == event) & (happening.c.ref == ref)
    there = conn.execute(select(happening).where(mine).with_for_update()).first()
    if there is not None and there.person_id != person_id:
        raise Refused(f"This {event} is somebody else's.", "Every event needs a number of its own.")
    if there is None:
        made = new_id(site.now())
        conn.execute(insert(happening).values(id=made, person_id=person_id, event=event, ref=ref, at=at))
    else:
        made = str(there.id)
        conn.execute(update(happening).where(happening.c.id == made).values(at=at))
    body = {"person": person_id, "happening": made, "event": one_word(event), "happened": at}
    ledger.append(conn, site.now(), events.EVENT_REPORTED, body)
    return made


def retract(site: Site, conn: Connection, person_id: str, event: str, ref: str) -> bool:
    """Take back what was reported; False when nothing was."""
    mine = (happening.c.event == event) & (happening.c.ref == ref) & (happening.c.person_id == person_id)
    gone = conn.execute(delete(happening).where(mine).returning(happening.c.id)).scalar()
    if gone is not None:
        body = {"person": person_id, "happening": gone, "event": one_word(event)}
        ledger.append(conn, site.now(), events.EVENT_RETRACTED, body)
    return gone is not None


State = tuple[str, str] | None
"""whose a reported event is, and when it happened; None while it is not on record"""


def differences(conn: Connection, event: str) -> tuple[int, int]:
    """How many of what is on record of ``event``, or was reported of people who are here, differ; and how many there are.

    What was reported, mended or taken back and then lost by a restoration on record may be as it was before.
    """
    rows = conn.execute(select(happening.c.id, happening.c.person_id, happening.c.at).where(happening.c.event == event))
    there = {id_: (person_id, instant(at)) for id_, person_id, at in rows}
    may_be = _states(conn, one_word(event))
    wrong = {id_ for id_, one in there.items() if one not in may_be.get(id_, set())}
    missing = {id_: {one[0] for one in states if one} for id_, states in may_be.items() if None not in states}
    gone = {id_: people for id_, people in missing.items() if id_ not in there}
    here = known(conn, {person_id for people in gone.values() for person_id in people})
    wrong |= {id_ for id_, people in gone.items() if not people.isdisjoint(here)}
    return len(wrong), len(there)


def _states(conn: Connection, event: str) -> dict[str, set[State]]:
    """How each reported event may be on record by now, by its id."""
    may_be: dict[str, set[State]] = {}
    is_lost = lost(conn)
    for at, kind, body in _told(conn, event):
        new: State = None if kind == events.EVENT_RETRACTED else (body["person"], body["happened"])
        before = may_be.get(body["happening"], {None}) if is_lost(at) else set()
        may_be[body["happening"]] = {*before, new}
    return may_be


def _told(conn: Connection, event: str) -> Iterator[tuple[datetime, str, dict[str, str]]]:
    query = select(entry.c.at, entry.c.event, entry.c.body).where(
        entry.c.event.in_([events.EVENT_REPORTED, events.EVENT_RETRACTED])
    )
    for at, kind, body in conn.execute(query.order_by(entry.c.id)):
        read = json.loads(body)
        if read["event"] == event:
            yield at, kind, read
