"""Tables that every room refers to: the archive of published policy versions."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from troth.store.schema import Instant, data_tables, plain

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
