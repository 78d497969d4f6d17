"""A new site key, while everybody goes on reading and writing.

Three steps, each of which a killed process can be resumed from by calling ``rotate`` again: the new key joins the secret (from
then on new keys are wrapped with it); every key of a person or of a day is wrapped anew, a batch at a time; the old site key is
retired and leaves the secret. Retiring locks its row and counts once more, since a writer that read the secret before it
changed may have used the old key until that moment. Rotate on the host that holds the secret file; hosts that share it follow
by themselves. After it, copies of the key store made before open nothing for whoever does not also have the old secret.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from sqlalchemy import Connection, MetaData, Table, bindparam, select, update

from troth import ledger
from troth.errors import StoreError
from troth.ledger import events
from troth.people.keyring import with_new_key
from troth.people.keystore import keys_read, keys_written, unwrap
from troth.people.tables import site_key
from troth.store.insert import insert_into
from troth.store.secret import Ring, read_ring, secret_path, write_secret
from troth.store.site import Site

BATCH = 500


def rotate(site: Site, batch: int = BATCH) -> int:
    """Rotate the site key, or finish a rotation that was interrupted; returns how many keys were wrapped anew.

    Where the secret is an environment variable, whoever keeps it adds the new key and takes the old one out afterwards.

    Raises:
        StoreError: when another rotation runs, or the secret or the key store is missing.
    """
    with _alone(site):
        ring = _begun(site)
        wrapped = 0
        done = False
        while not done:
            while some := rewrap(site, ring, batch):
                wrapped += some
            done = _retired(site, ring)
        if not site.wiring.keys.secret_env:
            write_secret(secret_path(site), replace(ring, keys={ring.current: ring.keys[ring.current]}))
        with site.writing() as conn:
            ledger.append(conn, site.now(), events.KEY_ROTATED, {"counted": wrapped})
        return wrapped


@contextmanager
def _alone(site: Site) -> Iterator[None]:
    path = secret_path(site).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreError("The site key is being rotated already.", "Wait until that has finished.") from None
        yield


def _begun(site: Site) -> Ring:
    """The secret with the new key in it; the one it already holds when an earlier rotation was interrupted."""
    ring = read_ring(site)
    if len(ring.keys) > 1:
        _enter(site, ring)
        return ring
    if site.wiring.keys.secret_env:
        raise StoreError("The secret holds one site key only.", "Add the new one to the environment variable first.")
    fresh = with_new_key(ring)
    _enter(site, fresh)
    write_secret(secret_path(site), fresh)
    return fresh


def _enter(site: Site, ring: Ring) -> None:
    with keys_written(site) as conn:
        row = {"id": ring.current, "made_at": site.now()}
        conn.execute(insert_into(conn, site_key).values(row).on_conflict_do_nothing())


def tables_of_keys(conn: Connection) -> list[Table]:
    """Every table of the key store whose keys a site key wraps: read from the store, since other rooms keep keys there, too."""
    found = MetaData()
    found.reflect(conn)
    return [table for table in found.sorted_tables if {"wrapped", "site_key"} <= set(table.c.keys())]


def rewrap(site: Site, ring: Ring, batch: int) -> int:
    """Wrap up to ``batch`` keys of each table anew in one transaction and say how many there were."""
    with keys_written(site) as conn:
        return sum(_rewrap(conn, table, ring, batch) for table in tables_of_keys(conn))


def _rewrap(conn: Connection, table: Table, ring: Ring, batch: int) -> int:
    (name,) = table.primary_key.columns
    old = select(name.label("one"), table.c.wrapped, table.c.site_key).where(table.c.site_key != ring.current)
    rows = conn.execute(old.limit(batch).with_for_update()).all()
    if any(row.site_key not in ring.keys for row in rows):
        raise StoreError("Some keys are wrapped by a site key that the secret lacks.", "Put it back into the secret.")
    if rows:
        key = ring.keys[ring.current]
        fresh = [{"one": row.one, "new": aes_key_wrap(key, unwrap(ring, row))} for row in rows]
        change = update(table).where(name == bindparam("one"))
        conn.execute(change.values(wrapped=bindparam("new"), site_key=ring.current), fresh)
    return len(rows)


def _retired(site: Site, ring: Ring) -> bool:
    """Retire all but the current site key; False when a key was wrapped by one of them in the last moment."""
    old = [name for name in ring.keys if name != ring.current]
    with keys_written(site) as conn:
        conn.execute(select(site_key.c.id).where(site_key.c.id.in_(old)).with_for_update()).all()
        if _in_use(conn, old):
            return False
        conn.execute(update(site_key).where(site_key.c.id.in_(old)).values(retired_at=site.now()))
        return True


def _in_use(conn: Connection, names: list[str]) -> bool:
    uses = (select(table.c.site_key).where(table.c.site_key.in_(names)).limit(1) for table in tables_of_keys(conn))
    return any(conn.execute(query).first() is not None for query in uses)


def site_keys(site: Site) -> list[tuple[str, bool]]:
    """Every site key there was, oldest first, and whether it is retired."""
    with keys_read(site) as conn:
        query = select(site_key.c.id, site_key.c.retired_at).order_by(site_key.c.made_at, site_key.c.id)
        return [(row.id, row.retired_at is not None) for row in conn.execute(query)]
