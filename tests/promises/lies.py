"""Lies told to the stores past Troth, as somebody with a database tool would tell them: without the key that marks rows.

Most are made from the declared tables: each column of each protected table changed once, each table's row removed, doubled and
put back as it was before. ``TOLD`` are those that were once believed, with the promise that must turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Json
from sqlalchemy import JSON, Boolean, Column, Connection, Engine, Integer, LargeBinary, Table, insert, select, text

from tests.promises.living import NOW
from troth import ledger
from troth.clock import to_micros
from troth.ids import new_id
from troth.ledger import events
from troth.store.marks.arming import UNMARKED
from troth.store.marks.protected import summed
from troth.store.schema import Instant, data_tables, key_tables
from troth.store.site import Site

METADATA = {"data": data_tables, "keys": key_tables}
TABLES = frozenset(name for metadata in METADATA.values() for name in metadata.tables)
_UNKEYED = "SELECT set_config('troth.mark_inner', '', false), set_config('troth.mark_outer', '', false)"


def tables(store: str) -> list[Table]:
    """The protected tables of a store, parents first, without those that come and go with their data."""
    return [table for table in METADATA[store].sorted_tables if summed(table.name) and table.name != "visit"]


def engine_of(site: Site, store: str) -> Engine:
    return site.engine if store == "data" else site.keys


def fill(site: Site) -> None:
    """Give every protected table a row at least, written by Troth, and seal all of it."""
    for store in METADATA:
        with engine_of(site, store).connect().execution_options(troth_writes=True) as conn, conn.begin():
            for table in tables(store):
                if conn.execute(select(table).limit(1)).first() is None:
                    conn.execute(insert(table).values(_row(conn, table)))
    with site.writing() as conn:
        ledger.append(conn, site.now(), events.KEY_MADE, {})
    ledger.seal(site)


def _row(conn: Connection, table: Table) -> dict[str, Any]:
    row = {}
    for column in table.c:
        if column.foreign_keys:
            row[column.name] = conn.scalar(select(next(iter(column.foreign_keys)).column).limit(1))
        elif not (column.autoincrement is True and column.primary_key):
            row[column.name] = _value(column, 1)
    return row


def _value(column: Column[Any], number: int) -> Any:
    if isinstance(column.type, Instant):
        return NOW
    if isinstance(column.type, Boolean):
        return True
    if isinstance(column.type, JSON):
        return ["none"]
    if isinstance(column.type, LargeBinary):
        return bytes([number]) * 8
    if isinstance(column.type, Integer) or column.type.python_type is int:
        return number
    length = getattr(column.type, "length", None) or 26
    return new_id(NOW) if length == 26 else f"planted{number}"[-length:]


def other(column: Column[Any], value: Any) -> Any:
    """Another value than ``value``, as the driver takes it."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 86_400_000_000 if isinstance(column.type, Instant) else value + 1000
    if isinstance(value, (dict, list)):
        return [value]
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1]) if value else b"\1"
    if isinstance(value, str) and value:
        return ("a" if value[0] != "a" else "b") + value[1:] if not isinstance(column.type, JSON) else f"[{value}]"
    if isinstance(column.type, Instant):
        return to_micros(NOW)
    return b"\1" if isinstance(column.type, LargeBinary) else 1 if isinstance(column.type, Integer) else "a"


@dataclass(frozen=True)
class Teller:
    """A connection without the key, in a transaction."""

    conn: Connection

    def tell(self, sql: str, **values: Any) -> int:
        """Carry out one statement; how many rows it touched."""
        given = {name: Json(value) if isinstance(value, (dict, list)) else value for name, value in values.items()}
        return int(self.conn.execute(text(sql), given).rowcount)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table as the driver gives them, marks included."""
        return [dict(row) for row in self.conn.execute(text(f'SELECT * FROM "{table}"')).mappings()]

    def put(self, table: str, row: dict[str, Any]) -> None:
        """Insert a row as it is."""
        names = ", ".join(f'"{name}"' for name in row)
        self.tell(f'INSERT INTO "{table}" ({names}) VALUES ({", ".join(f":{name}" for name in row)})', **row)


@contextmanager
def telling(site: Site, store: str, stays: bool = False) -> Iterator[Teller]:
    """Somebody else's tool on the store: no key, no constraint that would hinder a lie; undone at the end, or ``stays``."""
    engine = engine_of(site, store)
    options = {UNMARKED: True, "troth_writes": True}
    with engine.connect().execution_options(**options) as conn:
        raw: Any = conn.connection.dbapi_connection
        if engine.dialect.name == "sqlite":
            raw.execute("PRAGMA foreign_keys = OFF")
        else:
            raw.execute(_UNKEYED)
            raw.execute("SET session_replication_role = replica")
            raw.commit()
        try:
            with conn.begin() as undone:
                yield Teller(conn)
                if not stays:
                    undone.rollback()
        finally:
            conn.invalidate()  # what it was given, and what was taken from it, goes with it


