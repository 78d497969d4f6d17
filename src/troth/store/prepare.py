"""Makes a site's tables, or brings them to the present: by migrations alone, so that every site is built the same way."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from troth.store.engines import writing
from troth.store.migrations.run import VERSIONS
from troth.store.site import Site

MIGRATIONS = Path(__file__).parent / "migrations"


def prepare(site: Site) -> None:
    """Bring both stores of ``site`` to the present schema; does nothing where they are.

    Raises:
        StoreError: when a store is locked or gone; its schema is then as it was.
    """
    upgrade(site.engine, "data")
    upgrade(site.keys, "keys")


def upgrade(engine: Engine, store: str) -> None:
    """Run the migrations of ``store`` (``data`` or ``keys``) that ``engine`` has not seen, in one transaction."""
    with writing(engine) as conn:
        present = MigrationContext.configure(conn, opts={"version_table": VERSIONS}).get_current_heads()
        if present == newest(store):
            return
        config = configured(store)
        config.attributes["connection"] = conn
        command.upgrade(config, "head")


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
