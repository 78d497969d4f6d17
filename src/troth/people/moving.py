"""Changing what somebody is found by, which is to say where their mail goes and what they log in with.

What could go wrong: somebody takes an address that is another's; a stolen session moves an account away before its owner
hears of it; the old address goes on opening the account, or stays in what a delivery is about to read; a crash leaves the
person found by neither. So a new address waits, sealed, until whoever reads its mail has confirmed it, and the old one
waits with it until it was told; then identifiers and every holding in use change in one transaction; and the database's own
rule that an identifier is one person's decides between two who want the same.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from sqlalchemy import Connection, delete, select

from troth.errors import InvalidInput, Refused
from troth.ledger import events
from troth.people.blind import normalised
from troth.people.correcting import rewrite_everywhere
from troth.people.each import Want, ask_each
from troth.people.facts import By
from troth.people.kept import open_kept, seal_kept
from troth.people.storing import identify, refuse_the_unfit
from troth.people.tables import identifier, moving
from troth.people.vault import find
from troth.policy.rules import OWN_ACCESS
from troth.store.insert import insert_into
from troth.store.site import Site

Which = Literal["new", "old"]
_NAMES = ("new", "old")
_PLACE = "moving"


def begin(
    site: Site, conn: Connection, person_id: str, field: str, new: str, old: str, lasts: timedelta, point: str
) -> None:
    """Let ``new`` wait to be confirmed as the ``field`` of a person, in place of any that waits already.

    Raises:
        Refused, InvalidInput, StoreError: as storing it at ``point`` would.
    """
    refuse_the_unfit(site.policy(conn), point, {field: new})
    body = seal_kept(site, person_id, _PLACE, {"new": new, "old": old})
    row = {"field": field, "body": body, "made_at": site.now(), "ends_at": site.now() + lasts}
    waits = insert_into(conn, moving).values(person_id=person_id, **row)
    conn.execute(waits.on_conflict_do_update(index_elements=["person_id"], set_=row))


def address(site: Site, conn: Connection, person_id: str, which: Which) -> str | None:
    """The new address that waits, or the one before it; None when no change is under way."""
    row = conn.execute(select(moving).where(moving.c.person_id == person_id, moving.c.ends_at > site.now())).first()
    return open_kept(site, person_id, _PLACE, _NAMES, row.body)[which] if row else None


def give_up(conn: Connection, person_id: str) -> None:
    """Forget a change that is under way, or that is made and was told."""
    conn.execute(delete(moving).where(moving.c.person_id == person_id))


def complete(site: Site, conn: Connection, person_id: str, point: str, by: By) -> None:
    """Make the change: the person is found by the new address alone, and every holding in use says it.

    In the caller's transaction. What a hold keeps stays as it was. The row stays, for the old address to be told.

    Raises:
        Refused: when nothing waits, anybody but the person asks, or they are gone.
        InvalidInput: when the address has become somebody else's.
        StoreError: when the key store is missing.
    """
    row = conn.execute(select(moving).where(moving.c.person_id == person_id, moving.c.ends_at > site.now())).first()
    if row is None:
        raise Refused("There is no change to make.", "It was given up, or its time is over.")
    new = open_kept(site, person_id, _PLACE, _NAMES, row.body)["new"]
    want = Want(person_id, frozenset({row.field}), OWN_ACCESS, by)
    (asked,) = ask_each(site, conn, [want], event=events.PERSON_CORRECTED)
    if not asked.decision.allowed:
        raise Refused("There is nothing to correct.", "It is not yours, or is gone.", asked.decision.because)
    policy = site.policy(conn)
    conn.execute(delete(identifier).where(identifier.c.person_id == person_id, identifier.c.field == row.field))
    identify(site, conn, person_id, {row.field: new}, policy)
    if find(site, conn, row.field, new) != person_id:
        raise InvalidInput("This address belongs to somebody else by now.", {row.field: "belongs to somebody else"})
    rewrite_everywhere(site, conn, person_id, point, {row.field: new})


def same(site: Site, conn: Connection, field: str, one: str, other: str) -> bool:
    """Whether two spellings of ``field`` are one address."""
    policy = site.policy(conn)
    return normalised(policy, field, one) == normalised(policy, field, other)
