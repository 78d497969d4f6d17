"""Marks on SQLite: temporary triggers on each connection that Troth opens, which call a function that only it has.

What could go wrong: a connection writes without its triggers; a statement that is undone leaves its marks in the sums; a change
of a row that was altered behind our back makes it look right again. So a connection gets its triggers before its first writing
transaction; what is to be added to the sums waits in a temporary table, which is undone with the statement, and goes to the
sums just before the commit; and a row or a sum whose mark did not fit before a change keeps a mark that does not fit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from troth.store.marks.hashing import Hasher
from troth.store.marks.protected import COLUMN, LEDGER, summed

FUNCTION = "troth_mark"
_LOW = f"(coalesce({{row}}{COLUMN}, 0) & 4294967295)"
_HIGH = f"(coalesce({{row}}{COLUMN}, 0) >> 32)"
_TABLES = "SELECT name, sql FROM main.sqlite_master WHERE type = 'table'"
_COVERED = (
    "SELECT substr(name, 10) FROM sqlite_temp_master WHERE type = 'trigger' AND name LIKE 'mark!_new!_%' ESCAPE '!'"
)
_PENDING = """CREATE TEMP TABLE IF NOT EXISTS sum_change
    (name TEXT PRIMARY KEY, rows INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL) WITHOUT ROWID"""
_CHANGED = "rows <> 0 OR low <> 0 OR high <> 0"


MOST_KNOWN = 2_000
_known: dict[tuple[str, str], tuple[str, ...]] = {}
"""the triggers of tables that were covered before: each connection needs the same, and to work them out takes as long"""


class Columns(dict[str, bool]):
    """The columns that a row's mark covers, in the table's own order, and whether each holds bytes."""


def said(name: str, columns: Columns, row: str = "") -> str:
    """The SQL for all that a row says: the table's name and each column as a literal, bytes in hexadecimal form."""
    values = (
        f'iif({row}"{column}" IS NULL, NULL, hex({row}"{column}"))' if of_bytes else f'{row}"{column}"'
        for column, of_bytes in columns.items()
    )
    return f"CAST(printf('{name}{',%Q' * len(columns)}', {', '.join(values)}) AS BLOB)"


def odd(columns: Columns) -> str:
    """The SQL for whether a row has a value that ``said`` does not tell whole: text that goes on after a NUL, other types."""
    texts = (
        f"""(typeof("{name}") = 'blob' OR instr("{name}", char(0)) > 0)""" for name, of in columns.items() if not of
    )
    others = (f"""typeof("{name}") NOT IN ('blob', 'null')""" for name, of_bytes in columns.items() if of_bytes)
    return f"({' OR '.join(('0', *(f'ifnull({one}, 0)' for one in (*texts, *others))))})"


def marked(name: str, columns: Columns, row: str = "") -> str:
    """The SQL for the mark that a row must have."""
    if name == LEDGER:
        return f"{FUNCTION}(CAST('{name},' || hex({row}leaf) AS BLOB))"
    return f"{FUNCTION}({said(name, columns, row)})"


def columns_of(cursor: Any, name: str) -> Columns:
    """The columns that a row's mark covers."""
    rows = cursor.execute("SELECT name, type FROM pragma_table_info(?) ORDER BY cid", (name,)).fetchall()
    return Columns((column, kind.upper().startswith("BLOB")) for column, kind in rows if column != COLUMN)


def register(raw: Any, hasher: Hasher | None) -> None:
    """Give the connection the function that marks; without a key it knows no mark."""
    raw.create_function(FUNCTION, 1, hasher.mark if hasher else _no_mark, deterministic=True)


def _no_mark(_said: bytes) -> None:
    return None


def arm(raw: Any, hasher: Hasher) -> bool:
    """Let this connection mark what it writes from now on; False when the store has no marks yet."""
    cursor = raw.cursor()
    try:
        rows = cursor.execute(_TABLES).fetchall()
        marking = {name: its for name, made_by in rows if summed(name) and (its := _written(cursor, name, made_by))}
        if not marking:
            return False
        register(raw, hasher)
        cursor.execute("PRAGMA temp_store = MEMORY") if not raw.in_transaction else None
        cursor.execute(_PENDING)
        covered = {name for (name,) in cursor.execute(_COVERED)}
        for name, its in marking.items():
            if name not in covered:
                _cover(cursor, name, its)
    finally:
        cursor.close()
    return True


def cover(cursor: Any, name: str) -> None:
    """Let the connection mark what it writes into the table ``name``; does nothing where it does."""
    if cursor.execute("SELECT 1 FROM sqlite_temp_master WHERE name = ?", (f"mark_new_{name}",)).fetchone():
        return
    [made_by] = cursor.execute("SELECT sql FROM main.sqlite_master WHERE name = ?", (name,)).fetchone()
    _cover(cursor, name, _written(cursor, name, made_by))


