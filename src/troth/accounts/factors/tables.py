"""Second factors: the sealed secret of an app, codes for a bad day, public keys of passkeys, and log-ins that are half done.

Nothing here opens anything after a leak of the database: the secret opens with its person's key, of a recovery code and of
a half log-in the SHA-256 of random letters is kept, and of a passkey the public half.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, String, Table

from troth.store.schema import Instant, data_tables, personal, plain

second_factor = Table(
    "second_factor",
    data_tables,
    Column("person_id", String(26), ForeignKey("account.person_id"), primary_key=True),
    Column(
        "secret",
        LargeBinary,
        nullable=False,
        info=personal(
            source="made for the person's app, sealed with their key",
            export="not exported: whoever has it can log in",
            erase="when the person turns codes off, and with its person",
            clock="with its person",
        ),
    ),
    Column("made_at", Instant, nullable=False),
    Column("confirmed_at", Instant),  # blank until a first code has shown that the app has the secret
    Column("last_step", BigInteger),  # of the last code that was taken: neither it nor an earlier one is taken again
)

recovery_code = Table(
    "recovery_code",
    data_tables,
    Column(
        "digest",
        LargeBinary(32),
        primary_key=True,
        info=personal(
            source="made for the person; only its SHA-256 is kept",
            export="not exported: it cannot be read back",
            erase="when it is used, replaced or no longer needed, and with its person",
            clock="with its person",
        ),
    ),
    Column("person_id", String(26), ForeignKey("account.person_id"), nullable=False, index=True),
)

passkey = Table(
    "passkey",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("person_id", String(26), ForeignKey("account.person_id"), nullable=False, index=True),
    Column(
        "credential",
        LargeBinary(1023),
        nullable=False,
        unique=True,
        info=personal(
            source="the number that the person's device gave the passkey",
            export="not exported: it says nothing but to that device",
            erase="when the person removes it, and with its person",
            clock="with its person",
        ),
    ),
    Column("public_key", LargeBinary, nullable=False, info=plain("a public key, made by a device for this site alone")),
    Column("sign_count", BigInteger, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("used_at", Instant),
)

half_log_in = Table(
    "half_log_in",
    data_tables,
    Column("digest", LargeBinary(32), primary_key=True, info=plain("SHA-256 of 256 random bits")),
    Column("person_id", String(26), ForeignKey("account.person_id"), nullable=False, index=True),
    Column("ends_at", Instant, nullable=False, index=True),
)

spent = Table(
    "spent",
    data_tables,
    Column("digest", LargeBinary(32), primary_key=True, info=plain("SHA-256 of a challenge, which names nobody")),
    Column("ends_at", Instant, nullable=False, index=True),
)
