"""What acts on tables that come and go have to say: on SQLite a connection marks only the tables that it was told of."""

from __future__ import annotations

from sqlalchemy import Connection, text

from troth.store.marks import on_sqlite
from troth.store.marks.arming import armed


def cover(conn: Connection, name: str) -> None:
    """Let ``conn`` mark what it writes into the table ``name`` from now on, which may have been made by somebody else."""
    if conn.dialect.name != "sqlite" or not armed(conn):
        return
    cursor = conn.connection.cursor()
    try:
        on_sqlite.cover(cursor, name)
    finally:
        cursor.close()


def dropped(conn: Connection, name: str) -> None:
    """Take all that the sum of the table ``name`` holds out of it: the table is dropped in this transaction."""
    if conn.dialect.name == "postgresql":
        conn.execute(_GONE_ON_POSTGRESQL, {"name": name})
    elif armed(conn):
        cover(conn, name)
        conn.execute(_GONE_ON_SQLITE, {"name": name})


_GONE_ON_SQLITE = text(
    "UPDATE temp.sum_change SET (rows, low, high) = (SELECT -rows, -low, -high FROM main.store_sum WHERE name = :name)"
    " WHERE name = :name AND EXISTS (SELECT 1 FROM main.store_sum WHERE name = :name)"
)
_GONE_ON_POSTGRESQL = text(
    "SELECT troth_sum_change(:name, -coalesce(sum(rows), 0)::bigint, -coalesce(sum(low), 0), -coalesce(sum(high), 0)) FROM"
    " (SELECT rows, low, high FROM store_sum WHERE name = :name UNION ALL"
    " SELECT rows, low, high FROM store_change WHERE name = :name) AS kept"
    " WHERE coalesce(current_setting('troth.mark_inner', true), '') <> ''"
)
