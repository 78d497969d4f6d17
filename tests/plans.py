"""How a database means to carry out a statement, for tests that promise an index is used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, event

from troth.store.schema import data_tables, key_tables

_PLACES = re.compile(r"(?:\?|%\(\w+\)s)(?:::\w+)?(?:, (?:\?|%\(\w+\)s)(?:::\w+)?)+")
_NAMED = re.compile(r"\b(\w+) AS \"?(\w+)\b", re.IGNORECASE)
_OF_A_KIND = r"(?:COVERING )?INDEX \w+ \(kind=\?\)"
_LOOKS_THROUGH = re.compile(
    rf"(?:SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?|SEARCH (\w+) USING (?:AUTOMATIC .*|{_OF_A_KIND}))$"
)
"""an index by which all of one kind is found, which may be everybody, is no better than none"""
_FIRST = re.compile(r"SELECT [\w.,\s]+\sFROM \w+\s+LIMIT .*", re.DOTALL | re.IGNORECASE)
FEW = 1000
"""rows of a table through which a planner rather looks than into an index"""
_PLANNED = ("SELECT", "UPDATE", "DELETE", "WITH")


def plan(conn: Connection, statement: Any, streamed: bool = False) -> str:
    """The plan of ``statement`` in the database's own words, after PostgreSQL's figures were refreshed; ``streamed`` when its
    rows are fetched through a cursor, a few at a time."""
    words = str(statement.compile(dialect=conn.dialect, compile_kwargs={"literal_binds": True}))
    explain = "EXPLAIN QUERY PLAN "
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql("ANALYZE")
        explain = "EXPLAIN DECLARE streamed CURSOR FOR " if streamed else "EXPLAIN "
    rows = conn.exec_driver_sql(explain + words.replace("%", "%%"))
    return "\n".join(str(row[-1]) for row in rows)


def explained(conn: Connection, statement: str, parameters: Any) -> str:
    """The plan of a statement that was carried out before, with the same parameters."""
    how = "EXPLAIN " if conn.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    return "\n".join(str(row[-1]) for row in conn.exec_driver_sql(how + statement, parameters))


class Heard:
    """Every distinct statement that engines carry out from here on, and what it looks through from end to end.

    A statement is explained just before it is carried out for the first time: with its own parameters, on its own connection.
    """

    def __init__(self, *engines: Engine) -> None:
        self.scans: dict[str, list[str]] = {}
        for engine in engines:
            event.listen(engine, "before_cursor_execute", self._hear)

    def _hear(
        self, conn: Connection, _cursor: object, text: str, parameters: Any, _context: object, many: bool
    ) -> None:
        known = _PLACES.sub("...", text)
        if text.lstrip().upper().startswith(_PLANNED) and known not in self.scans:
            self.scans[known] = sorted(set(_scanned(conn, text, parameters[0] if many else parameters)))


def _scanned(conn: Connection, text: str, parameters: Any) -> Iterator[str]:
    if conn.dialect.name == "sqlite":
        yield from _in_lines(text, [row[-1] for row in _raw(conn, f"EXPLAIN QUERY PLAN {text}", parameters)])
        return
    found = set(_in_tree(_plan_of(conn, text, parameters)))
    few = {table for table in found if _rows(conn, table) < FEW}
    yield from found - few
    if few:  # a planner would rather look through a few rows than into an index; could it look into one?
        _raw(conn, "SET LOCAL enable_seqscan = off")
        yield from few & set(_in_tree(_plan_of(conn, text, parameters)))
        _raw(conn, "SET LOCAL enable_seqscan = on")


def _plan_of(conn: Connection, text: str, parameters: Any) -> dict[str, Any]:
    plan: dict[str, Any] = _raw(conn, f"EXPLAIN (FORMAT JSON) {text}", parameters)[0][0][0]["Plan"]
    return plan


def _rows(conn: Connection, table: str) -> int:
    return int(_raw(conn, "SELECT reltuples FROM pg_class WHERE relname = %s", (table,))[0][0])


def _raw(conn: Connection, text: str, parameters: Any = None) -> list[Any]:
    """The rows of a statement that goes to the driver by itself, so that nobody hears it."""
    cursor = conn.connection.cursor()
    try:
        cursor.execute(text, parameters) if parameters is not None else cursor.execute(text)
        return cursor.fetchall() if cursor.description else []
    finally:
        cursor.close()


def _in_lines(text: str, lines: list[str]) -> Iterator[str]:
    """The tables that a plan of SQLite looks through."""
    if _FIRST.fullmatch(text):
        return
    names = {alias: table for table, alias in _NAMED.findall(text)}
    for line in lines:
        found = _LOOKS_THROUGH.match(line)
        name = found[1] or found[3] if found else ""
        if found and (table := _ours(names.get(name, name))) and not _some(found[2]):
            yield table


def _ours(name: str | None) -> str:
    """The table of that name; blank for what is no table, and ``visit`` for any day of visits."""
    name = re.sub(r"^(visit)_[0-9]+$", r"\1", name or "")
    return name if name in data_tables.tables or name in key_tables.tables else ""


def _in_tree(node: dict[str, Any], limited: bool = False) -> Iterator[str]:
    """The tables that a plan of PostgreSQL looks through; a few rows wherever they stand are no whole table."""
    kind, condition = node["Node Type"], "Index Cond" in node
    few = limited and "Filter" not in node
    by_index = kind in ("Index Scan", "Index Only Scan") and (condition or _some(node.get("Index Name")))
    table = _ours(node.get("Relation Name"))
    if table and kind.endswith("Scan") and kind != "Bitmap Heap Scan" and not by_index and not few:
        yield table
    if kind == "Bitmap Index Scan" and not condition and not _some(node["Index Name"]):
        yield str(node["Index Name"])
    limited = kind == "Limit" or (limited and kind not in ("Sort", "Aggregate", "Hash", "Hash Join"))
    for below in node.get("Plans", ()):
        yield from _in_tree(below, limited)


def _some(index: str | None) -> bool:
    """Whether an index holds some rows of its table only, so that all of it is what is wanted."""
    tables = [*data_tables.sorted_tables, *key_tables.sorted_tables]
    known = {one.name: one for table in tables for one in table.indexes}
    return index in known and any(option.get("where") is not None for option in known[index].dialect_options.values())
