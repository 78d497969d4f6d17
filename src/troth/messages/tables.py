"""Outgoing mail: what is to be sent to whom, by class; the address is read from the vault when it leaves. And since when the
pages say that a version comes."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Integer, String, Table

from troth.store.schema import Instant, data_tables, plain

message = Table(
    "message",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column(
        "key", String(120), nullable=False, unique=True, info=plain("made of kinds and opaque ids")
    ),  # never twice for one key
    Column("person_id", String(26), nullable=False),
    Column("class", String(63), nullable=False),
    Column("template", String(63), nullable=False),
    Column(
        "terms", JSON, nullable=False, info=plain("labels of the policy and days")
    ),  # names and dates for the template; no personal values
    Column("at", Instant, nullable=False),
    Column("state", String(12), nullable=False),  # queued, sent, refused, failed
    Column("sent_at", Instant),
    Column("because", String(200), nullable=False, default="", info=plain("a reason of the policy")),
    Index("ix_message_person_id", "person_id"),
    Index("ix_message_state", "state", "at"),
)

posting = Table(
    "posting",
    data_tables,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),  # when a page said for the first time that this version comes
)
