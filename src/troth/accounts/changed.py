"""What the ledger says of a change that a member makes to their own account: of which kind it was, and never a value."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, get_args

from sqlalchemy import Connection

from troth import ledger
from troth.ledger import events
from troth.store.site import Site

What = Literal[
    "profile",
    "codes-on",
    "codes-off",
    "recovery-used",
    "recovery-renewed",
    "passkey-added",
    "passkey-removed",
    "public-page",
]
KINDS: tuple[What, ...] = get_args(What)


def note_change(site: Site, conn: Connection, person_id: str, what: What, fields: Collection[str] = ()) -> None:
    """Enter that a member changed ``what`` of their account, in the caller's transaction; of a profile, which ``fields``."""
    named = {"fields": sorted(fields)} if fields else {}
    ledger.append(conn, site.now(), events.ACCOUNT_CHANGED, {"person": person_id, "what": what, **named})
