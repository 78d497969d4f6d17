"""Putting finished copies in the place of the live stores: all of them, or none.

What could go wrong: a process dies when one of two stores was exchanged, and a site is served that is half old and half new; a
log of the former database stays beside the new one and is played into it. So everything is made ready beside the live stores
first. Then one file, the journal, appears in one step: before it the site is the old one, from it on it is the new one, and
whoever opens the site next does what is left of the exchange before anything else. Each step can be done twice.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import Engine

from troth.errors import StoreError
from troth.store.copying import STAGED

JOURNAL = ".restoring.json"
CLOSING_TRIES = 10
"""how often, a tenth of a second apart, PostgreSQL is asked whether the connections that were closed are gone"""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What takes whose place: files by path, and of which stores (``data``, ``keys``) the schema on PostgreSQL."""

    files: tuple[tuple[str, str], ...]
    schemas: tuple[str, ...]
    scratch: str


def commit(folder: Path, exchange: Exchange) -> None:
    """From here on the site in ``folder`` is the new one."""
    fresh = folder / f"{JOURNAL}.new"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(exchange), file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / JOURNAL)
    _flush(folder)


def finish(folder: Path, engine: Engine, keys: Engine) -> None:
    """Do what is left of an exchange that was committed; nothing where none was. Raises ``StoreError`` as stores do."""
    if not (folder / JOURNAL).exists():
        return
    with (folder / f"{JOURNAL}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            _carry_on(folder, json.loads((folder / JOURNAL).read_text()), {"data": engine, "keys": keys})
    (folder / f"{JOURNAL}.lock").unlink(missing_ok=True)


def _carry_on(folder: Path, found: dict[str, object], engines: dict[str, Engine]) -> None:
    exchange = Exchange(**{name: tuple(value) if isinstance(value, list) else value for name, value in found.items()})  # type: ignore[arg-type]
    for new, old in exchange.files:
        _replaced(Path(new), Path(old))
    for store in exchange.schemas:
        _schema_replaced(engines[store])
    shutil.rmtree(exchange.scratch, ignore_errors=True)
    (folder / JOURNAL).unlink()
    _flush(folder)


def _replaced(new: Path, old: Path) -> None:
    if not new.exists():
        return  # done before
    for suffix in ("-wal", "-shm", "-journal"):
        Path(f"{old}{suffix}").unlink(missing_ok=True)
    new.replace(old)
    _flush(old.parent)


def _schema_replaced(engine: Engine) -> None:
    with engine.begin() as conn:
        staged = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
        if conn.exec_driver_sql(staged, (STAGED,)).first() is None:
            return
        live = conn.exec_driver_sql("SELECT current_schema()").scalar_one()
        conn.exec_driver_sql(f'DROP SCHEMA "{live}" CASCADE')
        conn.exec_driver_sql(f'ALTER SCHEMA "{STAGED}" RENAME TO "{live}"')
    engine.dispose()


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def nobody_else(engines: Sequence[Engine]) -> Iterator[None]:
    """Hold the live stores of which no other process has a connection open; a SQLite file that is damaged is nobody's.

    Raises:
        StoreError: when a server or a worker still runs.
    """
    held: list[sqlite3.Connection] = []
    try:
        for engine in engines:
            engine.dispose()
            if engine.dialect.name == "sqlite":
                held += _held(Path(str(engine.url.database)))
            elif _others(engine):
                raise _running()
        yield
    finally:
        for conn in held:
            conn.close()


def _held(path: Path) -> list[sqlite3.Connection]:
    if not path.exists():
        return []
    conn = sqlite3.connect(path, isolation_level=None, timeout=0.5)
    try:
        conn.execute("PRAGMA journal_mode = DELETE").fetchone()  # refused while anybody else has the file open
        conn.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        conn.close()
        if "locked" in str(error):
            raise _running() from None
        return []
    except sqlite3.DatabaseError:
        conn.close()
        return []
    return [conn]


def _others(engine: Engine) -> int:
    """How many other connections there are to the database of ``engine``; one that was just closed is given time to go."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user "
        "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    found = 0
    for _ in range(CLOSING_TRIES):
        with engine.connect() as conn:  # each in its own transaction, in which the server looks once
            found = int(conn.exec_driver_sql(query).scalar_one())
            if not found:
                break
            conn.exec_driver_sql("SELECT pg_sleep(0.1)")
    return found


def _running() -> StoreError:
    return StoreError(
        "The site's stores are in use.", "Stop `troth serve` and `troth work` first; nothing was changed."
    )
