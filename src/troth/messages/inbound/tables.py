"""Which messages came in: a keyed digest of each, so that none is taken twice whatever way it comes."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, Table

from troth.store.schema import Instant, data_tables, plain

arrived = Table(
    "arrived",
    data_tables,
    Column(
        "key", LargeBinary(32), primary_key=True, info=plain("a keyed digest; it cannot be read back or guessed at")
    ),
    Column("at", Instant, nullable=False, index=True),
)
