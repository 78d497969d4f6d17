"""Log-ins that are half done: the password was right, and a code is still to come.

Nothing is open to whoever holds one: it is no session and no cookie, but a secret in the form that asks for the code. It is
good for ten minutes and for one log-in, and gone with a new password.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from troth.accounts.factors.rules import HALF_LASTS
from troth.accounts.factors.tables import half_log_in
from troth.logins.digests import digest_of, new_secret
from troth.store.site import Site


@dataclass(frozen=True, slots=True)
class Half:
    """A log-in that waits for a code: its secret, which nobody sees but the form that asks for the code."""

    secret: str


def begin(site: Site, conn: Connection, person_id: str) -> Half:
    """Note that a member's password was right, in the caller's transaction."""
    half = Half(new_secret())
    row = {"digest": digest_of(half.secret), "person_id": person_id, "ends_at": site.now() + HALF_LASTS}
    conn.execute(insert(half_log_in).values(row))
    return half


def whose(site: Site, conn: Connection, secret: str) -> str | None:
    """The member who is half logged in; None when it was never begun, is done, or its time is over."""
    query = select(half_log_in.c.person_id).where(half_log_in.c.digest == digest_of(secret))
    return conn.execute(query.where(half_log_in.c.ends_at > site.now())).scalar_one_or_none()


def end(conn: Connection, secret: str) -> bool:
    """Use it up, in the caller's transaction; of two who do at once, one did."""
    return conn.execute(delete(half_log_in).where(half_log_in.c.digest == digest_of(secret))).rowcount == 1


def end_all(conn: Connection, person_id: str) -> None:
    """End every half log-in of a member."""
    conn.execute(delete(half_log_in).where(half_log_in.c.person_id == person_id))
