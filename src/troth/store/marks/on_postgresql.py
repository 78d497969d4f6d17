"""Marks on PostgreSQL: triggers that need a key which each of Troth's connections is given, and which no table holds.

What could go wrong: the key gets into a log, or one row of sums is fought over by all writers. So the key is a setting of the
session, bound as a parameter; each statement adds one row with what it changed, and whoever seals the ledger folds these rows
into the sums. A row's text is PostgreSQL's own, ``NEW::text`` with a blank mark: one function serves every table. It is not the
text that SQLite marks, so that a store which moves between the two is marked anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from troth.store.marks.hashing import Hasher
from troth.store.marks.protected import COLUMN, LEDGER, summed

_ARM = "SELECT set_config('troth.mark_inner', %s, false), set_config('troth.mark_outer', %s, false)"
_KEYED = (
    "coalesce(current_setting('troth.mark_inner', true), '') <> ''"
    " AND coalesce(current_setting('troth.marks_off', true), '') = ''"
)
OFF = "SELECT set_config('troth.marks_off', '1', true)"
"""lets the rest of this transaction write without marks, for a migration, after which everything is marked anew"""
OF_SUM = "troth_mark('store_sum,' || name || ',' || rows || ',' || low || ',' || high || ',' || turns)"
"""the SQL for the mark that a sum must have"""
OF_CHANGE = "troth_mark(concat_ws(',', 'store_change', id, name, rows, low, high))"
_OF_NEXT = (
    "troth_mark(concat_ws(',', 'store_sum', store_sum.name, store_sum.rows + excluded.rows, store_sum.low + excluded.low,"
    " store_sum.high + excluded.high, store_sum.turns + 1))"
)
_OF_KEPT = (
    "troth_mark(concat_ws(',', 'store_sum', store_sum.name, store_sum.rows, store_sum.low, store_sum.high,"
    " store_sum.turns))"
)
FOLD = f"""WITH gone AS (DELETE FROM store_change RETURNING *), added AS (
        SELECT name, sum(rows)::bigint AS rows, sum(low)::bigint AS low, sum(high)::bigint AS high,
            bool_and(mark IS NOT DISTINCT FROM {OF_CHANGE}) AS fits FROM gone GROUP BY name ORDER BY name)
    INSERT INTO store_sum (name, rows, low, high, turns, mark)
    SELECT name, rows, low, high, 1, CASE WHEN fits THEN troth_mark(concat_ws(',', 'store_sum', name, rows, low, high, 1)) END
    FROM added
    ON CONFLICT (name) DO UPDATE SET rows = store_sum.rows + excluded.rows, low = store_sum.low + excluded.low,
        high = store_sum.high + excluded.high, turns = store_sum.turns + 1,
        mark = CASE WHEN excluded.mark IS NOT NULL AND store_sum.mark = {_OF_KEPT} THEN {_OF_NEXT} END"""
"""adds to the sums what waits; a change or a sum that was not Troth's leaves a sum that is not"""
PRUNE = r"""DELETE FROM store_sum WHERE rows = 0 AND low = 0 AND high = 0 AND name ~ '^visit_[0-9]{8}$'
    AND to_regclass(quote_ident(name)) IS NULL
    RETURNING name"""
_COLUMNS = """SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%(name)s) AND attnum > 0 AND NOT attisdropped
    ORDER BY attnum"""

_LOW, _HIGH = f"coalesce(sum({COLUMN} & 4294967295), 0)", f"coalesce(sum({COLUMN} >> 32), 0)"
_SUMS, _LESS = f"{_LOW}, {_HIGH}", f"-{_LOW}, -{_HIGH}"

