"""Copies of a store: out of a running site into a file, and out of a file into a place of their own beside the live store.

What could go wrong: a copy of a database file taken while somebody writes is torn, and looks whole; a dump of PostgreSQL shows
a password in the list of processes; a copy is read by whoever comes along. So SQLite is copied by its own backup interface
inside one read transaction, PostgreSQL by ``pg_dump`` with the password in its environment, and every file is its owner's alone
and on the disk before anything is said of it.

A dump of PostgreSQL is a script, which is run through our own connection: nothing else need be installed to put it back. It
goes into a schema of its own, under whose name it is worked on until it changes places with the live one (``swap``).
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from troth.errors import StoreError
from troth.store.dumping import dump

Step = Callable[[int, int, str], None]
STAGED = "troth_staged"
"""the schema of PostgreSQL in which a copy is worked on"""
_PAGES = 2000  # of SQLite at a time, between two steps of progress


def file_name(engine: Engine, store: str) -> str:
    """What the copy of a store is called."""
    return f"{store}.db" if engine.dialect.name == "sqlite" else f"{store}.sql"


def copy_out(engine: Engine, to: Path, step: Step | None = None) -> None:
    """Copy the store behind ``engine`` into the new file ``to`` while others go on writing.

    Raises:
        StoreError: when the store does not answer, or the program that copies it is missing or fails.
    """
    os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    if engine.dialect.name == "sqlite":
        _copy_sqlite(Path(str(engine.url.database)), to, step)
    else:
        dump(engine, to)
    with to.open("rb") as file:
        os.fsync(file.fileno())


def _copy_sqlite(source: Path, to: Path, step: Step | None) -> None:
    def progress(_status: int, left: int, total: int) -> None:
        if step:
            step(total - left, total, to.name)

    try:
        with closing(sqlite3.connect(source, isolation_level=None)) as live, closing(sqlite3.connect(to)) as copy:
            live.execute("BEGIN")
            live.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on it sees one state
            live.backup(copy, pages=_PAGES, progress=progress)
            live.execute("COMMIT")
    except sqlite3.Error as error:
        raise StoreError(f"The store `{source.name}` cannot be copied: {error}.", "Nothing was changed.") from None


def copy_in(engine: Engine, source: Path, schema: str) -> None:
    """Run the dump ``source`` into the schema ``STAGED``, in one transaction; ``schema`` is the one that it was made of.

    Raises:
        StoreError: when it does not run; the database is then as it was.
    """
    raw = engine.raw_connection()
    conn: Any = raw.driver_connection
    raw.detach()  # a dump changes the settings of its session, which nobody else is to inherit
    try:
        conn.execute(f'DROP SCHEMA IF EXISTS "{STAGED}" CASCADE')
        conn.execute(f'ALTER SCHEMA "{schema}" RENAME TO "troth_live"')
        conn.execute(f'CREATE SCHEMA "{schema}"')
        _run(conn, source)
        conn.execute(f'ALTER SCHEMA "{schema}" RENAME TO "{STAGED}"')
        conn.execute(f'ALTER SCHEMA "troth_live" RENAME TO "{schema}"')
        conn.commit()
    except Exception as error:
        conn.rollback()
        hint = "The user of the database must own it and its schema."
        raise StoreError(f"The dump cannot be put into the database ({type(error).__name__}).", hint) from None
    finally:
        conn.close()


def _run(conn: Any, source: Path) -> None:
    """Run the script of a dump: commands as they are, and the rows of ``COPY`` as they stand."""
    with source.open("r", encoding="utf-8", newline="\n") as lines, conn.cursor() as cursor:
        commands: list[str] = []
        for line in lines:
            if line.startswith("COPY ") and line.rstrip().endswith("FROM stdin;"):
                _execute(cursor, commands)
                with cursor.copy(line.rstrip().removesuffix(";")) as copying:
                    for row in _rows(lines):
                        copying.write(row)
            elif not line.startswith(_NOT_RUN):
                commands.append(line)
        _execute(cursor, commands)


_NOT_RUN = ("\\", "CREATE SCHEMA ", "COMMENT ON SCHEMA ", "SET transaction_timeout")
"""words to psql, the schema itself, which is made already, and a setting that servers before version 17 do not know"""


def _rows(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line == "\\.\n":
            return
        yield line


def _execute(cursor: Any, commands: list[str]) -> None:
    text = "".join(commands)
    commands.clear()
    if text.strip():
        cursor.execute(text)


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def whole(path: Path) -> bool:
    """Whether a file of SQLite is a database with all its pages in order."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as conn:
            return bool(conn.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.Error:
        return False