@dataclass(frozen=True)
class Lie:
    """A statement that was once believed, and a promise that must turn."""

    sql: str
    promise: str
    store: str = "data"


_A, _B = "(SELECT min(id) FROM person)", "(SELECT max(id) FROM person)"
TOLD = (
    Lie("UPDATE choice SET state = 'refused' WHERE scope = 'marketing'", "purposes.marketing.consent"),
    Lie(f"UPDATE choice SET person_id = {_B} WHERE scope = 'marketing'", "purposes.marketing.consent"),
    Lie("UPDATE choice SET at = at - 86400000000", "purposes.marketing.consent"),
    Lie("DELETE FROM choice", "purposes.marketing.consent"),
    Lie("UPDATE shown SET words = words || ' and more'", "purposes.marketing.consent"),
    Lie("UPDATE person SET state = 'active' WHERE state = 'quarantined'", "erasure"),
    Lie("UPDATE ending SET destroy_by = destroy_by + 31536000000000", "erasure"),
    Lie("UPDATE ending SET state = 'complete'", "erasure"),
    Lie("DELETE FROM departure", "erasure"),
    Lie("UPDATE holding SET at = at + 86400000000", "collection.order"),
    Lie(f"UPDATE holding SET person_id = {_B}", "collection.order"),
    Lie("DELETE FROM holding", "collection.order"),
    Lie("DELETE FROM quarantined", "erasure"),
    Lie("UPDATE hold SET ends_at = ends_at + 2300000000000000", "erasure"),
    Lie("UPDATE hold SET purpose = 'marketing'", "erasure"),
    Lie("DELETE FROM hold", "erasure"),
    Lie("DELETE FROM disclosure WHERE recipient = 'courier'", "recipients.courier"),
    Lie(f"UPDATE disclosure SET person_id = {_B}", "recipients.courier"),
    Lie("UPDATE disclosure SET at = at - 86400000000", "recipients.courier"),
    Lie("UPDATE message SET state = 'sent'", "messages.offers"),
    Lie(f"UPDATE message SET person_id = {_B}", "messages.offers"),
    Lie("UPDATE policy_version SET effective_at = effective_at - 86400000000", "policy"),
    Lie("UPDATE policy_version SET effective_at = effective_at + 86400000000", "changes"),
    Lie("UPDATE message SET sent_at = 1000000000000000", "changes"),
    Lie("DELETE FROM message", "changes"),
    Lie("UPDATE posting SET at = at - 86400000000", "changes"),
    Lie("DELETE FROM posting", "changes"),
    Lie("UPDATE policy_version SET published_at = published_at - 86400000000", "policy"),
    Lie(f"UPDATE identifier SET person_id = {_B} WHERE person_id = {_A}", "rights.access"),
    Lie("UPDATE dealing SET warranty_ends_at = 2000000000000000", "relationship.customer"),
    Lie("UPDATE dealing SET closed_at = NULL", "relationship.customer"),
    Lie("DELETE FROM dealing", "relationship.customer"),
    Lie("UPDATE person SET relationship_ends_at = 1000000000000000", "relationship.customer"),
    Lie("UPDATE store_sum SET rows = rows + 1", "security.ledger"),
    Lie("DELETE FROM store_sum", "security.ledger"),
    Lie("UPDATE person_key SET person_id = 'x' || substr(person_id, 2)", "erasure", "keys"),
    Lie("DELETE FROM person_key", "erasure", "keys"),
    Lie("UPDATE day_key SET day = '20990101'", "visits.keep", "keys"),
)
