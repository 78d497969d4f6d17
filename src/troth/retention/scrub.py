"""Making deleted rows physically gone: what a database keeps of them after the commit is given back to be overwritten.

On SQLite ``secure_delete`` overwrites what leaves the file, but the write-ahead log may still hold older pages: it is emptied.
On PostgreSQL dead rows stay in their pages until a vacuum. Whatever remains on a disk after that is sealed, and for people and
days that ended the key is destroyed, too. A busy database is no failure: the next sweep tries again.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Engine, text

from troth.store.engines import Joined, explained


def scrub(engine: Engine | Joined, tables: Collection[str]) -> bool:
    """Scrub ``tables`` of the database behind ``engine``; False when another reader or writer was in the way.

    Raises:
        StoreError: when the store is gone; what was deleted is deleted, and the next scrub makes it unreadable.
    """
    if isinstance(engine, Joined):
        return False  # nothing is gone before the commit
    if engine.dialect.name == "postgresql":
        with explained(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            for name in sorted(tables):
                conn.execute(text(f'VACUUM (SKIP_LOCKED) "{name}"'))
        return True
    return _empty_log(engine)


def _empty_log(engine: Engine) -> bool:
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        cursor.close()
    finally:
        raw.close()
    return bool(busy is not None and busy[0] == 0)
