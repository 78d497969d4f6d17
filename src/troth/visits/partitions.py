"""Which days of visits there are, and making and dropping them: the one place where the two databases differ.

PostgreSQL attaches each day to the table ``visit`` as a partition, so that anything else may read them as one; SQLite has only
the days. Everything else, inserts included, speaks to the table of a day.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time

from sqlalchemy import Connection, Table, func, select, text, union_all
from sqlalchemy.schema import CreateIndex, CreateTable

from troth.clock import DAY, to_micros
from troth.store.marks.schema import protect_on_postgresql, protect_on_sqlite
from troth.store.marks.writing import cover, dropped
from troth.visits.tables import of_day, visit

_PREFIX = f"{visit.name}_"
_NAMES = {
    "sqlite": text("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'visit_[0-9]*'"),
    "postgresql": text(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^visit_[0-9]{8}$'"
        " AND relnamespace = current_schema()::regnamespace"
    ),
}


def table_of(day: date) -> Table:
    """The table that holds the visits of ``day`` (UTC)."""
    return of_day(f"{day:%Y%m%d}")


def start_of(day: date) -> datetime:
    """The first instant of ``day``; the last is just before that of the next."""
    return datetime.combine(day, time(), UTC)


def days_present(conn: Connection) -> list[date]:
    """The days that have a table, in order."""
    names = conn.scalars(_NAMES[conn.dialect.name])
    return sorted(date.fromisoformat(name.removeprefix(_PREFIX)) for name in names)


def ensure_days(conn: Connection, days: Collection[date]) -> None:
    """Make the tables of ``days`` that are missing, in the caller's transaction, which may then write into all of them."""
    for day in sorted(set(days) - set(days_present(conn))):
        _make(conn, day)
    for day in days:
        cover(conn, table_of(day).name)


def _make(conn: Connection, day: date) -> None:
    if conn.dialect.name != "postgresql":
        table = table_of(day)
        conn.execute(CreateTable(table, if_not_exists=True))
        for index in table.indexes:
            conn.execute(CreateIndex(index, if_not_exists=True))
        protect_on_sqlite(conn, table.name)
        return
    bounds = f"FROM ({to_micros(start_of(day))}) TO ({to_micros(start_of(day) + DAY)})"
    conn.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS {table_of(day).name} PARTITION OF visit FOR VALUES {bounds}")
    protect_on_postgresql(conn, table_of(day).name, part=True)


def over_by(days: Iterable[date], cutoff: datetime) -> list[date]:
    """Those of ``days`` of which every instant lies at or before ``cutoff``."""
    return [day for day in days if start_of(day) + DAY <= cutoff]


def drop(conn: Connection, days: Iterable[date]) -> None:
    """Drop days with all that they hold.

    On SQLite their pages are given back as they are, for which alone ``secure_delete`` stands off: overwriting every page would
    cost what deleting row by row costs. What they hold is sealed under the keys of those days, which the caller destroys;
    until then it is where it was. ``docs/decisions/0010`` says what stays readable: instants and random numbers.
    """
    names = [table_of(day).name for day in days]
    for name in names:
        dropped(conn, name)
    if conn.dialect.name == "postgresql":
        if names:
            conn.exec_driver_sql(f"DROP TABLE IF EXISTS {', '.join(names)}")
        return
    with _pages_left_as_they_are(conn):
        for name in names:
            conn.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")


@contextmanager
def _pages_left_as_they_are(conn: Connection) -> Iterator[None]:
    before = conn.exec_driver_sql("PRAGMA secure_delete").scalar_one()
    conn.exec_driver_sql("PRAGMA secure_delete = OFF")
    try:
        yield
    finally:
        conn.exec_driver_sql(f"PRAGMA secure_delete = {before}")


def count(conn: Connection, days: Collection[date]) -> int:
    """How many visits ``days`` hold; of a large day PostgreSQL's catalogue says it, to a few in a hundred."""
    if not days:
        return 0
    known = _in_catalogue(conn) if conn.dialect.name == "postgresql" else {}
    rest = [select(func.count().label("n")).select_from(table_of(day)) for day in days if day not in known]
    counted = sum(conn.scalars(union_all(*rest))) if rest else 0
    return counted + sum(known[day] for day in days if day in known)


MANY = 10_000
"""Visits of a day from which on the catalogue's number is good enough: counting each would take longer than dropping them."""
_KNOWN = text(
    "SELECT relname, reltuples FROM pg_class WHERE relkind = 'r' AND relname ~ '^visit_[0-9]{8}$'"
    " AND relnamespace = current_schema()::regnamespace AND reltuples >= :many"
)


def _in_catalogue(conn: Connection) -> dict[date, int]:
    rows = conn.execute(_KNOWN, {"many": MANY})
    return {date.fromisoformat(row.relname.removeprefix(_PREFIX)): round(row.reltuples) for row in rows}
