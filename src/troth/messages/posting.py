"""That the pages say that the policy changes: whether they do, and since when.

What could go wrong: a notice that was promised stands nowhere, and nobody can tell since. So the first page that says it is
recorded, on a row and on the ledger, before it goes out. A page whose record cannot be written is shown nevertheless, and does
not wait for it: the worker of this process, or the next page, records it, with the instant at which it was first shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, select

from troth import ledger
from troth.errors import StoreError
from troth.ledger import events
from troth.messages.tables import posting
from troth.policy.announced import Announced
from troth.policy.compile import Compiled
from troth.policy.model import Policy
from troth.store.insert import insert_into
from troth.store.site import Site

_POSTED = "posted"
"""under which a site keeps which versions its pages were seen to announce"""
_LATE = "posted and not recorded"
WAIT_MS = 100
"""how long a page waits for another writer before it goes out without its record"""


def on_pages(policy: Policy) -> bool:
    """Whether people learn of changes from the pages, as the policy says."""
    return policy.changes is not None and not {"page", "banner"}.isdisjoint(policy.changes.told_by)


def announced(site: Site, compiled: Compiled) -> tuple[Announced, ...]:
    """The changes that pages tell people of now."""
    return compiled.announced(site.now())


def note(site: Site, change: Announced) -> None:
    """Record that a page tells of ``change``, the first time. A store that is locked or gone is no reason to show no page."""
    known: set[int] = site.shared.setdefault(_POSTED, set())
    if change.version in known:
        return
    late: dict[int, datetime] = site.shared.setdefault(_LATE, {})
    first = late.setdefault(change.version, site.now())
    try:
        with site.hurried(WAIT_MS) as conn:
            note_in(conn, change.version, first)
    except StoreError:
        return
    known.add(change.version)
    late.pop(change.version, None)


def note_late(site: Site) -> int:
    """Record what pages told of and could not record; how many. For the worker of the process that shows the pages.

    Raises:
        StoreError: when the store is locked or gone; the next turn tries again.
    """
    known: set[int] = site.shared.setdefault(_POSTED, set())
    late: dict[int, datetime] = site.shared.setdefault(_LATE, {})
    waiting = list(late.items())
    if waiting:
        with site.writing() as conn:
            for version, first in waiting:
                note_in(conn, version, first)
    for version, _ in waiting:
        known.add(version)
        late.pop(version, None)
    return len(waiting)


def note_in(conn: Connection, version: int, at: datetime) -> bool:
    """As ``note``, in the caller's transaction; whether it was the first time."""
    new = insert_into(conn, posting).values(version=version, at=at).on_conflict_do_nothing(index_elements=["version"])
    first = conn.execute(new.returning(posting.c.version)).first() is not None
    if first:
        ledger.append(conn, at, events.POLICY_POSTED, {"version": version})
    return first


def posted(conn: Connection) -> Mapping[int, datetime]:
    """When each version was announced on a page for the first time."""
    return {row.version: row.at for row in conn.execute(select(posting))}
