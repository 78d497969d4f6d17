"""Fresh and copied databases that are as durable as a shop's: SQLite with full syncs, PostgreSQL that waits for the disk."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg import sql
from sqlalchemy import Engine, make_url

from tests.databases import LOCAL, libpq, refusal
from troth.clock import MovedClock, utc
from troth.people.keyring import make_site_key
from troth.store import versions
from troth.store.prepare import prepare
from troth.store.site import Site, open_site

Kind = Literal["sqlite", "postgresql"]
SHOP = Path(__file__).parent / "shop"
START = utc(2026, 1, 5, 9)
SERVER = "TROTH_BENCH_POSTGRES"


@dataclass
class Stores:
    """Makes databases in ``folder`` and on a server, and drops them all in the end."""

    folder: Path
    server: str | None
    only: Kind | None = None
    made: list[str] = field(default_factory=list)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """SQLite, and PostgreSQL when there is a server; or the one that was asked for."""
        there: tuple[Kind, ...] = ("sqlite", "postgresql") if self.server else ("sqlite",)
        return tuple(kind for kind in there if self.only in (None, kind))

    def empty(self, kind: Kind) -> str:
        """The URL of a new database."""
        name = f"troth_bench_{os.getpid()}_{secrets.token_hex(4)}"
        if kind == "sqlite":
            return f"sqlite:///{self.folder / name}.db"
        self._maintain("CREATE DATABASE {} TEMPLATE template0", name)
        return self._entered(name)

    def copy(self, url: str) -> str:
        """The URL of a copy of a database that nobody has open, written to the disk."""
        source, name = make_url(url), f"troth_bench_{os.getpid()}_{secrets.token_hex(4)}"
        if source.get_backend_name() == "postgresql":
            self._maintain("CREATE DATABASE {} TEMPLATE {}", name, str(source.database))
            self._maintain("CHECKPOINT")
            return self._entered(name)
        target = self.folder / f"{name}.db"
        shutil.copyfile(str(source.database), target)
        with target.open("rb+") as file:
            os.fsync(file.fileno())
        return f"sqlite:///{target}"

    def drop(self, url: str) -> None:
        """Remove a database."""
        address = make_url(url)
        if address.get_backend_name() == "postgresql":
            self.made.remove(url)
            self._maintain("DROP DATABASE IF EXISTS {} WITH (FORCE)", str(address.database))
        for suffix in ("", "-wal", "-shm") if address.get_backend_name() == "sqlite" else ():
            Path(f"{address.database}{suffix}").unlink(missing_ok=True)

    def close(self) -> None:
        """Remove every database that is still there."""
        for url in list(self.made):
            with suppress(psycopg.Error):
                self.drop(url)

    def _entered(self, name: str) -> str:
        url = make_url(self.server or "").set(database=name).render_as_string(hide_password=False)
        self.made.append(url)
        return url

    def _maintain(self, statement: str, *names: str) -> None:
        with closing(psycopg.connect(libpq(make_url(self.server or "")), autocommit=True)) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def find_server() -> str | None:
    """The server of ``TROTH_BENCH_POSTGRES`` (a SQLAlchemy URL) or the one on this machine; None when neither answers."""
    named = os.environ.get(SERVER)
    address = make_url(named) if named else LOCAL
    return None if refusal(address) else address.render_as_string(hide_password=False)


def open_shop(folder: Path, url: str, keys: str, *, keyed: bool = False) -> Site:
    """The benchmarks' shop on two databases, prepared, with its policy in force; its clock stands at ``START``.

    Only one that is ``keyed`` has its site key, so that what it writes carries marks from the first row on.
    """
    shutil.copytree(SHOP, folder, dirs_exist_ok=True)
    site = open_site(folder, MovedClock(START), database=url, keys=keys)
    prepare(site)
    if keyed:
        make_site_key(site)
    policy, decisions = ((folder / name).read_text() for name in ("policy.yaml", "decisions.yaml"))
    with site.writing() as conn:
        versions.archive(conn, policy, decisions, effective_at=utc(2024), at=utc(2023, 12))
    return site


@contextmanager
def shop(stores: Stores, kind: Kind) -> Iterator[Site]:
    """A fresh shop on a fresh data store and key store of ``kind``."""
    urls = [stores.empty(kind), stores.empty(kind)]
    site = open_shop(stores.folder / f"shop-{secrets.token_hex(4)}", *urls, keyed=True)
    try:
        yield site
    finally:
        site.close()
        for url in urls:
            stores.drop(url)


def settled(engine: Engine) -> None:
    """Empty the write-ahead log before a run, so that nobody pays for what the other side wrote."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        postgres = conn.dialect.name == "postgresql"
        conn.exec_driver_sql("CHECKPOINT" if postgres else "PRAGMA wal_checkpoint(TRUNCATE)")


def looked_through(engine: Engine) -> None:
    """Let PostgreSQL take the figures it plans by, as its own housekeeping does soon after a store was filled."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.exec_driver_sql("VACUUM ANALYZE")


def driver(engine: Engine) -> Any:
    """A connection of the database's own driver, with the very settings that Troth's connections have, in autocommit."""
    if engine.dialect.name == "postgresql":
        return psycopg.connect(libpq(engine.url), autocommit=True)
    raw = sqlite3.connect(str(engine.url.database), isolation_level=None)
    with engine.connect() as conn:
        for pragma in ("synchronous", "foreign_keys", "secure_delete", "busy_timeout"):
            value = conn.exec_driver_sql(f"PRAGMA {pragma}").scalar_one()
            raw.execute(f"PRAGMA {pragma} = {value}")
    return raw
