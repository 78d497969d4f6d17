"""A restore that is only tried: it shows that a backup can be put back, and whom it could bring back.

What a backup can open is decided by its keys. So the drill opens both stores in a scratch place, reads the ledger in them from
beginning to end, opens what it finds of a few people, and asks of everybody who was destroyed long enough ago whether the copy
still has their key. What it found goes on the ledger: an event that a promise about backups can be proven by.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from troth.batches import batches
from troth.clock import AHEAD
from troth.ledger import append, events, heads, verify
from troth.ledger.tables import entry
from troth.people.keystore import unopened
from troth.people.tables import person, person_key
from troth.policy.kinds.backups import backups_of
from troth.restoring.erasures import people_in, who_went
from troth.restoring.staging import examined, leftovers, staged
from troth.store.engines import reading
from troth.store.site import Site

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Drilled:
    """What a drill found. ``back``: of ``erased`` people, destroyed before ``since``, those whom this backup could open."""

    at: datetime
    backup_at: datetime
    whole: bool
    people: int
    keys: int
    unopened: int
    since: datetime
    erased: int
    back: int

    @property
    def passed(self) -> bool:
        """Whether it can be put back and brings back nobody who should be gone."""
        return self.whole and not self.back and not self.unopened


def last_drill(conn: Connection, now: datetime) -> tuple[datetime, Mapping[str, Any]] | None:
    """When a drill last entered what it found, and that; one that is dated ahead is none."""
    mine = (entry.c.event == events.BACKUP_DRILLED) & (entry.c.at <= now + AHEAD)
    row = conn.execute(select(entry.c.at, entry.c.body).where(mine).order_by(entry.c.id.desc()).limit(1)).first()
    return (row.at, json.loads(row.body)) if row is not None else None


def drill(site: Site, folder: Path, keys_folder: Path | None = None, within: timedelta | None = None) -> Drilled:
    """Try the backup in ``folder``; the site goes on meanwhile.

    Args:
        within: how long a backup may still open somebody after their destruction; as the policy promises when left out.

    Raises:
        StoreError, Unverifiable: when the backup cannot be opened at all; that is no event, since nothing was found.
    """
    now = site.now()
    manifest, files = examined(site, folder, keys_folder)
    since = _promised(site, now) if within is None else now - within
    gone = destroyed(site, since)
    try:
        with staged(site, manifest, files) as copy:
            with copy.reading() as conn:
                last = heads.last_checkpoint(conn)
                people = conn.scalar(select(func.count()).select_from(person)) or 0
            heads.reset(copy, last)
            whole = verify(copy).verdict == "whole"
            with reading(copy.keys) as conn:
                keys = conn.scalar(select(func.count()).select_from(person_key)) or 0
                back = _having_keys(conn, gone)
            unopened = _unopened(copy)
    finally:
        leftovers(site)
    found = Drilled(now, manifest.at, whole, people, keys, unopened, since, len(gone), back)
    with site.writing() as conn:
        append(conn, site.now(), events.BACKUP_DRILLED, _body(found))
    return found


def _promised(site: Site, now: datetime) -> datetime:
    """Whoever was destroyed before this instant must be in no backup any more, as the policy promises; else before ``now``."""
    compiled = site.policy()
    promised = backups_of(compiled.policy)
    within = promised.purge_within if promised else None
    return now if within is None else compiled.calendar.cutoff(now, within)


def _body(found: Drilled) -> dict[str, object]:
    body: dict[str, object] = {"backup": found.backup_at, "since": found.since, "whole": found.whole}
    body |= {"people": found.people, "keys": found.keys, "unopened": found.unopened}
    return body | {"erased": found.erased, "back": found.back, "passed": found.passed}


def destroyed(site: Site, before: datetime) -> list[str]:
    """The people who were destroyed, with their keys, before an instant and not taken back: by their opaque ids."""
    with site.reading() as conn:
        begun = (body for _, body in _told(conn, events.ENDING_QUARANTINED))
        ended = [body for at, body in _told(conn, events.ENDING_DESTROYED) if at <= before]
        gone = sorted(who_went(ended, begun))
        there = people_in(conn, gone)
    return [one for one in gone if one not in there]


def _told(conn: Connection, event: str) -> Iterable[tuple[datetime, dict[str, object]]]:
    rows = conn.execute(select(entry.c.at, entry.c.body).where(entry.c.event == event).order_by(entry.c.id))
    return ((at, json.loads(body)) for at, body in rows)


def _having_keys(conn: Connection, ids: list[str]) -> int:
    found = 0
    for some in batches(ids, BATCH):
        theirs = person_key.c.person_id.in_(some)
        found += conn.scalar(select(func.count()).select_from(person_key).where(theirs)) or 0
    return found


def _unopened(copy: Site) -> int:
    """How many of some people's keys do not open."""
    some = select(person.c.id).where(person.c.state == "active").order_by(person.c.id).limit(100)
    with copy.reading() as conn:
        ids = list(conn.scalars(some))
    return unopened(copy, ids) if ids else 0
