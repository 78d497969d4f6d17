"""Statements of the hot paths: put together and compiled once, and then handed to the database's own driver.

SQLAlchemy spends thirty to a hundred microseconds on a statement that SQLite answers in three. What a person waits for is
therefore written with SQLAlchemy Core like everything else, compiled once for each database, and carried out on the very
connection, and in the transaction, that SQLAlchemy has open.

What could go wrong: an error that is no longer recognised, or that quotes the values it stumbled over; a listener that no
longer sees every statement; a value that is bound otherwise than a column of its type would. So errors go the way that
SQLAlchemy's own go; where anybody listens to statements, SQLAlchemy carries them out; and what is bound here is text, bytes,
numbers, instants (as ``Instant`` keeps them) and lists for ``among``, nothing else. Rows come as the driver gives them,
instants as microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Connection, Engine, Executable, String, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import NullType

from troth.clock import to_micros
from troth.store.pipelined import is_pipelined

_cursors = count()
Values = Mapping[str, object]
Row = tuple[Any, ...]
SMALL = 16
"""rows that are inserted with one statement however many they are; of more, 16 or 128 go together"""


class Prepared:
    """A statement of SQLAlchemy Core, compiled once for each database.

    Args:
        statement: the statement, or what makes it from a dialect's name.
        names: the columns that an insert is given.
        together: whether PostgreSQL may insert several rows with one statement, so that what is done once a statement, as
            adding to the sums of marks, is done once for all of them. Not for one that updates what is there already: it must
            not meet a row twice.
    """

    def __init__(
        self,
        statement: Executable | Callable[[str], Executable],
        names: Sequence[str] | None = None,
        *,
        together: bool = False,
    ) -> None:
        self._statement, self._names, self._joins = statement, names, together
        self._compiled: dict[str, tuple[str, Callable[[Values], Any]]] = {}
        self._together: dict[int, str] = {}

    def rows(self, conn: Connection, values: Values | None = None) -> list[Row]:
        """All rows of a query with these values."""
        sql, bound = self._for(conn)
        found: list[Row] = carried_out(conn, sql, bound(values or {}), fetched=True)
        return found

    def pages(self, conn: Connection, size: int, values: Values | None = None) -> Iterator[list[Row]]:
        """The rows of a query, ``size`` at a time, however many there are; the connection may be used for more meanwhile."""
        sql, bound = self._for(conn)
        if heard(conn):
            told = conn.exec_driver_sql(sql, bound(values or {}), execution_options={"stream_results": True})
            yield from ([tuple(row) for row in page] for page in told.partitions(size))
        else:
            yield from _fetched(conn, sql, bound(values or {}), size)

    def run(self, conn: Connection, values: Values | None = None) -> int:
        """Carry out a statement that returns no rows; how many it touched."""
        sql, bound = self._for(conn)
        return int(carried_out(conn, sql, bound(values or {})))

    def send(self, conn: Connection, *rows: Values) -> None:
        """Carry it out for each of ``rows`` without asking what came of it: in a pipeline nobody waits for the answer."""
        if not is_pipelined(conn) or heard(conn):
            self.many(conn, rows)
            return
        for sql, given in self._statements(conn, rows):
            for values in given:
                _sent(conn, sql, values)

    def many(self, conn: Connection, rows: Sequence[Values]) -> int:
        """Carry it out for each of ``rows``; how many it touched in all."""
        touched = 0
        for sql, given in self._statements(conn, rows):
            several = len(given) > 1
            touched += int(carried_out(conn, sql, given if several else given[0], many=several))
        return touched

    def _statements(self, conn: Connection, rows: Sequence[Values]) -> Iterator[tuple[str, list[Any]]]:
        """The statements by which ``rows`` go in, each with what it is given each time."""
        if self._joins and len(rows) > 1 and conn.dialect.name == "postgresql":
            yield from (self._of_rows(conn, size, part) for size, part in _parts(rows))
        elif rows:
            sql, bound = self._for(conn)
            yield sql, [bound(row) for row in rows]

    def _of_rows(self, conn: Connection, size: int, rows: Sequence[Values]) -> tuple[str, list[Any]]:
        """The statement that inserts ``size`` rows, and what it is given each time."""
        if size not in self._together:
            blank = [dict.fromkeys(self._names or ())] * size
            self._together[size] = self._made(conn).values(blank).compile(dialect=conn.dialect).string
        return self._together[size], [
            {f"{name}_m{n}": _plain(row[name], "postgresql") for n, row in enumerate(part) for name in row}
            for part in _cut(rows, size)
        ]

    def _made(self, conn: Connection) -> Any:
        return self._statement if isinstance(self._statement, Executable) else self._statement(conn.dialect.name)

    def _for(self, conn: Connection) -> tuple[str, Callable[[Values], Any]]:
        name = conn.dialect.name
        if name not in self._compiled:
            self._compiled[name] = self._prepared(conn)
        return self._compiled[name]

    def _prepared(self, conn: Connection) -> tuple[str, Callable[[Values], Any]]:
        compiled: Any = self._made(conn).compile(dialect=conn.dialect, column_keys=self._names)
        if compiled.post_compile_params or compiled.literal_execute_params:
            raise ValueError("a statement that is compiled once is whole: lists are given with `among`")
        fixed = {name: value for name, value in compiled.params.items() if isinstance(value, str | int)}
        if compiled.positiontup is not None:
            return compiled.string, partial(_by_place, fixed, tuple(compiled.positiontup))
        return compiled.string, partial(_by_name, fixed)


def _parts(rows: Sequence[Values]) -> Iterator[tuple[int, Sequence[Values]]]:
    """``rows`` by how many go in with one statement: few sizes, since each is a statement that the server plans."""
    for size in (128, SMALL):
        whole = len(rows) - len(rows) % size
        if whole:
            yield size, rows[:whole]
        rows = rows[whole:]
    if rows:
        yield len(rows), rows


def _cut(rows: Sequence[Values], size: int) -> Iterator[Sequence[Values]]:
    yield from (rows[start : start + size] for start in range(0, len(rows), size))


def _by_place(fixed: Values, order: Sequence[str], given: Values) -> Row:
    values = {**fixed, **given} if fixed else given
    return tuple([_plain(values[name], "sqlite") for name in order])


def _by_name(fixed: Values, given: Values) -> Values:
    return {**fixed, **{name: _plain(value, "postgresql") for name, value in given.items()}}


def _plain(value: Any, dialect: str) -> Any:
    kind = type(value)
    if kind is str:
        return value
    if kind is datetime:
        return to_micros(value)
    return json.dumps(value) if kind is list and dialect == "sqlite" else value


def carried_out(conn: Connection, sql: str, values: Any, *, many: bool = False, fetched: bool = False) -> Any:
    """Hand ``sql`` to the driver of ``conn``: the rows, or how many were touched."""
    if heard(conn):
        result = conn.exec_driver_sql(sql, values)
        return [tuple(row) for row in result] if fetched else result.rowcount
    cursor = conn.connection.cursor()
    try:
        (cursor.executemany if many else cursor.execute)(sql, values)
        return cursor.fetchall() if fetched else cursor.rowcount
    except _driver_errors(conn) as error:
        # The one private name of SQLAlchemy in Troth: it turns a driver's error into SQLAlchemy's own, as for any statement.
        conn._handle_dbapi_exception(error, sql, None, cursor, None)
    finally:
        cursor.close()


def _sent(conn: Connection, sql: str, values: Values) -> None:
    cursor = conn.connection.cursor()
    try:
        cursor.execute(sql, values)
    except _driver_errors(conn) as error:
        conn._handle_dbapi_exception(error, sql, None, cursor, None)


@contextmanager
def as_statements(conn: Connection, what: str) -> Iterator[None]:
    """Let what the driver of ``conn`` raises within the block be told as an error of a statement."""
    try:
        yield
    except _driver_errors(conn) as error:
        conn._handle_dbapi_exception(error, what, None, None, None)


def _fetched(conn: Connection, sql: str, values: Any, size: int) -> Iterator[list[Row]]:
    raw: Any = conn.connection.dbapi_connection
    cursor = raw.cursor(f"pages_{next(_cursors)}") if conn.dialect.name == "postgresql" else raw.cursor()
    try:
        cursor.execute(sql, values)
        while page := cursor.fetchmany(size):
            yield page
    except _driver_errors(conn) as error:
        conn._handle_dbapi_exception(error, sql, None, cursor, None)
    finally:
        cursor.close()


def heard(conn: Connection | Engine) -> bool:
    """Whether anybody listens to statements."""
    told: Any = conn.dispatch
    return bool(told.before_cursor_execute or told.after_cursor_execute)


def _driver_errors(conn: Connection) -> type[Exception]:
    errors: Any = conn.dialect.loaded_dbapi
    kind: type[Exception] = errors.Error
    return kind


class among(ColumnElement[Any]):  # noqa: N801 - reads as SQL does
    """Whether ``column`` is one of the list bound to ``name``: one statement for lists of any length."""

    inherit_cache = False
    type = NullType()  # a boolean would be compared with 1 on SQLite, which then looks at every row

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        one = String if isinstance(column.type, String) else column.type  # of no length, which would cut what is longer
        self.column, self.listed, self.values = (
            column,
            bindparam(name, type_=ARRAY(one)),
            bindparam(name, type_=String()),
        )


@compiles(among, "sqlite")
def _in_json(element: among, compiler: Any, **options: Any) -> str:
    listed = compiler.process(element.values, **options)
    return f"{compiler.process(element.column, **options)} IN (SELECT value FROM json_each({listed}))"  # noqa: S608


@compiles(among)
def _any(element: among, compiler: Any, **options: Any) -> str:
    listed = compiler.process(element.listed, **options)
    return f"{compiler.process(element.column, **options)} = ANY({listed})"
