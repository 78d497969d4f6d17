"""Dealings: what is going on with a person (an order, a ticket, a request), so that use is tied to it and ends with it.

A dealing is opened and closed with its cause. The kind is any word that a purpose of the policy ``needs``, or one of
``registration``, ``contact`` and ``notice``; the reference is the operator's own opaque number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from troth import ledger
from troth.errors import Refused
from troth.ids import new_id
from troth.ledger import events
from troth.people.tables import dealing
from troth.policy.rules import one_word
from troth.store.site import Site

BATCH = 1000
_NAMED = select(dealing).where(dealing.c.kind == bindparam("kind"), dealing.c.ref == bindparam("ref"))
_OPENING = insert(dealing)


def open_dealing(
    site: Site,
    conn: Connection,
    person_id: str,
    kind: str,
    ref: str,
    at: datetime,
    warranty_ends_at: datetime | None = None,
) -> str:
    """Open a dealing in the caller's transaction and return its id; the same one opened twice stays one.

    Raises:
        Refused: when the reference is already another person's.
    """
    found = conn.execute(_NAMED, {"kind": kind, "ref": ref}).first()
    if found is not None:
        if found.person_id != person_id:
            raise Refused(f"This {kind} is somebody else's.", "Every dealing needs a reference of its own.")
        return str(found.id)
    made = new_id(site.now())
    row = {"id": made, "person_id": person_id, "kind": kind, "ref": ref, "at": at}
    conn.execute(_OPENING, {**row, "warranty_ends_at": warranty_ends_at})
    ledger.append(
        conn, site.now(), events.DEALING_OPENED, {"person": person_id, "dealing": made, "kind": one_word(kind)}
    )
    return made


def close_dealing(site: Site, conn: Connection, person_id: str, kind: str, ref: str, at: datetime) -> bool:
    """Close a person's dealing in the caller's transaction; False when there is none of theirs open under this reference."""
    mine = (dealing.c.person_id == person_id) & (dealing.c.kind == kind) & (dealing.c.ref == ref)
    changed = conn.execute(update(dealing).where(mine, dealing.c.closed_at.is_(None)).values(closed_at=at)).rowcount
    if changed:
        ledger.append(conn, site.now(), events.DEALING_CLOSED, {"person": person_id, "kind": one_word(kind)})
    return bool(changed)


_OPEN = select(dealing.c.person_id, dealing.c.kind, dealing.c.ref).where(
    dealing.c.person_id.in_(bindparam("ids", expanding=True)), dealing.c.closed_at.is_(None)
)


def open_cases(conn: Connection, person_ids: Collection[str]) -> Mapping[str, frozenset[tuple[str, str]]]:
    """Kind and reference of every open dealing of each of these people; whoever has none is left out."""
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    ids = list(person_ids)
    for start in range(0, len(ids), BATCH):
        for row in conn.execute(_OPEN, {"ids": ids[start : start + BATCH]}):
            found[row.person_id].add((row.kind, row.ref))
    return {person_id: frozenset(cases) for person_id, cases in found.items()}
