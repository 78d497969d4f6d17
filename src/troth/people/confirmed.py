"""Whose address nobody has confirmed yet: who registered with it need not be who reads its mail."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from troth.people.tables import account

UNCONFIRMED = account.c.person_id.is_not(None) & account.c.confirmed_at.is_(None)
"""of a row that may have an account: nobody has opened it by the link in a mail, or not since it was closed"""


def unconfirmed(conn: Connection, person_ids: Collection[str]) -> frozenset[str]:
    """Those of these people who have an account that nobody has opened by the link in a mail, or not since it was closed."""
    these = account.c.person_id.in_(list(person_ids))
    return frozenset(conn.scalars(select(account.c.person_id).where(these, UNCONFIRMED)))