def _cover(cursor: Any, name: str, its: Iterable[str]) -> None:
    cursor.execute("INSERT OR IGNORE INTO temp.sum_change VALUES (?, 0, 0, 0)", (name,))
    for statement in its:
        cursor.execute(statement)


def _written(cursor: Any, name: str, made_by: str) -> tuple[str, ...]:
    """The triggers of a table, by its name and the statement that made it; none where it has no column for marks."""
    known = (name, made_by)
    if known not in _known:
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        columns = columns_of(cursor, name)
        has = cursor.execute("SELECT 1 FROM pragma_table_info(?) WHERE name = ?", (name, COLUMN)).fetchone()
        _known[known] = tuple(_triggers(name, columns)) if has else ()
    return _known[known]


def uncover(raw: Any) -> None:
    """Take the triggers away again, for a migration, after which everything is marked anew."""
    cursor = raw.cursor()
    names = cursor.execute(
        "SELECT name FROM sqlite_temp_master WHERE type = 'trigger' AND name LIKE 'mark!_%' ESCAPE '!'"
    )
    for (name,) in names.fetchall():
        cursor.execute(f'DROP TRIGGER temp."{name}"')
    cursor.close()


def _triggers(name: str, columns: Columns) -> list[str]:
    own, new, old = (f'"{name}"', marked(name, columns, "NEW."), marked(name, columns, "OLD."))
    low, high = _LOW.format(row=""), _HIGH.format(row="")
    old_low, old_high = _LOW.format(row="OLD."), _HIGH.format(row="OLD.")
    here = "WHERE rowid = NEW.rowid"
    listed = ", ".join(f'"{column}"' for column in columns)
    begin, mine = "CREATE TEMP TRIGGER IF NOT EXISTS", f"WHERE name = '{name}'"
    return [
        f"""{begin} "mark_new_{name}" AFTER INSERT ON main.{own} BEGIN
            UPDATE {own} SET {COLUMN} = {new} {here};
            UPDATE sum_change SET (rows, low, high) = (
                SELECT sum_change.rows + 1, sum_change.low + {low}, sum_change.high + {high} FROM {own} {here}) {mine};
        END""",
        f"""{begin} "mark_changed_{name}" AFTER UPDATE OF {listed} ON main.{own} BEGIN
            UPDATE {own} SET {COLUMN} = CASE WHEN OLD.{COLUMN} IS {old} THEN {new} ELSE OLD.{COLUMN} END {here};
            UPDATE sum_change SET (low, high) = (
                SELECT sum_change.low + {low} - {old_low}, sum_change.high + {high} - {old_high} FROM {own} {here}) {mine};
        END""",
        f"""{begin} "mark_gone_{name}" AFTER DELETE ON main.{own} WHEN OLD.{COLUMN} IS NOT NULL BEGIN
            UPDATE sum_change SET rows = rows - 1, low = low - {old_low}, high = high - {old_high} {mine};
        END""",
    ]


def _of_sum(row: str) -> str:
    parts = ", ".join(f"{row}{name}" for name in ("name", "rows", "low", "high", "turns"))
    return f"CAST(printf('store_sum,%s,%d,%d,%d,%d', {parts}) AS BLOB)"


_NEXT = """CAST(printf('store_sum,%s,%d,%d,%d,%d', store_sum.name, store_sum.rows + excluded.rows,
    store_sum.low + excluded.low, store_sum.high + excluded.high, store_sum.turns + 1) AS BLOB)"""
OF_SUM = f"{FUNCTION}({_of_sum('')})"
"""the SQL for the mark that a sum must have"""
_FLUSH = f"""INSERT INTO main.store_sum (name, rows, low, high, turns, mark)
    SELECT name, rows, low, high, 1, {FUNCTION}(CAST(printf('store_sum,%s,%d,%d,%d,1', name, rows, low, high) AS BLOB))
    FROM temp.sum_change WHERE {_CHANGED}
    ON CONFLICT (name) DO UPDATE SET rows = store_sum.rows + excluded.rows, low = store_sum.low + excluded.low,
        high = store_sum.high + excluded.high, turns = store_sum.turns + 1,
        mark = CASE WHEN store_sum.mark IS {FUNCTION}({_of_sum("store_sum.")}) THEN {FUNCTION}({_NEXT})
            ELSE store_sum.mark END"""
_FLUSHED = f"UPDATE temp.sum_change SET rows = 0, low = 0, high = 0 WHERE {_CHANGED}"


PRUNE = """DELETE FROM store_sum WHERE rows = 0 AND low = 0 AND high = 0 AND name LIKE 'visit!_%' ESCAPE '!'
    AND name NOT IN (SELECT name FROM sqlite_master WHERE type = 'table')
    RETURNING name"""


def flush(raw: Any) -> None:
    """Bring what this transaction changed into the sums; to be called just before its commit."""
    cursor = raw.cursor()
    try:
        cursor.execute(_FLUSH)
        if cursor.rowcount > 0:
            cursor.execute(_FLUSHED)
    finally:
        cursor.close()
