"""Gives every protected table of a store its column for marks and, on PostgreSQL, its triggers."""

from __future__ import annotations

from sqlalchemy import Connection, text

from troth.store.marks import on_postgresql
from troth.store.marks.protected import COLUMN, protected

_SQLITE = text("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
_POSTGRESQL = text(
    "SELECT relname, relkind = 'p' AS parent, relispartition AS part FROM pg_class WHERE relkind IN ('r', 'p')"
    " AND relnamespace = current_schema()::regnamespace ORDER BY relispartition, relname"
)


def protect(conn: Connection) -> None:
    """Protect every table of this store that is to be protected; does nothing where they are."""
    if conn.dialect.name == "sqlite":
        for name in conn.scalars(_SQLITE).all():
            if protected(name):
                protect_on_sqlite(conn, name)
        return
    for function in on_postgresql.FUNCTIONS:
        conn.exec_driver_sql(function)
    for name, parent, part in conn.execute(_POSTGRESQL).all():
        if protected(name):
            protect_on_postgresql(conn, name, parent=parent, part=part)


def protect_on_sqlite(conn: Connection, name: str) -> None:
    """Give the table ``name`` its column for marks, unless it has it."""
    if COLUMN not in conn.scalars(text("SELECT name FROM pragma_table_info(:name)"), {"name": name}).all():
        conn.exec_driver_sql(f'ALTER TABLE "{name}" ADD COLUMN {COLUMN} BIGINT')


def protect_on_postgresql(conn: Connection, name: str, *, parent: bool = False, part: bool = False) -> None:
    """Give the table ``name`` its column for marks and its triggers; a part of a table has its column from there."""
    if not part:
        conn.exec_driver_sql(f'ALTER TABLE "{name}" ADD COLUMN IF NOT EXISTS {COLUMN} BIGINT')
    for trigger in on_postgresql.triggers(name, parent=parent, part=part):
        conn.exec_driver_sql(trigger)
