"""Stops: every stop of a purpose or a recipient and every lifting, never overwritten; the youngest for a scope is in force."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table

from troth.store.schema import Instant, data_tables, plain

stop = Table(
    "stop",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("scope", String(80), nullable=False, info=plain("an id of the policy")),  # a purpose, or @recipient
    Column(
        "origin", String(80), nullable=False, info=plain("a source of the policy, or a partner's id")
    ),  # blank: wherever the data came from; else only what came from this source, or @partner
    Column("state", String(8), nullable=False),  # stopped, lifted
    Column("at", Instant, nullable=False),  # later than the one before it of the same scope and origin
    Column("because", String(500), nullable=False, info=plain("the operator's reason, about no single person")),
    Column("made_by", String(63), nullable=False),  # the staff role that answers for it
    Column("policy_version", Integer, nullable=False),
    Index("uq_stop_scope", "scope", "origin", "at", unique=True),
)
