"""Reads all rows of a SQLite store in strides and holds each against its mark.

A stride is a range of row numbers. Its digest is over all that its rows say and their marks, put together by the database; a
stride whose digest is as it was the last time is not looked at again, so that a second look costs a fraction of the first.

What could go wrong: two rows that say different things give one text, and a change between them is never looked at. So each
value says of which type it is, and a text or bytes how long it is, before it says what it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any

from troth.reconcile.findings import Finding, Rows
from troth.reconcile.naming import ENTRIES, named, names_of
from troth.reconcile.sums import Sum, Table
from troth.store.marks.on_sqlite import FUNCTION, OF_SUM, Columns, columns_of, marked, odd
from troth.store.marks.protected import COLUMN, LEDGER, protected

_STRIDE = 8192
_TABLES = f"""SELECT t.name FROM sqlite_master t, pragma_table_info(t.name) c
    WHERE t.type = 'table' AND c.name = '{COLUMN}' ORDER BY t.name"""

Digests = dict[tuple[str, int], bytes]
"""of each stride, by its table and number"""


def kept(raw: Any) -> tuple[dict[str, Sum], list[str]]:
    """The sums that the store keeps, by table, and the tables whose sum Troth did not write."""
    rows = raw.execute(f"SELECT name, rows, low, high, mark IS {OF_SUM} FROM store_sum").fetchall()
    return {row[0]: Sum(*row[1:4]) for row in rows}, [row[0] for row in rows if not row[4]]


def tables(raw: Any) -> list[str]:
    """The tables whose rows carry marks."""
    return [name for (name,) in raw.execute(_TABLES).fetchall() if protected(name)]


def look(raw: Any, store: str, name: str, seen: Digests, most: int) -> Table:
    """Look at every row of the table ``name`` and add them up; ``most`` rows that are wrong are named."""
    columns = columns_of(raw.cursor(), name)
    strides = _Strides(raw, store, name, columns)
    total = Sum()
    wrong = Rows(name, most)
    fresh: list[str] = []
    for number in strides.numbers():
        part, digest = strides.digest(number)
        total += part
        if seen.get((name, number)) == digest:
            continue
        fresh.append(f"rowid >= {number * _STRIDE} AND rowid < {(number + 1) * _STRIDE}")
        if not wrong.add(strides.wrong(number)):
            seen[name, number] = digest
    return Table(name, total, wrong.findings(), fresh)


def wrong_rows(raw: Any, store: str, name: str) -> Iterator[Finding]:
    """All rows of the table ``name`` that are not as Troth wrote them, one after the other."""
    strides = _Strides(raw, store, name, columns_of(raw.cursor(), name))
    for number in strides.numbers():
        yield from strides.wrong(number)


def whole(columns: Iterable[str]) -> str:
    """The SQL for all that a row says in ``columns``, with its mark, as one text that no other row gives."""
    return " || ".join(map(_whole, (*columns, COLUMN)))


def _whole(column: str) -> str:
    value = f'"{column}"'
    return f"""CASE typeof({value}) WHEN 'text' THEN 't' || length(CAST({value} AS BLOB)) || ':' || {value}
        WHEN 'blob' THEN 'b' || length({value}) || ':' || {value} ELSE quote({value}) || ',' END"""


class _Strides:
    def __init__(self, raw: Any, store: str, name: str, columns: Columns) -> None:
        self._raw, self._name = raw, name
        own, mark = f'"{name}"', marked(name, columns)
        told = whole(("leaf",) if name == LEDGER else columns)
        also = "0" if name == LEDGER else odd(columns)
        names, entry = names_of(store, name, list(columns)), ENTRIES.get(name)
        shown = ", ".join(f'"{column}"' for column in (*names, *([entry] if entry else [])))
        self._named = len(names)
        here = f"FROM {own} WHERE rowid >= ? AND rowid < ?"
        self._next = f"SELECT min(rowid) FROM {own} WHERE rowid >= ?"
        self._digest = f"""SELECT count({COLUMN}), coalesce(sum({COLUMN} & 4294967295), 0),
            coalesce(sum({COLUMN} >> 32), 0), CAST(group_concat({told}, '') AS BLOB),
            count(*) {here}"""
        holds = f"{FUNCTION}(CAST('seen,{name},' || {whole(columns)} AS BLOB))"
        self._wrong = f"SELECT {holds}, {shown} {here} AND ({COLUMN} IS NOT {mark} OR {also})"

    def numbers(self) -> Iterator[int]:
        """The strides in which there are rows."""
        (row,) = self._raw.execute(f'SELECT min(rowid) FROM "{self._name}"').fetchone()
        while row is not None:
            number = row // _STRIDE
            yield number
            if (number + 1) * _STRIDE > 2**63 - 1:
                return
            (row,) = self._raw.execute(self._next, ((number + 1) * _STRIDE,)).fetchone()

    def digest(self, number: int) -> tuple[Sum, bytes]:
        """The sum of a stride, and the digest of all that its rows say."""
        rows, low, high, told, there = self._raw.execute(self._digest, self._range(number)).fetchone()
        return Sum(rows, low, high, there - rows), blake2b(told or b"", digest_size=16).digest()

    def wrong(self, number: int) -> Iterator[Finding]:
        """The rows of a stride that are not as Troth wrote them."""
        for holds, *row in self._raw.execute(self._wrong, self._range(number)).fetchall():
            entry = str(row[self._named]) if len(row) > self._named else ""
            yield Finding(self._name, "changed", named(row[: self._named]), entry, holds=str(holds))

    def _range(self, number: int) -> tuple[int, int]:
        return number * _STRIDE, min((number + 1) * _STRIDE, 2**63 - 1)