FUNCTIONS = (
    """CREATE OR REPLACE FUNCTION troth_mark(said text) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT ('x' || left(encode(sha256(decode(current_setting('troth.mark_outer'), 'hex')
        || sha256(decode(current_setting('troth.mark_inner'), 'hex') || convert_to(said, 'UTF8'))), 'hex'), 16))
        ::bit(64)::bigint $$""",
    f"""CREATE OR REPLACE FUNCTION troth_mark_row() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE before bigint; fits boolean := true;
    BEGIN
        IF NOT ({_KEYED}) THEN RETURN NEW; END IF;
        IF TG_OP = 'UPDATE' THEN
            before := OLD.{COLUMN}; OLD.{COLUMN} := NULL;
            fits := before IS NOT DISTINCT FROM troth_mark(TG_TABLE_NAME || ',' || OLD::text);
        END IF;
        IF fits THEN
            NEW.{COLUMN} := NULL;
            NEW.{COLUMN} := troth_mark(TG_TABLE_NAME || ',' || NEW::text);
        ELSE
            NEW.{COLUMN} := before;
        END IF;
        RETURN NEW;
    END $$""",
    f"""CREATE OR REPLACE FUNCTION troth_mark_entry() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF {_KEYED} THEN NEW.{COLUMN} := troth_mark(TG_TABLE_NAME || ',' || upper(encode(NEW.leaf, 'hex'))); END IF;
        RETURN NEW;
    END $$""",
    """CREATE OR REPLACE FUNCTION troth_sum_change(changed text, more bigint, lower numeric, higher numeric) RETURNS void
    LANGUAGE plpgsql AS $$
    DECLARE given bigint;
    BEGIN
        IF more = 0 AND lower = 0 AND higher = 0 THEN RETURN; END IF;
        given := nextval('store_change_id_seq');
        INSERT INTO store_change (id, name, rows, low, high, mark) VALUES (given, changed, more, lower, higher,
            troth_mark(concat_ws(',', 'store_change', given, changed, more, lower::bigint, higher::bigint)));
    END $$""",
    *(
        f"""CREATE OR REPLACE FUNCTION troth_sum_{what}() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE more bigint; lower numeric; higher numeric;
    BEGIN
        IF NOT ({_KEYED}) THEN RETURN NULL; END IF;
        {counted}
        PERFORM troth_sum_change(TG_TABLE_NAME, more, lower, higher);
        RETURN NULL;
    END $$"""
        for what, counted in (
            ("new", f"SELECT count(*), {_SUMS} INTO more, lower, higher FROM now_there;"),
            ("gone", f"SELECT -count(*), {_LESS} INTO more, lower, higher FROM was_there WHERE {COLUMN} IS NOT NULL;"),
            (
                "changed",
                f"""IF NOT EXISTS (SELECT FROM now_there) THEN RETURN NULL; END IF;
        SELECT 0, sum(low), sum(high) INTO more, lower, higher FROM (
            SELECT {_SUMS} FROM now_there UNION ALL SELECT {_LESS} FROM was_there) AS changed (low, high);""",
            ),
        )
    ),
)
_STATEMENTS = {
    "new": ("INSERT", "NEW TABLE AS now_there"),
    "changed": ("UPDATE", "OLD TABLE AS was_there NEW TABLE AS now_there"),
    "gone": ("DELETE", "OLD TABLE AS was_there"),
}


def columns_of(conn: Connection, name: str) -> list[str]:
    """All columns of the table ``name``, in the order in which PostgreSQL writes a row."""
    return [column for (column,) in conn.exec_driver_sql(_COLUMNS, {"name": f'"{name}"'})]


def marked(name: str, columns: Sequence[str]) -> str:
    """The SQL for the mark that a row must have."""
    if name == LEDGER:
        return f"troth_mark('{name},' || upper(encode(leaf, 'hex')))"
    told = ", ".join("NULL" if column == COLUMN else f'"{column}"' for column in columns)
    return f"troth_mark('{name},' || ROW({told})::text)"


def arm(raw: Any, hasher: Hasher) -> None:
    """Give this connection the key."""
    raw.execute(_ARM, (hasher.inner.hex(), hasher.outer.hex()))


def triggers(name: str, *, parent: bool = False, part: bool = False) -> list[str]:
    """The statements that let PostgreSQL mark what is written into the table ``name``.

    ``parent`` is a table that only has parts, and ``part`` one of them, which has the parent's triggers for rows.
    """
    made = []
    if name == LEDGER:
        made.append(_trigger(name, "row", "BEFORE INSERT", "", "ROW EXECUTE FUNCTION troth_mark_entry()"))
    elif not part:
        made.append(_trigger(name, "row", "BEFORE INSERT OR UPDATE", "", "ROW EXECUTE FUNCTION troth_mark_row()"))
    if summed(name) and not parent:
        for what, (act, tables) in _STATEMENTS.items():
            then = f"STATEMENT EXECUTE FUNCTION troth_sum_{what}()"
            made.append(_trigger(name, what, f"AFTER {act}", f"REFERENCING {tables}", then))
    return made


def _trigger(name: str, what: str, when: str, tables: str, then: str) -> str:
    return f'CREATE OR REPLACE TRIGGER troth_mark_{what} {when} ON "{name}" {tables} FOR EACH {then}'
