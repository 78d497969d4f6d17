"""The store of people's keys, apart from the data and its backups: destroying a row here ends a person everywhere.

What could go wrong, and the invariant: sealed data without a key would be lost, and a key that survives its person would bring
them back from a backup. So a key is committed here *before* the transaction that seals with it (a key whose person never came
to be is harmless and swept after a day), and a destroyed key is gone at once: nothing in this process keeps keys after the call
that opened them. Keys are wrapped (RFC 3394) by the site key; a writer locks the site key's row while it adds a key, so that
a rotation can never retire a site key that a new row still needs. Where both stores are locked, the data's comes first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, select

from troth.batches import batches
from troth.clock import DAY
from troth.errors import StoreError, Unverifiable
from troth.ids import new_id
from troth.people.keyring import make_site_key
from troth.people.tables import person, person_key
from troth.people.wrapping import keeping, new_key, unwrapped
from troth.store import engines
from troth.store.prepared import Prepared, among
from troth.store.secret import Ring, read_ring
from troth.store.site import Site

__all__ = [
    "destroy_keys",
    "make_key",
    "make_keys",
    "make_site_key",
    "open_keys",
    "orphans",
    "sweep_orphans",
    "unopened",
]

BATCH = 1000
ATTEMPTS = 5
"""How often a secret that is just being rotated is read again."""


@contextmanager
def keys_written(site: Site) -> Iterator[Connection]:
    """A transaction on the key store that writes. Raises ``StoreError`` that names the key store."""
    with _named(), engines.writing(site.keys) as conn:
        yield conn


@contextmanager
def keys_read(site: Site) -> Iterator[Connection]:
    """A transaction on the key store that only reads. Raises ``StoreError`` that names the key store."""
    with _named(), engines.reading(site.keys) as conn:
        yield conn


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        if error.message.startswith("The database"):
            raise StoreError(f"The key store: {error.message}", error.hint) from error
        raise


def make_key(site: Site, person_id: str) -> None:
    """Make and commit the key of a person who is about to be admitted. Raises ``StoreError``."""
    make_keys(site, [person_id])


def make_keys(site: Site, person_ids: Sequence[str]) -> None:
    """Make and commit the keys of people who are about to be admitted. Raises ``StoreError``; then none was made."""
    for _ in range(ATTEMPTS):
        ring = read_ring(site)
        rows = [{"person_id": one, **new_key(ring)} for one in person_ids]
        with _named(), engines.alone(site.keys, writes=True) if len(rows) == 1 else keys_written(site) as conn:
            if _KEEPING.many(conn, rows) == len(rows):  # otherwise the site key was retired, and none was kept
                return
    raise StoreError(
        "The site key is not the one this key store was made with.", "Put back the secret that belongs to it."
    )


_KEEPING = Prepared(keeping(person_key, "person_id"))


def open_keys(site: Site, person_ids: Collection[str]) -> dict[str, bytes]:
    """The keys of these people, 32 bytes each; whoever's was destroyed is left out. One query for many.

    Raises:
        StoreError: when the key store or the secret is missing, or when the key store is empty.
        Unverifiable: when a row does not open: it was altered.
    """
    for _ in range(ATTEMPTS):
        rows = _rows(site, list(person_ids))
        ring = read_ring(site)
        if all(row.site_key in ring.keys for row in rows):
            return {row.person_id: unwrap(ring, row) for row in rows}
    raise StoreError(
        "The site key that wraps these keys is missing.", "Put back the secret that belongs to this key store."
    )


def unopened(site: Site, person_ids: Collection[str]) -> int:
    """How many of these people's keys do not open or are not there; hands none out, for whoever tries a backup."""
    try:
        return len(person_ids) - len(open_keys(site, person_ids))
    except (StoreError, Unverifiable):
        return len(person_ids)


class Wrapped(NamedTuple):
    """A row of ``person_key``."""

    person_id: str
    wrapped: bytes
    site_key: str


_KEYS = Prepared(
    select(person_key.c.person_id, person_key.c.wrapped, person_key.c.site_key).where(
        among(person_key.c.person_id, "ids")
    )
)


def _rows(site: Site, ids: list[str]) -> list[Wrapped]:
    rows: list[Wrapped] = []
    with _named(), engines.alone(site.keys) if len(ids) <= BATCH else keys_read(site) as conn:
        for some in batches(ids, BATCH):
            rows += map(Wrapped._make, _KEYS.rows(conn, {"ids": some}))
        if ids and not rows and conn.execute(select(person_key.c.person_id).limit(1)).first() is None:
            raise StoreError("The key store holds no keys.", "Check `keys` in site.yaml, or restore the key store.")
    return rows


def unwrap(ring: Ring, row: Wrapped | Row[Any, Any, Any]) -> bytes:
    """The key in a row of ``person_key``. Raises ``Unverifiable`` when the row was altered."""
    return unwrapped(ring, row.site_key, row.wrapped)


def destroy_keys(site: Site, person_ids: Collection[str]) -> int:
    """Destroy these people's keys, for ever, and say how many there were. Raises ``StoreError``; then none was."""
    gone = 0
    with keys_written(site) as conn:
        for ids in batches(person_ids, BATCH):
            gone += conn.execute(delete(person_key).where(person_key.c.person_id.in_(ids))).rowcount
    return gone


def orphans(site: Site, margin: timedelta = DAY) -> list[str]:
    """Ids that have a key, were made longer than ``margin`` ago and belong to nobody: their admission never committed."""
    before = new_id(site.now() - margin)[:10]
    found: list[str] = []
    last = ""
    while batch := _ids_after(site, last, before):
        last = batch[-1]
        with site.reading() as conn:
            known = set(conn.scalars(select(person.c.id).where(person.c.id.in_(batch))))
        found += [one for one in batch if one not in known]
    return found


def _ids_after(site: Site, last: str, before: str) -> list[str]:
    with keys_read(site) as conn:
        query = select(person_key.c.person_id).where(person_key.c.person_id > last, person_key.c.person_id < before)
        return list(conn.scalars(query.order_by(person_key.c.person_id).limit(BATCH)))


def sweep_orphans(site: Site, margin: timedelta = DAY) -> int:
    """Destroy the keys of nobody and say how many.

    Raises:
        StoreError: when they outnumber the people there are: then the data store is more likely the wrong one.
    """
    found = orphans(site, margin)
    with site.reading() as conn:
        some = conn.scalars(select(person.c.id).limit(len(found))).all()
    if len(found) > max(100, len(some)):
        raise StoreError(
            f"{len(found)} keys belong to nobody in this database: it is probably the wrong one, or an old copy.",
            "Nothing was destroyed; check `store` in site.yaml.",
        )
    return destroy_keys(site, found)
