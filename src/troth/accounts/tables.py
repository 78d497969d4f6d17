"""Accounts, their sessions, the links that are good for once, and the tries to log in that slow down whoever guesses.

Nothing here opens anything after a leak of the database: a password is kept as an Argon2id hash, a session and a link as the
SHA-256 of a random or derived secret, and whoever tried to log in as a keyed hash of the member or of the address they gave.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, String, Table

from troth.people.tables import account
from troth.store.schema import Instant, data_tables, personal, plain

__all__ = ["account", "attempt", "once", "session"]

session = Table(
    "session",
    data_tables,
    Column("digest", LargeBinary(32), primary_key=True, info=plain("SHA-256 of 256 random bits")),
    Column("person_id", String(26), ForeignKey("account.person_id"), nullable=False, index=True),
    Column("made_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False, index=True),
)

once = Table(
    "once",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True, info=plain("SHA-256 of a 256-bit secret")),
    Column("person_id", String(26), ForeignKey("account.person_id"), nullable=False, index=True),
    Column("made_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False, index=True),
    Column("used_at", Instant),
    Column("what", String(12)),  # blank: a password is chosen with it; address: a new address is confirmed
)

attempt = Table(
    "attempt",
    data_tables,
    Column(
        "mark",
        LargeBinary(32),
        nullable=False,
        info=personal(
            source="the address somebody tried to log in with, or the member whom a try or a mail was about, hashed with a key",
            export="not exported: it cannot be read back",
            erase="a day after the try",
            clock="a day",
        ),
    ),
    Column("at", Instant, nullable=False, index=True),
    Index("ix_attempt_mark", "mark", "at"),
)
