"""Inserts that stand aside when the row is already there: one spelling for both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert as _PostgresInsert
    from sqlalchemy.dialects.sqlite import Insert as _SqliteInsert


def insert_into(conn: Connection, table: Table) -> _PostgresInsert | _SqliteInsert:
    """An insert with ``on_conflict_do_nothing`` and ``on_conflict_do_update``, for the database behind ``conn``."""
    return insert_for(conn.dialect.name, table)


def insert_for(dialect: str, table: Table) -> _PostgresInsert | _SqliteInsert:
    """As ``insert_into``, for statements that are put together once and remembered by the name of the dialect."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
