"""Choices: every consent, refusal, withdrawal and objection, never overwritten; the latest for a scope is in force."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from troth.store.schema import Instant, data_tables, plain

choice = Table(
    "choice",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("person_id", String(26), nullable=False),
    Column("scope", String(80), nullable=False, info=plain("an id of the policy")),  # a purpose, or @recipient
    Column("state", String(12), nullable=False),  # given, refused, withdrawn, objected, expired
    Column("at", Instant, nullable=False),
    Column("shown", String(64), nullable=False),  # digest of the words that were shown
    Column("channel", String(40), nullable=False),  # collection point, letter, unsubscribe link, ...
    Column("policy_version", Integer, nullable=False),
    Index("ix_choice_person_id", "person_id", "scope", "at", "id"),
)

shown = Table(
    "shown",
    data_tables,
    Column("digest", String(64), primary_key=True),  # SHA-256 of language and words
    Column("language", String(12), nullable=False),
    Column("words", Text, nullable=False, info=plain("what everybody is shown at a form")),
    Column("first_at", Instant, nullable=False),
)
