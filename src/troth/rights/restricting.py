"""Restriction (GDPR Art. 18): pausing the use of somebody's data, and lifting that."""

from __future__ import annotations

from sqlalchemy import Connection, or_, select, update

from troth import ledger
from troth.accounts.actions import CANCELLED
from troth.accounts.tables import account
from troth.errors import Refused
from troth.ledger import events
from troth.people.tables import person
from troth.store.site import Site

RESTRICTED = ""
"""what stands for the purposes that restricted data may still be read for: none"""


def restrict(site: Site, conn: Connection, person_id: str) -> bool:
    """Pause the use of a person's data in the caller's transaction; False when it is restricted already."""
    free = or_(person.c.only_for.is_(None), person.c.only_for == CANCELLED)
    changed = conn.execute(update(person).where(person.c.id == person_id, free).values(only_for=RESTRICTED)).rowcount
    if changed:
        ledger.append(conn, site.now(), events.RESTRICTION_MADE, {"person": person_id})
    return bool(changed)


def lift(site: Site, conn: Connection, person_id: str) -> bool:
    """Lift a restriction in the caller's transaction; False when there is none.

    Raises:
        Refused: when the account was closed, which stays closed.
    """
    marked = select(person.c.id).where(person.c.id == person_id, person.c.only_for == CANCELLED)
    closed = select(account.c.person_id).where(account.c.person_id == person_id, account.c.state == "closed")
    if conn.execute(marked.union(closed)).first() is not None:  # marked until whoever comes back has confirmed it
        raise Refused("This account is closed.", "Register again to use it.")
    mine = (person.c.id == person_id) & (person.c.only_for == RESTRICTED)
    changed = conn.execute(update(person).where(mine).values(only_for=None)).rowcount
    if changed:
        ledger.append(conn, site.now(), events.RESTRICTION_LIFTED, {"person": person_id})
    return bool(changed)


def is_restricted(conn: Connection, person_id: str) -> bool:
    """Whether the use of a person's data is paused at their wish."""
    mine = (person.c.id == person_id) & (person.c.only_for == RESTRICTED) & (person.c.state == "active")
    return conn.execute(select(person.c.id).where(mine)).first() is not None
