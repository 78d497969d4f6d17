"""Tables that every room refers to: the archive of published policy versions, and the sums of the marks of rows.

``store_sealed`` keeps the sums as the ledger's last seal committed to them, under a salt that is made anew each time: so the
digests on the ledger give nobody anything to try guesses against.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, Text

from troth.store.schema import Instant, data_tables, key_tables, plain

policy_version = Table(
    "policy_version",
    data_tables,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("effective_at", Instant, nullable=False),
    Column("published_at", Instant, nullable=False),
    Column("digest", String(64), nullable=False),  # SHA-256 of policy and decisions, in hexadecimal
    Column("policy", Text, nullable=False, info=plain("the published text")),  # policy.yaml as published
    Column("decisions", Text, nullable=False, info=plain("the published text")),  # decisions.yaml as published
)


def _sums() -> list[Column[Any]]:
    return [
        Column("rows", BigInteger, nullable=False),
        Column("low", BigInteger, nullable=False),  # the sum of the low halves of their marks, each from 0 to 2^32 - 1
        Column("high", BigInteger, nullable=False),  # the sum of the high halves, each from -2^31 to 2^31 - 1
    ]


def _tables_of_sums(metadata: MetaData) -> tuple[Table, Table]:
    kept = Table(
        "store_sum",
        metadata,
        Column("name", String(63), primary_key=True),  # of a table
        *_sums(),
        Column("turns", BigInteger, nullable=False),  # how often it was changed: an old copy has fewer
        Column("mark", BigInteger),
    )
    change = Table(
        "store_change",  # on PostgreSQL: what one statement changed, until it is folded into the sum
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("name", String(63), nullable=False),
        *_sums(),
        Column("mark", BigInteger),
    )
    return kept, change


store_sum, store_change = _tables_of_sums(data_tables)
key_sum, key_change = _tables_of_sums(key_tables)

store_sealed = Table(
    "store_sealed",
    data_tables,
    Column("store", String(4), primary_key=True),  # data, keys
    Column("name", String(63), primary_key=True),
    *_sums(),
    Column("turns", BigInteger, nullable=False),
    Column("salt", LargeBinary(32), nullable=False, info=plain("random bits, new with each seal")),
)
