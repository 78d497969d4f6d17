"""Dealings: what is going on with a person (an order, a ticket, a request), so that use is tied to it and ends with it.

A dealing is opened and closed with its cause. The kind is any word that a purpose of the policy ``needs``, or one of
``registration``, ``contact``, ``notice`` and ``log-in``; the reference is the operator's own opaque number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from troth import ledger
from troth.batches import batches
from troth.errors import Refused
from troth.ids import new_id
from troth.ledger import events
from troth.people.tables import dealing
from troth.policy.rules import one_word
from troth.store.prepared import Prepared, among
from troth.store.site import Site

BATCH = 1000
LOG_IN = "log-in"
_NAMED = Prepared(
    select(dealing.c.kind, dealing.c.id, dealing.c.person_id).where(
        among(dealing.c.kind, "kinds"), dealing.c.ref == bindparam("ref")
    )
)
_OPENING = Prepared(insert(dealing), ("id", "person_id", "kind", "ref", "at", "warranty_ends_at"), together=True)


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
    ids, told = open_dealings(site, conn, person_id, [kind], ref, at, warranty_ends_at)
    ledger.append_all(conn, site.now(), told)
    return ids[kind]


def open_dealings(
    site: Site,
    conn: Connection,
    person_id: str,
    kinds: Sequence[str],
    ref: str,
    at: datetime,
    warranty_ends_at: datetime | None = None,
) -> tuple[dict[str, str], list[ledger.Told]]:
    """Open a dealing of each of ``kinds`` under one reference; their ids, and what the caller must tell the ledger of them.

    Raises:
        Refused: as ``open_dealing`` does.
    """
    ids = {}
    for kind, there, whose in _NAMED.rows(conn, {"kinds": list(kinds), "ref": ref}):
        if whose != person_id:
            raise Refused(f"This {kind} is somebody else's.", "Every dealing needs a reference of its own.")
        ids[kind] = there
    made = {kind: new_id(site.now()) for kind in kinds if kind not in ids}
    common = {"person_id": person_id, "ref": ref, "at": at, "warranty_ends_at": warranty_ends_at}
    _OPENING.send(conn, *({"id": id_, "kind": kind, **common} for kind, id_ in made.items()))
    bodies = ({"person": person_id, "dealing": id_, "kind": one_word(kind)} for kind, id_ in made.items())
    return ids | made, [(events.DEALING_OPENED, body) for body in bodies]


def note_log_in(site: Site, conn: Connection, person_id: str, at: datetime) -> bool:
    """Note the day of a log-in as a dealing that is over at once; False when it is noted already.

    Only for a policy by which log-ins keep business going: elsewhere nobody needs to know when somebody was here.
    """
    ref = f"log-in:{at.date().isoformat()}:{person_id}"
    if conn.scalar(select(dealing.c.id).where(dealing.c.kind == LOG_IN, dealing.c.ref == ref)) is not None:
        return False
    open_dealing(site, conn, person_id, LOG_IN, ref, at)
    return close_dealing(site, conn, person_id, LOG_IN, ref, at)


def close_dealing(site: Site, conn: Connection, person_id: str, kind: str, ref: str, at: datetime) -> bool:
    """Close a person's dealing in the caller's transaction; False when there is none of theirs open under this reference."""
    mine = (dealing.c.person_id == person_id) & (dealing.c.kind == kind) & (dealing.c.ref == ref)
    changed = conn.execute(update(dealing).where(mine, dealing.c.closed_at.is_(None)).values(closed_at=at)).rowcount
    if changed:
        ledger.append(conn, site.now(), events.DEALING_CLOSED, {"person": person_id, "kind": one_word(kind)})
    return bool(changed)


_OPEN = Prepared(
    select(dealing.c.person_id, dealing.c.kind, dealing.c.ref).where(
        among(dealing.c.person_id, "ids"), dealing.c.closed_at.is_(None)
    )
)


def open_cases(conn: Connection, person_ids: Collection[str]) -> Mapping[str, frozenset[tuple[str, str]]]:
    """Kind and reference of every open dealing of each of these people; whoever has none is left out."""
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for ids in batches(person_ids, BATCH):
        for person_id, kind, ref in _OPEN.rows(conn, {"ids": ids}):
            found[person_id].add((kind, ref))
    return {person_id: frozenset(cases) for person_id, cases in found.items()}


@dataclass(frozen=True, slots=True)
class Dealt:
    """One dealing as it is on record."""

    id: str
    person_id: str
    kind: str
    ref: str
    at: datetime
    closed_at: datetime | None
    warranty_ends_at: datetime | None


def named(conn: Connection, kind: str, ref: str) -> Dealt | None:
    """The dealing of ``kind`` under the operator's number ``ref``, open or closed; None when there is none."""
    row = conn.execute(select(dealing).where(dealing.c.kind == kind, dealing.c.ref == ref).with_for_update()).first()
    return Dealt(**row._mapping) if row else None


def dealings_of(conn: Connection, person_id: str, limit: int = 100) -> list[Dealt]:
    """A person's dealings: those that are open ahead, then the youngest first."""
    query = select(dealing).where(dealing.c.person_id == person_id).limit(limit)
    rows = conn.execute(query.order_by(dealing.c.closed_at.is_not(None), dealing.c.at.desc(), dealing.c.id))
    return [Dealt(**row._mapping) for row in rows]


def set_warranty(site: Site, conn: Connection, one: Dealt, ends_at: datetime | None) -> None:
    """Set, or take away, the day on which the warranty of an order ends, in the caller's transaction."""
    conn.execute(update(dealing).where(dealing.c.id == one.id).values(warranty_ends_at=ends_at))
    body = {"person": one.person_id, "dealing": one.id, "kind": one_word(one.kind), "warranty": ends_at}
    ledger.append(conn, site.now(), events.DEALING_CHANGED, body)
