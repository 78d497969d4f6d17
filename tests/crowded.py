"""A store with many rows of others, for tests that ask a database how it means to find the few that matter.

The rows are copies of rows that came through the real doors: each copy has ids and blind marks of its own, the same in every
table, and happened later than the one before. Nobody opens them; they are there to be passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, LargeBinary, MetaData, String, Table, insert, select

from troth.store.schema import data_tables, key_tables
from troth.store.site import Site

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
SMALL = {
    "store_sum",
    "store_change",
    "store_sealed",
    "policy_version",
    "shape",
    "shown",
    "heartbeat",
    "alarm",
    "stop",
    "site_key",
    "day_key",
    "request_key",
    "ledger_checkpoint",
    "ledger_head",
    "restoration",
    "visit",
}
"""tables that stay small however many people there are, and the visits, which are parted by the day"""
CLOSED: dict[str, dict[str, Any]] = {
    "ending": {"state": "complete"},
    "message": {"state": "sent"},
    "disclosure": {"state": "delivered"},
    "request": {"state": "closed", "outcome": "done"},
    "reply": {"state": "sent"},
}
"""what copies say of themselves, so that nothing of theirs waits to be done"""


OWN = {"id", "person_id", "ending_id", "request_id", "submission", "key", "ref", "blind", "mark", "digest"}
"""columns that tell one row from another"""


def crowd(site: Site, copies: int, after: timedelta, apart: timedelta) -> None:
    """Copy each row of the tables that grow ``copies`` times: the first copy ``after`` its row, each next one ``apart``."""
    for engine, tables in ((site.engine, data_tables), (site.keys, key_tables)):
        with engine.begin() as conn:
            _left_alone(conn, tables)
            _copied(conn, tables, [after + copy * apart for copy in range(copies)])
    for engine in (site.engine, site.keys):
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.exec_driver_sql("ANALYZE")


def _left_alone(conn: Connection, tables: MetaData) -> None:
    """Keep PostgreSQL's own housekeeping away, which would change the figures that it plans by in the midst of a test."""
    if conn.dialect.name == "postgresql":
        for table in (one for one in tables.sorted_tables if one.name not in SMALL):
            conn.exec_driver_sql(f"ALTER TABLE {table.name} SET (autovacuum_enabled = false)")


def _copied(conn: Connection, tables: MetaData, later: Sequence[timedelta]) -> None:
    for table in tables.sorted_tables:
        if table.name in SMALL:
            continue
        rows = [dict(row) for row in conn.execute(select(table)).mappings()]
        made = [_copy(table, row, copy, span) for copy, span in enumerate(later) for row in rows]
        if made:
            conn.execute(insert(table), made)


def _copy(table: Table, row: dict[str, Any], copy: int, span: timedelta) -> dict[str, Any]:
    made = {name: _value(table, name, value, copy, span) for name, value in row.items()}
    made |= CLOSED.get(table.name, {})
    if table.name == "job":
        made["done_at"] = made["due_at"]
    if table.name == "request":
        made["closed_at"] = made["due_at"]
    if table.name == "ledger_entry":  # numbered by the store, sealed later, and of the instant that its hash says
        del made["id"]
        made |= {"position": None, "at": row["at"]}
    return made


def _value(table: Table, name: str, value: Any, copy: int, span: timedelta) -> Any:
    kind = table.c[name].type
    if isinstance(value, datetime):
        return value + span
    if value is None or name not in OWN:
        return value
    if isinstance(kind, LargeBinary):
        return sha256(value + copy.to_bytes(4, "big")).digest()[: len(value)]
    return (_another(value, copy) if len(value) == 26 else f"{value[:50]}{copy}") if isinstance(kind, String) else value


def _another(one: str, copy: int) -> str:
    """The id that stands for ``one`` in a copy: of the same instant, and the same in every table."""
    return one[:10] + "".join(ALPHABET[byte & 31] for byte in sha256(f"{one}{copy}".encode()).digest()[:16])
