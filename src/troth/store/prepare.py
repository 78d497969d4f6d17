"""Makes a site's tables, or brings them to the present: by migrations alone, so that every site is built the same way."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from troth.store.engines import reading, writing
from troth.store.marks.anew import mark_anew, wrong_before
from troth.store.marks.arming import UNMARKED, marks_of
from troth.store.marks.due import committed
from troth.store.marks.schema import protect
from troth.store.migrations.run import VERSIONS
from troth.store.site import Site

MIGRATIONS = Path(__file__).parent / "migrations"


def prepare(site: Site) -> int:
    """Bring both stores of ``site`` to the present schema; does nothing where they are.

    Returns how many rows that were there were marked anew.

    Raises:
        StoreError: when a store is locked or gone; its schema is then as it was.
    """
    seen = _committed(site)
    return upgrade(site.engine, "data", seen.get("data", "")) + upgrade(site.keys, "keys", seen.get("keys", ""))


def wound_back(site: Site) -> dict[str, str]:
    """The last migration of each store that has seen fewer than its ledger says that it had; to be asked before ``prepare``."""
    seen = _committed(site)
    there = {store: _present(engine) for store, engine in _stores(site)}
    return {store: there[store] for store in seen if there[store] < seen[store]}


def _committed(site: Site) -> dict[str, str]:
    """Under which migrations the ledger committed to each store; not asked where none is to be run."""
    if all(_present(engine) == ",".join(newest(store)) for store, engine in _stores(site)):
        return {}
    with reading(site.engine) as conn:
        return committed(conn)


def _stores(site: Site) -> tuple[tuple[str, Engine], ...]:
    return ("data", site.engine), ("keys", site.keys)


def _present(engine: Engine) -> str:
    with reading(engine) as conn:
        return present(conn)


def upgrade(engine: Engine, store: str, seen: str = "") -> int:
    """Run the migrations of ``store`` (``data`` or ``keys``) that ``engine`` has not seen, in one transaction.

    Then every row is marked anew, except those that were wrong before; returns how many rows there are. Nothing is marked
    while there is no key. ``seen`` is the last migration under which the ledger committed to the store's sums: a table that
    had marks after that, or has them after the migrations that ran, and is without them, stays so.
    """
    with writing(engine.execution_options(**{UNMARKED: True})) as conn:
        if version_of(conn) == newest(store):
            return 0
        marks = marks_of(conn)
        hasher = marks.hasher() if marks else None
        wrong = wrong_before(conn, hasher, store, max(seen, present(conn))) if hasher else None
        config = configured(store)
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
        protect(conn)
        return mark_anew(conn, hasher, wrong) if hasher and wrong else 0


def version_of(conn: Connection) -> tuple[str, ...]:
    """The last migration that the store has seen, as Alembic names it; nothing before the first."""
    return tuple(MigrationContext.configure(conn, opts={"version_table": VERSIONS}).get_current_heads())


def present(conn: Connection) -> str:
    """The last migration that has run on a store; blank when none has."""
    return ",".join(MigrationContext.configure(conn, opts={"version_table": VERSIONS}).get_current_heads())


def knows(store: str, revision: str) -> bool:
    """Whether this Troth has the migration ``revision`` of ``store``: a store of a newer one has others."""
    known = {one.revision for one in ScriptDirectory.from_config(configured(store)).walk_revisions()}
    return set(revision.split(",")) <= known


@cache
def newest(store: str) -> tuple[str, ...]:
    """The last migration of ``store``, as Alembic names it."""
    return tuple(ScriptDirectory.from_config(configured(store)).get_heads())


def configured(store: str) -> Config:
    """Alembic's configuration for ``store``; whoever uses it adds the connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS / store))
    config.set_main_option("path_separator", "os")
    return config
