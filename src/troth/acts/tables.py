"""Tokens of programs, the keys under which an act was done, and messages to everybody that are on their way.

Nothing here opens anything after a leak: of a token the store knows a digest. A key and the body it came with are kept as keyed
hashes, since either may hold a personal value; the answer that a repeat is given holds none.
"""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, LargeBinary, String, Table, Text

from troth.store.schema import Instant, data_tables, plain

program_token = Table(
    "program_token",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("name", String(40), nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True, info=plain("SHA-256 of 256 random bits")),
    Column("may", JSON, nullable=False, info=plain("names of acts and of groups of acts")),
    Column("made_at", Instant, nullable=False),
    Column("ends_at", Instant),
    Column("revoked_at", Instant),
)

act_key = Table(
    "act_key",
    data_tables,
    Column("caller", String(64), primary_key=True),
    Column("key", LargeBinary(32), primary_key=True, info=plain("a keyed hash")),
    Column("fingerprint", LargeBinary(32), nullable=False, info=plain("a keyed hash of method, path and body")),
    Column("answer", Text, nullable=False, info=plain("ids, words of the policy and counts, as JSON")),
    Column("at", Instant, nullable=False),
    Index("ix_act_key_at", "at"),
)

campaign = Table(
    "campaign",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("body", Text, nullable=False, info=plain("the class and the operator's own words, which speak of nobody")),
    Column("at", Instant, nullable=False),
    Column("seen", String(26), nullable=False),  # the person up to whom everybody was looked at
)
