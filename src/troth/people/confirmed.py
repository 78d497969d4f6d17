"""Whose address nobody has confirmed yet: who registered with it need not be who reads its mail."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from troth.people.tables import account


def unconfirmed(conn: Connection, person_ids: Collection[str]) -> frozenset[str]:
    """Those of these people who have an account that nobody has opened by the link in a mail, or not since it was closed."""
    waiting = (account.c.person_id.in_(list(person_ids))) & account.c.confirmed_at.is_(None)
    return frozenset(conn.scalars(select(account.c.person_id).where(waiting)))
