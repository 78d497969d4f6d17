"""Links that are good for once: each proves control of the address it was sent to.

What could go wrong: a mail scanner that opens every link; two tabs that press at once; a leaked database. So a link is looked
at as often as anybody likes and redeemed by one statement that has one winner, and the store knows the SHA-256 of a secret
that only the site key makes (``links.once_token``), or that was random and is forgotten.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, insert, select, update

from troth.ids import new_id
from troth.logins.digests import digest_of
from troth.messages.links import once_token
from troth.store.site import Site


@dataclass(frozen=True)
class Links:
    """The links of one kind. ``table`` has id, digest, made_at, ends_at, used_at, and whatever says what a link is for."""

    table: Table

    def issue(self, site: Site, conn: Connection, lasts: timedelta, **about: object) -> str:
        """Make a link in the caller's transaction and return its number, which a message may name."""
        made = new_id(site.now())
        self._keep(site, conn, made, once_token(site, made), lasts, about)
        return made

    def hand_out(self, site: Site, conn: Connection, lasts: timedelta, **about: object) -> str:
        """Make a secret for whoever is there now, in the caller's transaction, and return it; nobody can make it again."""
        secret = secrets.token_urlsafe(32)
        self._keep(site, conn, new_id(site.now()), secret, lasts, about)
        return secret

    def _keep(
        self, site: Site, conn: Connection, made: str, secret: str, lasts: timedelta, about: dict[str, object]
    ) -> None:
        now = site.now()
        row = {"id": made, "digest": digest_of(secret), "made_at": now, "ends_at": now + lasts}
        conn.execute(insert(self.table), row | about)

    def look(self, conn: Connection, secret: str, now: datetime, **about: object) -> Row[Any] | None:
        """The row of a link that is for this, while it is good; None when it is not, or never was one. Uses nothing up."""
        return conn.execute(select(self.table).where(self._good(secret, now, about))).first()

    def redeem(self, conn: Connection, secret: str, now: datetime, **about: object) -> Row[Any] | None:
        """Use a link that is for this up, in the caller's transaction; its row, for the one who did it first."""
        using = update(self.table).where(self._good(secret, now, about)).values(used_at=now)
        return conn.execute(using.returning(*self.table.c)).first()

    def void(self, conn: Connection, now: datetime, **about: object) -> None:
        """Make every link that is for this useless, in the caller's transaction."""
        conn.execute(update(self.table).where(self._unused(about)).values(used_at=now))

    def _good(self, secret: str, now: datetime, about: dict[str, object]) -> ColumnElement[bool]:
        this = (self.table.c.digest == digest_of(secret)) & (self.table.c.ends_at > now)
        return this & self._unused(about)

    def _unused(self, about: dict[str, object]) -> ColumnElement[bool]:
        for_this = (self.table.c[name].is_not_distinct_from(value) for name, value in about.items())
        return and_(self.table.c.used_at.is_(None), *for_this)
