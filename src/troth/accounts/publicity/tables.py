"""What members show in public: which fields, never what they say; that is read through the gate when somebody looks."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, String, Table

from troth.store.schema import Instant, data_tables, plain

public_profile = Table(
    "public_profile",
    data_tables,
    Column("person_id", String(26), ForeignKey("account.person_id"), primary_key=True),
    Column("name", String(22), nullable=False, unique=True),  # 128 random bits, the end of the page's address
    Column("fields", String(1000), nullable=False, info=plain("names of fields")),  # sorted, one space between
    Column("searchable", Boolean, nullable=False),  # whether search engines may list the page
    Column("since", Instant, nullable=False),
)
