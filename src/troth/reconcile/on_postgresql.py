"""Reads all rows of a PostgreSQL store and holds each against its mark.

PostgreSQL writes a new version of a row at each change, at another place and under a higher transaction. So a stride, a range
of pages, is told by a digest of the places and transactions of its rows: the second look reads neither what they say nor marks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from troth.reconcile.findings import Finding, Rows
from troth.reconcile.naming import ENTRIES, named, names_of
from troth.reconcile.sums import Sum, Table
from troth.store.marks.on_postgresql import OF_CHANGE, OF_SUM, columns_of, marked
from troth.store.marks.protected import COLUMN, protected

_PAGES = 256
_TABLES = f"""SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.attname = '{COLUMN}'
    AND NOT a.attisdropped ORDER BY 1"""

_IN_TURN = {"yield_per": 1_000}
"""rows are fetched as they are needed, however many there are"""
Digests = dict[tuple[str, int], int]
"""of each stride, by its table and number"""


def kept(conn: Connection) -> tuple[dict[str, Sum], list[str]]:
    """The sums that the store keeps, by table, with what waits to be folded in; and the tables whose sum is not Troth's."""
    sums: dict[str, Sum] = {}
    wrong = []
    query = f"""SELECT name, rows, low, high, mark IS NOT DISTINCT FROM {OF_SUM} FROM store_sum UNION ALL
        SELECT name, rows, low, high, mark IS NOT DISTINCT FROM {OF_CHANGE} FROM store_change"""
    for name, rows, low, high, right in conn.exec_driver_sql(query):
        sums[name] = sums.get(name, Sum()) + Sum(rows, low, high)
        if not right:
            wrong.append(name)
    return sums, wrong


def tables(conn: Connection) -> list[str]:
    """The tables whose rows carry marks."""
    return [name for (name,) in conn.exec_driver_sql(_TABLES) if protected(name)]


def look(conn: Connection, store: str, name: str, seen: Digests, most: int) -> Table:
    """Look at every row of the table ``name`` and add them up; ``most`` rows that are wrong are named."""
    total, digests = Sum(), {}
    query = f"""SELECT (ctid::text::point)[0]::bigint / {_PAGES}, count({COLUMN}),
        coalesce(sum({COLUMN} & 4294967295), 0)::bigint, coalesce(sum({COLUMN} >> 32), 0)::bigint,
        bit_xor(hashtextextended(ctid::text || xmin::text, 0)), count(*) FROM "{name}" GROUP BY 1"""
    for number, rows, low, high, digest, there in conn.exec_driver_sql(query):
        total += Sum(rows, low, high, there - rows)
        digests[number] = digest
    fresh = [number for number, digest in sorted(digests.items()) if seen.get((name, number)) != digest]
    parts = ["true"] if len(fresh) == len(digests) else [_pages(one) for one in _ranges(fresh)]
    wrong = Rows(name, most)
    if not wrong.add(_wrong(conn, store, name, parts if fresh else ())):
        seen.update({(name, number): digests[number] for number in fresh})
    return Table(name, total, wrong.findings(), parts if fresh else [])


def wrong_rows(conn: Connection, store: str, name: str) -> Iterator[Finding]:
    """All rows of the table ``name`` that are not as Troth wrote them, one after the other."""
    return _wrong(conn, store, name, ["true"])


def _wrong(conn: Connection, store: str, name: str, parts: Sequence[str]) -> Iterator[Finding]:
    columns = columns_of(conn, name)
    names, entry = names_of(store, name, columns), ENTRIES.get(name)
    shown = ", ".join(f'"{column}"' for column in (*names, *([entry] if entry else [])))
    whole = ", ".join(f'"{column}"' for column in columns)
    holds = f"troth_mark('seen,{name},' || ROW({whole})::text)"
    wrong = f'SELECT {holds}, {shown} FROM "{name}" WHERE {COLUMN} IS DISTINCT FROM {marked(name, columns)}'
    for part in parts:
        for row in conn.exec_driver_sql(f"{wrong} AND {part}", execution_options=_IN_TURN):
            told, *values = row
            of = str(values[-1]) if entry else ""
            yield Finding(name, "changed", named(values[: len(names)]), of, holds=str(told))


def _pages(stride: tuple[int, int]) -> str:
    first, last = stride
    return f"ctid >= '({first * _PAGES},0)'::tid AND ctid < '({last * _PAGES},0)'::tid"


def _ranges(strides: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Neighbouring strides as one range."""
    if not strides:
        return
    first = last = strides[0]
    for number in strides[1:]:
        if number != last + 1:
            yield first, last + 1
            first = number
        last = number
    yield first, last + 1
