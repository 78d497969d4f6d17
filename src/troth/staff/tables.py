"""The staff, their sessions and recovery codes, the tries that slow down whoever guesses, and the log of the desk.

Nothing here opens anything after a leak of the database: a password is an Argon2id hash; sessions, set-up links and recovery
codes are SHA-256 of random secrets; a second factor and the addresses in the log are sealed under keys of the site.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, LargeBinary, String, Table

from troth.store.schema import Instant, data_tables, personal, plain

_WITH_STAFF = {"erase": "with the member of staff, who goes when the log speaks of them no more", "clock": "staff log"}

staff = Table(
    "staff",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column(
        "login",
        String(64),
        nullable=False,
        unique=True,
        info=personal(source="given by whoever added them", export="as it is, on their own page", **_WITH_STAFF),
    ),
    Column("state", String(12), nullable=False),  # waiting (for a set-up link to be used), open, removed
    Column("roles", JSON, nullable=False, info=plain("words of the policy and of the desk")),
    Column(
        "password",
        String(200),
        info=personal(
            source="chosen by them; only its Argon2id hash is kept",
            export="not exported: nobody can read it",
            erase="at once when they are removed",
            clock="while they are on the staff",
        ),
    ),
    Column("totp", LargeBinary(128), info=plain("a random secret, sealed under a key of the site")),
    Column("totp_step", BigInteger),  # the step of the last code that was right: none up to it is taken again
    Column("setup_digest", LargeBinary(32), unique=True, info=plain("SHA-256 of 256 random bits")),
    Column("setup_until", Instant),
    Column("made_at", Instant, nullable=False),
    Column("entered_at", Instant),
    Column("removed_at", Instant),
)

staff_session = Table(
    "staff_session",
    data_tables,
    Column("digest", LargeBinary(32), primary_key=True, info=plain("SHA-256 of 256 random bits")),
    Column("staff_id", String(26), ForeignKey("staff.id"), nullable=False, index=True),
    Column("made_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False, index=True),
)

staff_recovery = Table(
    "staff_recovery",
    data_tables,
    Column("digest", LargeBinary(32), primary_key=True, info=plain("SHA-256 of 80 random bits; gone once used")),
    Column("staff_id", String(26), ForeignKey("staff.id"), nullable=False, index=True),
)

staff_attempt = Table(
    "staff_attempt",
    data_tables,
    Column(
        "mark",
        LargeBinary(32),
        nullable=False,
        info=personal(
            source="the login name somebody tried, as a keyed hash",
            export="not exported: it cannot be read back",
            erase="a day after the try",
            clock="a day",
        ),
    ),
    Column("at", Instant, nullable=False, index=True),
    Index("ix_staff_attempt_mark", "mark", "at"),
)

staff_log = Table(
    "staff_log",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("staff_id", String(26), ForeignKey("staff.id"), index=True),  # nobody's, where no such login exists
    Column("what", String(12), nullable=False),  # entered, failed, left, acted
    Column("act", String(64), nullable=False, info=plain("a word of the program, as `staff:added`")),
    Column("ref", String(64), nullable=False, info=plain("the id of what was acted on")),
    Column("at", Instant, nullable=False, index=True),
    Column(
        "ip",
        LargeBinary(64),
        nullable=False,
        info=personal(
            source="the address a request came from, sealed under a key of the site",
            export="to the privacy lead, in the log",
            erase="with its row, by the sweep",
            clock="staff log",
        ),
    ),
)
