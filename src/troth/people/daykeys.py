"""Keys of days, beside those of people: destroying one makes every copy of what that day sealed unreadable, backups too.

Each log has a table of its own for them, with the columns of ``visits.tables.day_key``. A key is committed before the first row
that it seals; a key without rows is harmless and goes with its day.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Table, delete, select

from troth.errors import StoreError
from troth.people.keystore import keys_read, keys_written
from troth.people.wrapping import in_use, new_key, unwrapped
from troth.store.insert import insert_into
from troth.store.secret import read_ring
from troth.store.site import Site

_ATTEMPTS = 5


@dataclass(frozen=True)
class DayKeys:
    """The keys of one log, kept in ``table``."""

    table: Table

    def keys_of(self, site: Site, days: Collection[date]) -> dict[date, bytes]:
        """The keys (32 bytes) of those of ``days`` that have one.

        Raises:
            StoreError: when the key store or the site key is missing.
            Unverifiable: when a row does not open: it was altered.
        """
        for _ in range(_ATTEMPTS):
            with keys_read(site) as conn:
                wanted = self.table.c.day.in_([_name(day) for day in days])
                rows = conn.execute(select(self.table).where(wanted)).all()
            ring = read_ring(site)
            if all(row.site_key in ring.keys for row in rows):
                return {date.fromisoformat(row.day): unwrapped(ring, row.site_key, row.wrapped) for row in rows}
        raise StoreError(
            "The site key that wraps these keys is missing.", "Put back the secret that belongs to this key store."
        )

    def keys_for(self, site: Site, days: Collection[date]) -> dict[date, bytes]:
        """The keys of ``days``, made and committed where they are missing; two processes that make one get the same."""
        found = self.keys_of(site, days)
        missing = [day for day in days if day not in found]
        if missing:
            self._make(site, missing)
            found |= self.keys_of(site, missing)
        return found

    def _make(self, site: Site, days: Collection[date]) -> None:
        for _ in range(_ATTEMPTS):
            ring = read_ring(site)
            with keys_written(site) as conn:
                if in_use(conn, ring.current):
                    rows = [{"day": _name(day), **new_key(ring)} for day in days]
                    conn.execute(insert_into(conn, self.table).on_conflict_do_nothing(), rows)
                    return
        raise StoreError(
            "The site key is not the one this key store was made with.", "Put back the secret that belongs to it."
        )

    def keys_before(self, site: Site, day: date) -> bool:
        """Whether a day before ``day`` still has its key."""
        query = select(self.table.c.day).where(self.table.c.day < _name(day)).limit(1)
        with keys_read(site) as conn:
            return conn.execute(query).first() is not None

    def destroy_keys_before(self, site: Site, day: date) -> int:
        """Destroy the keys of all days before ``day``, for ever; how many there were."""
        with keys_written(site) as conn:
            return conn.execute(delete(self.table).where(self.table.c.day < _name(day))).rowcount


def _name(day: date) -> str:
    return f"{day:%Y%m%d}"
