"""Links that are good for once: each proves control of the address it was sent to, and lets its reader do one thing.

What could go wrong, besides what ``messages.once`` guards against: a link that still works when a later one was asked for; one
that was sent to confirm an address and chooses a password. So a link is for one thing, and whoever redeems one uses up all that
were sent to the same person.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from troth.accounts.tables import once
from troth.messages.once import Links
from troth.store.site import Site

What = Literal["address"] | None
"""what a link is for: to confirm an address, or (None) to choose a password"""
LINKS = Links(once)


def issue(site: Site, conn: Connection, person_id: str, lasts: timedelta, what: What = None) -> str:
    """Make a link for a person in the caller's transaction and return its number, which a message may name."""
    return LINKS.issue(site, conn, lasts, person_id=person_id, what=what)


def whose(conn: Connection, token: str, now: datetime, what: What = None) -> str | None:
    """The person a link was sent to, while it is good; None when it is not, or never was one."""
    row = LINKS.look(conn, token, now, what=what)
    return row.person_id if row is not None else None


def redeem(conn: Connection, token: str, now: datetime, what: What = None) -> str | None:
    """Use a link up, in the caller's transaction, with all others of its person; the person, for the one who did it first."""
    row = LINKS.redeem(conn, token, now, what=what)
    if row is None:
        return None
    LINKS.void(conn, now, person_id=row.person_id)
    return str(row.person_id)


def void(conn: Connection, person_id: str, now: datetime, what: What) -> None:
    """Make every link of a person for ``what`` useless, in the caller's transaction: a newer one counts."""
    LINKS.void(conn, now, person_id=person_id, what=what)
