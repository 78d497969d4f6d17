"""People, what is held about them, and the separate store of their keys.

A *holding* is one row: the fields of one submission that share a collection point, sealed together under the person's own key.
Its *shape* (point, source and field names) is a row of its own, so that a clock finds what it rules by a few small numbers, and
a changed clock changes no holding.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, UniqueConstraint, text

from troth.store.schema import Instant, data_tables, key_tables, personal, plain

_held = text("only_for IS NOT NULL")

person = Table(
    "person",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("kind", String(63), nullable=False),
    Column("state", String(12), nullable=False),  # active, held (only what a hold keeps), quarantined
    Column("since", Instant, nullable=False),
    Column(
        "only_for", String(1000), info=plain("ids of purposes")
    ),  # null: not restricted; else the purposes it may still be read for, or a word that is none
    Column("relationship_ends_at", Instant),  # blank while business goes on; may lie ahead (a warranty's end)
    Index("ix_person_relationship_ends_at", "kind", "relationship_ends_at"),
)

identifier = Table(
    "identifier",
    data_tables,
    Column("person_id", String(26), ForeignKey("person.id"), nullable=False, index=True),
    Column("field", String(63), nullable=False),
    Column(
        "blind",
        LargeBinary(32),
        nullable=False,
        info=personal(
            source="derived from the identifying field of a holding with a keyed hash",
            export="not exported: the field itself is",
            erase="with its person",
            clock="with its person",
        ),
    ),
    UniqueConstraint("field", "blind"),
)

shape = Table(
    "shape",
    data_tables,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("point", String(63), nullable=False),
    Column("source", String(63), nullable=False),
    Column("fields", String(1000), nullable=False, info=plain("names of fields")),  # names, sorted, one space between
    UniqueConstraint("point", "source", "fields"),
)


def _holding_columns() -> list[Column[object]]:
    return [
        Column("id", String(26), primary_key=True),
        Column("person_id", String(26), ForeignKey("person.id"), nullable=False),
        Column("shape_id", Integer, ForeignKey("shape.id"), nullable=False),
        Column("at", Instant, nullable=False),
        Column("policy_version", Integer, nullable=False),
        Column("told", String(64), nullable=False),  # digest of what was told at the point
        Column("partner", String(63)),  # who supplied it, when not the person
        Column("submission", String(64), nullable=False),  # one key a submission, so that a double click stores once
        Column(
            "only_for", String(1000), info=plain("ids of purposes")
        ),  # blank: any purpose; of a held holding: those it may still be read for
        Column(
            "body",
            LargeBinary,
            nullable=False,
            info=personal(
                source="a collection point, in `shape`, `at`, `policy_version` and `partner`",
                export="opened with the person's key and listed by field",
                erase="quarantined, then destroyed together with the person's key",
                clock="every retention clock that covers its shape",
            ),
        ),
    ]


holding = Table(
    "holding",
    data_tables,
    *_holding_columns(),
    Index("ix_holding_person_id", "person_id"),
    Index("ix_holding_shape_id", "shape_id", "at"),
    Index("ix_holding_only_for", "only_for", sqlite_where=_held, postgresql_where=_held),
    UniqueConstraint("submission", "shape_id"),
)

quarantined = Table(
    "quarantined",
    data_tables,
    *_holding_columns(),
    Column("ending_id", String(26), nullable=False),
    Index("ix_quarantined_ending_id", "ending_id"),
    Index("ix_quarantined_person_id", "person_id"),
)

dealing = Table(
    "dealing",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("person_id", String(26), ForeignKey("person.id"), nullable=False),
    Column("kind", String(20), nullable=False),  # order, request, ticket, notice, contact, registration
    Column(
        "ref", String(130), nullable=False, info=plain("opaque numbers")
    ),  # the operator's own opaque number, or collection point and submission
    Column("at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("warranty_ends_at", Instant),
    Index("ix_dealing_person_id", "person_id", "kind"),
    UniqueConstraint("kind", "ref"),
)

happening = Table(
    "happening",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("person_id", String(26), ForeignKey("person.id"), nullable=False),
    Column("event", String(63), nullable=False),  # an entry of `events` of the policy, or an age as `18 years old`
    Column(
        "ref", String(130), nullable=False, info=plain("opaque numbers")
    ),  # the operator's own opaque number of it, or the person's for an age
    Column(
        "at",
        Instant,
        nullable=False,
        info=personal(
            source="reported by the operator; the day of an age follows from the date of birth",
            export="with the day on which what counts from it goes",
            erase="with its person",
            clock="with its person",
        ),
    ),
    Index("ix_happening_person_id", "person_id", "event"),
    Index("ix_happening_event", "event", "at"),
    UniqueConstraint("event", "ref"),
)

account = Table(
    "account",
    data_tables,
    Column("person_id", String(26), ForeignKey("person.id"), primary_key=True),
    Column("state", String(12), nullable=False),  # waiting (for the address to be confirmed), open, suspended, closed
    Column(
        "password",
        String(200),
        info=personal(
            source="chosen by the person; only its Argon2id hash is kept",
            export="not exported: nobody can read it",
            erase="with its person",
            clock="with its person",
        ),
    ),
    Column("made_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Column("closed_at", Instant),
    Column("because", String(200), nullable=False, default="", info=plain("a reason for a suspension, naming nobody")),
)

moving = Table(
    "moving",
    data_tables,
    Column("person_id", String(26), ForeignKey("person.id"), primary_key=True),
    Column("field", String(63), nullable=False),
    Column(
        "body",
        LargeBinary,
        nullable=False,
        info=personal(
            source="the address a person wants to be reached by from now on, and the one before, sealed with their key",
            export="the new one is shown to its person while it waits; from then on it is in their holdings",
            erase="when the change is made and told, when it is given up, and with its person",
            clock="a day",
        ),
    ),
    Column("made_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False, index=True),
)

person_key = Table(
    "person_key",
    key_tables,
    Column("person_id", String(26), primary_key=True),
    Column(
        "wrapped", LargeBinary(40), nullable=False, info=plain("a wrapped key")
    ),  # AES key wrap (RFC 3394) under the site key
    Column("site_key", String(16), nullable=False, index=True),
)

site_key = Table(
    "site_key",
    key_tables,
    Column("id", String(16), primary_key=True),  # first 16 hexadecimal digits of SHA-256 of the key
    Column("made_at", Instant, nullable=False),
    Column("retired_at", Instant),
)
