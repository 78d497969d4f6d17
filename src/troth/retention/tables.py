"""Endings and holds: why data goes, by when, how far it has gone; and what stays a while for a recorded reason."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from troth.store.schema import Instant, data_tables

ending = Table(
    "ending",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("cause", String(80), nullable=False),  # clock:ID, request:ID, account:ID
    Column("person_id", String(26)),  # blank for a clock's batch over many people
    Column("scope", String(12), nullable=False),  # person (all, and the key) or fields
    Column("began_at", Instant, nullable=False),
    Column("destroy_by", Instant, nullable=False),  # the promised deadline
    Column("state", String(12), nullable=False),  # quarantined, destroyed, complete, restored
    Column("destroyed_at", Instant),
    Column("complete_at", Instant),
    Column("counted", Integer, nullable=False),  # holdings moved
    Column("everywhere", Integer, nullable=False),  # 1 when recipients must be told to delete
    Index("ix_ending_state", "state", "destroy_by"),
    Index("ix_ending_person_id", "person_id"),
)

hold = Table(
    "hold",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("person_id", String(26), nullable=False),
    Column("fields", String(1000), nullable=False),  # names, sorted, one space between; blank means everything
    Column("reason", Text, nullable=False),
    Column("ground", String(63), nullable=False),  # `legal` entry or `may keep` reason of the policy
    Column("purpose", String(63), nullable=False),  # the one purpose it may still be read for; blank: none
    Column("approver", String(80), nullable=False),  # staff role or number
    Column("made_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("released_at", Instant),
    Index("ix_hold_person_id", "person_id"),
)

heartbeat = Table(
    "heartbeat",
    data_tables,
    Column("task", String(60), primary_key=True),  # sweep, seal, agenda, canary, ...
    Column("at", Instant, nullable=False),
)
