"""The visit log: one table a day, so that a day goes by being dropped; and the key that seals the day.

``visit`` is the parent of PostgreSQL's partitions. On SQLite it is not made: there each day is a table of its own.
"""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import Column, Index, LargeBinary, MetaData, String, Table

from troth.store.schema import Instant, data_tables, key_tables, personal, plain


def _columns() -> list[Column[object]]:
    return [
        Column("at", Instant, nullable=False),
        Column("id", String(26), nullable=False),
        Column(
            "body",
            LargeBinary,
            nullable=False,
            info=personal(
                source="the request of a page, in `at`",
                export="by day, for whoever asks with the address it was recorded from",
                erase="the day's table is dropped and the day's key destroyed",
                clock="`visits.keep` of the policy",
            ),
        ),
    ]


visit = Table(
    "visit",
    data_tables,
    *_columns(),
    Index("ix_visit_at", "at", "id"),
    postgresql_partition_by="RANGE (at)",
    info={"partitioned": "day"},
)

day_key = Table(
    "day_key",
    key_tables,
    Column("day", String(8), primary_key=True),  # as 20260105
    Column(
        "wrapped", LargeBinary(40), nullable=False, info=plain("a wrapped key")
    ),  # AES key wrap (RFC 3394) under the site key
    Column("site_key", String(16), nullable=False, index=True),
)


@lru_cache(maxsize=1024)
def of_day(day: str) -> Table:
    """The table of one day (``20260105``), in no metadata: it comes and goes with its data."""
    return Table(f"visit_{day}", MetaData(), *_columns(), Index(f"ix_visit_{day}_at", "at", "id"))
