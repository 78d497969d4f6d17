"""The ledger: entries inserted with their cause, and the checkpoints that seal them into a tree."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text, text

from troth.store.schema import Instant, data_tables

_Serial = BigInteger().with_variant(Integer, "sqlite")

_unsealed = text("position IS NULL")

entry = Table(
    "ledger_entry",
    data_tables,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("event", String(60), nullable=False),
    Column("body", Text, nullable=False),  # canonical JSON (RFC 8785); no personal values
    Column("leaf", LargeBinary(32), nullable=False),  # SHA-256 of 0x00 and the canonical entry
    Column("position", BigInteger),  # place in the tree; blank until sealed
    Index("ix_ledger_entry_unsealed", "id", sqlite_where=_unsealed, postgresql_where=_unsealed),
    Index("ix_ledger_entry_event", "event", "at"),
    Index("uq_ledger_entry_position", "position", unique=True),
    sqlite_autoincrement=True,  # ids are never used again, so a removed last row leaves a gap
)

checkpoint = Table(
    "ledger_checkpoint",
    data_tables,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("frontier", LargeBinary, nullable=False),  # roots of the full subtrees, so that sealing never re-reads
    Column("key_id", String(16), nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
)
