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
    Column("case_ref", String(130), nullable=False),
    Column("at", Instant, nullable=False),
    Column("state", String(12), nullable=False),  # queued, delivered, refused
    Column("delivered_at", Instant),
    Index("ix_disclosure_person_id", "person_id", "recipient"),
    Index("ix_disclosure_recipient", "recipient", "at"),
)

instruction = Table(
    "instruction",
    data_tables,
    Column("ending_id", String(26), primary_key=True),
    Column("person_id", String(26), primary_key=True),
    Column("recipient", String(63), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("deadline", Instant, nullable=False),
    Column("acknowledged_at", Instant),
    Column("acknowledged_by", String(80)),  # the recipient's own answer, or the staff role that wrote to it
    Index("ix_instruction_recipient", "recipient", "acknowledged_at"),
    info={"outlives": "says which recipient has deleted what it was given; holds an opaque number and no value"},
)
