"""Copies of whole stores that a test takes and puts back, as an operator would with a database's own tools."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import Engine


class Copies:
    """What stores held at an instant, by a name that the test gives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[tuple[Engine, str]] = []

    def take(self, engine: Engine, name: str) -> None:
        """Remember what ``engine`` holds now."""
        if engine.dialect.name == "sqlite":
            with closing(sqlite3.connect(_file(engine))) as live, closing(sqlite3.connect(self._path(name))) as copy:
                live.backup(copy)
        else:
            _clone(engine, str(engine.url.database), _beside(name))
            self._made.append((engine, _beside(name)))

    def put_back(self, engine: Engine, name: str) -> None:
        """Let ``engine`` find what was remembered, and nothing of what came since."""
        if engine.dialect.name == "sqlite":
            engine.dispose()
            for suffix in ("-wal", "-shm"):
                Path(f"{_file(engine)}{suffix}").unlink(missing_ok=True)
            _file(engine).write_bytes(self._path(name).read_bytes())
        else:
            _clone(engine, _beside(name), str(engine.url.database))

    def close(self) -> None:
        """Drop what a server keeps."""
        for engine, name in self._made:
            with _server(engine) as conn:
                conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _path(self, name: str) -> Path:
        return self._folder / f"copy-{name}.db"


def _file(engine: Engine) -> Path:
    return Path(str(engine.url.database))


def _beside(name: str) -> str:
    return f"troth_test_copy_{name}"


def _clone(engine: Engine, source: str, target: str) -> None:
    engine.dispose()
    with _server(engine) as conn:
        conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(target)))
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        conn.execute(made.format(sql.Identifier(target), sql.Identifier(source)))


@contextmanager
def _server(engine: Engine) -> Iterator[psycopg.Connection]:
    url = engine.url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with closing(psycopg.connect(url, autocommit=True)) as conn:
        yield conn
