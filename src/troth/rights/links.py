"""Links in answers: to confirm a request, to open one's data, to change one's mind; and the visit that opening data begins.

A visit is a secret that the pages of the privacy centre hand on from form to form: no cookie, so nothing to declare, and
nothing in an address. It ends after half an hour, is bound to one request and its person, and shows nobody else's data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, delete, select

from troth.logins.digests import digest_of
from troth.messages.once import Links
from troth.rights.tables import request_link
from troth.store.site import Site

LINKS = Links(request_link)
CONFIRM, DATA, UNDO, VISIT = "confirm", "data", "undo", "visit"
VISIT_LASTS = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link stands for."""

    request_id: str
    opens: str


def issue(site: Site, conn: Connection, request_id: str, opens: str, lasts: timedelta) -> str:
    """Make a link for a reply in the caller's transaction; its number."""
    return LINKS.issue(site, conn, lasts, request_id=request_id, opens=opens)


def look(site: Site, secret: str, opens: str) -> Opened | None:
    """What a link is for, while it is good; uses nothing up."""
    with site.reading() as conn:
        row = LINKS.look(conn, secret, site.now(), opens=opens)
    return Opened(row.request_id, row.opens) if row is not None else None


def was_used(site: Site, secret: str, opens: str) -> bool:
    """Whether a link did already what it is for; False as well when it is over, or never was one."""
    mine = (request_link.c.digest == digest_of(secret)) & (request_link.c.opens == opens)
    used = request_link.c.used_at.is_not(None) & (request_link.c.ends_at > site.now())
    with site.reading() as conn:
        return conn.execute(select(request_link.c.id).where(mine, used)).first() is not None


def redeem(site: Site, conn: Connection, secret: str, opens: str) -> Opened | None:
    """Use a link up in the caller's transaction; None for whoever comes second, or with a link to something else."""
    row = LINKS.redeem(conn, secret, site.now(), opens=opens)
    return Opened(row.request_id, row.opens) if row is not None else None


def begin_visit(site: Site, conn: Connection, request_id: str) -> str:
    """The secret of a visit that begins now, in the caller's transaction."""
    return LINKS.hand_out(site, conn, VISIT_LASTS, request_id=request_id, opens=VISIT)


def end(conn: Connection, request_id: str) -> None:
    """Let no link and no visit of a request be good any longer."""
    conn.execute(delete(request_link).where(request_link.c.request_id == request_id))
