"""Links that are good for once: each proves control of the address it was sent to, and lets its reader do one thing.

What could go wrong: a mail scanner that opens every link; two tabs that press at once; a leaked database; a link that still
works when a later one was asked for; one that was sent to confirm an address and chooses a password. So a link is for one
thing, is looked at as often as anybody likes and redeemed by one statement that has one winner; the store knows the SHA-256
of a secret that only the site key makes (``messages.links.once_token``); and whoever redeems one link uses up all that were
sent to the same person.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Connection, insert, select, update

from troth.accounts.tables import once
from troth.ids import new_id
from troth.logins.digests import digest_of
from troth.messages.links import once_token
from troth.store.site import Site

What = Literal["address"] | None
"""what a link is for: to confirm an address, or (None) to choose a password"""


def issue(site: Site, conn: Connection, person_id: str, lasts: timedelta, what: What = None) -> str:
    """Make a link for a person in the caller's transaction and return its number, which a message may name."""
    now = site.now()
    made = new_id(now)
    digest = digest_of(once_token(site, made))
    row = {"id": made, "digest": digest, "person_id": person_id, "made_at": now, "ends_at": now + lasts, "what": what}
    conn.execute(insert(once), row)
    return made


def whose(conn: Connection, token: str, now: datetime, what: What = None) -> str | None:
    """The person a link was sent to, while it is good; None when it is not, or never was one."""
    query = select(once.c.person_id).where(_good(token, now, what))
    return conn.execute(query).scalar_one_or_none()


def redeem(conn: Connection, token: str, now: datetime, what: What = None) -> str | None:
    """Use a link up, in the caller's transaction, with all others of its person; the person, for the one who did it first."""
    mine = update(once).where(_good(token, now, what))
    person_id: str | None = conn.execute(mine.values(used_at=now).returning(once.c.person_id)).scalar_one_or_none()
    if person_id is not None:
        others = update(once).where(once.c.person_id == person_id, once.c.used_at.is_(None))
        conn.execute(others.values(used_at=now))
    return person_id


def void(conn: Connection, person_id: str, now: datetime, what: What) -> None:
    """Make every link of a person for ``what`` useless, in the caller's transaction: a newer one counts."""
    mine = (once.c.person_id == person_id) & once.c.used_at.is_(None) & once.c.what.is_not_distinct_from(what)
    conn.execute(update(once).where(mine).values(used_at=now))


def _good(token: str, now: datetime, what: What) -> ColumnElement[bool]:
    good = (once.c.digest == digest_of(token)) & (once.c.ends_at > now) & once.c.used_at.is_(None)
    return good & once.c.what.is_not_distinct_from(what)
