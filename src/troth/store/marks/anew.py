"""Marks a whole store anew, after a migration has changed what its rows say.

What could go wrong: a row that was altered before the migration is found right after it. So whoever migrates asks first which
rows and sums are wrong, and those are left without a mark that fits. A table that must carry marks and does not is not marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, inspect, text

from troth.store.marks import on_postgresql, on_sqlite
from troth.store.marks.due import due
from troth.store.marks.hashing import Hasher
from troth.store.marks.protected import COLUMN, LEDGER, protected, summed

_PART = (
    f"count({COLUMN}) AS rows, coalesce(sum({COLUMN} & 4294967295), 0) AS low, coalesce(sum({COLUMN} >> 32), 0) AS high"
)


@dataclass
class Wrong:
    """What was wrong before: rows by their table, each by the values of its key, tables whose sum was, and ``bare`` ones,
    which had lost their marks."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    sums: set[str] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)


def wrong_before(conn: Connection, hasher: Hasher, store: str, version: str) -> Wrong:
    """What is wrong in ``store``, whose tables must carry the marks that they have after the migration ``version``."""
    _ready(conn, hasher)
    found = Wrong()
    summed_up = inspect(conn).has_table("store_sum")
    for name in _tables(conn):
        if due(store, version, name) and not (summed_up and COLUMN in _columns(conn, name)):
            found.bare.add(name)
    if not summed_up:
        return found
    for name in _tables(conn):
        if COLUMN in _columns(conn, name):
            keys = ", ".join(f'"{key}"' for key in _key(conn, name))
            query = f'SELECT {keys} FROM "{name}" WHERE {COLUMN} IS DISTINCT FROM {_mark(conn, name)}'
            if conn.dialect.name == "sqlite":
                query = query.replace("IS DISTINCT FROM", "IS NOT")
            found.rows[name] = [dict(row) for row in conn.exec_driver_sql(query).mappings()]
    found.sums = _wrong_sums(conn, [name for name in found.rows if summed(name)])
    return found


def mark_anew(conn: Connection, hasher: Hasher, wrong: Wrong) -> int:
    """Mark every row of the store but those that were wrong, and add the marks up; returns how many rows there are."""
    _ready(conn, hasher)
    turns: dict[str, int] = dict(conn.exec_driver_sql("SELECT name, turns FROM store_sum").all())
    conn.exec_driver_sql("DELETE FROM store_sum")
    conn.exec_driver_sql("DELETE FROM store_change")
    rows = 0
    for name in _tables(conn):
        if COLUMN in _columns(conn, name):
            if name not in wrong.bare:
                _mark_table(conn, name, wrong)
            right = name not in wrong.sums | wrong.bare
            rows += _add_up(conn, name, turns.get(name, 0) + 1, right=right) if summed(name) else 0
    return rows


def _mark_table(conn: Connection, name: str, wrong: Wrong) -> None:
    with _unlocked(conn, name):
        conn.exec_driver_sql(f'UPDATE "{name}" SET {COLUMN} = {_mark(conn, name)}')
        _leave_wrong(conn, name, wrong.rows.get(name, ()))


def _ready(conn: Connection, hasher: Hasher) -> None:
    raw: Any = conn.connection.dbapi_connection
    if conn.dialect.name == "sqlite":
        on_sqlite.register(raw, hasher)
    else:
        on_postgresql.arm(raw, hasher)
        conn.exec_driver_sql(on_postgresql.OFF)


def _tables(conn: Connection) -> list[str]:
    return sorted(name for name in inspect(conn).get_table_names() if protected(name) and name != "visit")


def _columns(conn: Connection, name: str) -> list[str]:
    if conn.dialect.name == "sqlite":
        return [*on_sqlite.columns_of(conn.connection.cursor(), name), *_own(conn, name)]
    return on_postgresql.columns_of(conn, name)


def _own(conn: Connection, name: str) -> list[str]:
    query = "SELECT name FROM pragma_table_info(?) WHERE name = ?"
    return [column for (column,) in conn.exec_driver_sql(query, (name, COLUMN))]


def _mark(conn: Connection, name: str) -> str:
    if conn.dialect.name == "sqlite":
        return on_sqlite.marked(name, on_sqlite.columns_of(conn.connection.cursor(), name))
    return on_postgresql.marked(name, on_postgresql.columns_of(conn, name))


def _key(conn: Connection, name: str) -> Sequence[str]:
    key = inspect(conn).get_pk_constraint(name)["constrained_columns"]
    return key or [column for column in _columns(conn, name) if column != COLUMN]


@contextmanager
def _unlocked(conn: Connection, name: str) -> Iterator[None]:
    """Let the ledger's rows, which only grow in number, be marked."""
    if name != LEDGER:
        yield
    elif conn.dialect.name == "sqlite":
        made = conn.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'ledger_entry_unchanged'").scalar_one()
        conn.exec_driver_sql("DROP TRIGGER ledger_entry_unchanged")
        yield
        conn.exec_driver_sql(made)
    else:
        conn.exec_driver_sql("ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_unchanged")
        yield
        conn.exec_driver_sql("ALTER TABLE ledger_entry ENABLE TRIGGER ledger_entry_unchanged")


def _leave_wrong(conn: Connection, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    for row in rows:
        where = " AND ".join(f'"{column}" = :{column}' for column in row)
        conn.execute(text(f'UPDATE "{name}" SET {COLUMN} = ~{COLUMN} WHERE {where}'), dict(row))


def _wrong_sums(conn: Connection, names: Sequence[str]) -> set[str]:
    """The tables whose rows do not add up to what is kept of them, or of which something is kept that Troth did not write.

    What waits to be added to a sum carries a mark of its own; on SQLite nothing ever waits.
    """
    sqlite = conn.dialect.name == "sqlite"
    of_sum = on_sqlite.OF_SUM if sqlite else on_postgresql.OF_SUM
    of_change = "false" if sqlite else f"mark IS NOT DISTINCT FROM {on_postgresql.OF_CHANGE}"
    kept: dict[str, tuple[int, int, int]] = {}
    wrong = set()
    for name, rows, low, high, right in conn.exec_driver_sql(
        f"SELECT name, rows, low, high, mark = {of_sum} FROM store_sum UNION ALL"
        f" SELECT name, rows, low, high, {of_change} FROM store_change"
    ):
        before = kept.get(name, (0, 0, 0))
        kept[name] = (before[0] + rows, before[1] + low, before[2] + high)
        wrong |= set() if right else {name}
    for name in names:
        has = conn.exec_driver_sql(f'SELECT {_PART}, count(*) FROM "{name}"').one()
        if tuple(map(int, has[:3])) != kept.get(name, (0, 0, 0)) or has[0] != has[3]:
            wrong.add(name)
    return wrong


def _add_up(conn: Connection, name: str, turns: int, *, right: bool) -> int:
    of_sum = on_sqlite.OF_SUM if conn.dialect.name == "sqlite" else on_postgresql.OF_SUM
    conn.exec_driver_sql(
        f"INSERT INTO store_sum (name, rows, low, high, turns) SELECT '{name}', rows, low, high, {turns}"
        f' FROM (SELECT {_PART} FROM "{name}") AS added'
    )
    if right:
        conn.exec_driver_sql(f"UPDATE store_sum SET mark = {of_sum} WHERE name = '{name}'")
    return int(conn.exec_driver_sql(f"SELECT rows FROM store_sum WHERE name = '{name}'").scalar_one())
