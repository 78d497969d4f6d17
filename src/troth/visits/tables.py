"""The visit log: one table a day on SQLite, one partition a day on PostgreSQL, so that a day goes by being dropped."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, String, Table

from troth.store.schema import Instant, data_tables, personal

visit = Table(
    "visit",
    data_tables,
    Column("at", Instant, nullable=False),
    Column("id", String(26), nullable=False),
    Column(
        "record",
        JSON,
        nullable=False,
        info=personal(
            source="the request of a page, in `at`",
            export="by day, for whoever asks with the address it was recorded from",
            erase="the day's partition is dropped",
            clock="`visits.keep` of the policy",
        ),
    ),
    Index("ix_visit_at", "at"),
    postgresql_partition_by="RANGE (at)",
    info={"partitioned": "day"},
)
