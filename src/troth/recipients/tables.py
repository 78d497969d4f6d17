"""Disclosures: who was given which fields about whom, when, why; and what each recipient was told to delete."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table

from troth.store.schema import Instant, data_tables

disclosure = Table(
    "disclosure",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("person_id", String(26), nullable=False),
    Column("recipient", String(63), nullable=False),
    Column("purpose", String(80), nullable=False),
    Column("fields", String(1000), nullable=False),  # names only
    Column("case_ref", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("state", String(12), nullable=False),  # queued, delivered, refused, failed
    Column("delivered_at", Instant),
    Index("ix_disclosure_person_id", "person_id", "recipient"),
)

instruction = Table(
    "instruction",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("person_id", String(26), nullable=False),
    Column("recipient", String(63), nullable=False),
    Column("ending_id", String(26), nullable=False),
    Column("act", String(12), nullable=False),  # delete, correct, stop
    Column("at", Instant, nullable=False),
    Column("deadline", Instant, nullable=False),
    Column("acknowledged_at", Instant),
    Index("ix_instruction_ending_id", "ending_id"),
)
