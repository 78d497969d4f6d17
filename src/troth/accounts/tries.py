"""Tries about members: at the password, the code and whatever else whoever guesses must be slowed down at.

Each is kept under a keyed hash of the member, or of the address somebody gave that is nobody's here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import Connection

from troth.accounts.tables import attempt
from troth.logins.rules import may_try
from troth.logins.tries import Tries
from troth.people.blind import blind
from troth.store.secret import read_ring
from troth.store.site import Site

_TRIES = Tries(attempt)
forgive = _TRIES.forgive


def mark_of(site: Site, what: str, whom: str) -> bytes:
    """What stands for tries at ``what`` about ``whom``. Raises ``StoreError`` when the site's secret is missing."""
    return blind(read_ring(site).index, what, whom)


def enter(
    site: Site, conn: Connection, mark: bytes, rule: Callable[[Collection[datetime], datetime], bool] = may_try
) -> bool:
    """As ``Tries.enter``, now."""
    return _TRIES.enter(conn, mark, site.now(), rule)
