"""The keys of days, beside those of people: destroying one makes every copy of that day's visits unreadable, backups too.

A key is committed before the first visit that it seals; a key without visits is harmless and goes with its day.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import bindparam, delete, select

from troth.errors import StoreError
from troth.people.keystore import keys_read, keys_written
from troth.people.wrapping import in_use, new_key, unwrapped
from troth.store.insert import insert_into
from troth.store.secret import read_ring
from troth.store.site import Site
from troth.visits.tables import day_key

_ATTEMPTS = 5


def keys_of(site: Site, days: Collection[date]) -> dict[date, bytes]:
    """The keys (32 bytes) of those of ``days`` that have one.

    Raises:
        StoreError: when the key store or the site key is missing.
        Unverifiable: when a row does not open: it was altered.
    """
    for _ in range(_ATTEMPTS):
        with keys_read(site) as conn:
            rows = conn.execute(select(day_key).where(day_key.c.day.in_([_name(day) for day in days]))).all()
        ring = read_ring(site)
        if all(row.site_key in ring.keys for row in rows):
            return {date.fromisoformat(row.day): unwrapped(ring, row.site_key, row.wrapped) for row in rows}
    raise StoreError(
        "The site key that wraps these keys is missing.", "Put back the secret that belongs to this key store."
    )


def keys_for(site: Site, days: Collection[date]) -> dict[date, bytes]:
    """The keys of ``days``, made and committed where they are missing; two processes that make one get the same."""
    found = keys_of(site, days)
    missing = [day for day in days if day not in found]
    if missing:
        _make(site, missing)
        found |= keys_of(site, missing)
    return found


def _make(site: Site, days: Collection[date]) -> None:
    for _ in range(_ATTEMPTS):
        ring = read_ring(site)
        with keys_written(site) as conn:
            if in_use(conn, ring.current):
                rows = [{"day": _name(day), **new_key(ring)} for day in days]
                conn.execute(insert_into(conn, day_key).on_conflict_do_nothing(), rows)
                return
    raise StoreError(
        "The site key is not the one this key store was made with.", "Put back the secret that belongs to it."
    )


def keys_before(site: Site, day: date) -> bool:
    """Whether a day before ``day`` still has its key."""
    with keys_read(site) as conn:
        return conn.execute(_BEFORE, {"day": _name(day)}).first() is not None


_BEFORE = select(day_key.c.day).where(day_key.c.day < bindparam("day")).limit(1)


def destroy_keys_before(site: Site, day: date) -> int:
    """Destroy the keys of all days before ``day``, for ever; how many there were."""
    with keys_written(site) as conn:
        return conn.execute(delete(day_key).where(day_key.c.day < _name(day))).rowcount


def _name(day: date) -> str:
    return f"{day:%Y%m%d}"
