"""Endings and holds: why data goes, by when, how far it has gone; and what stays a while for a recorded reason."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Integer, String, Table, Text

from troth.store.schema import Instant, data_tables, personal, plain

ending = Table(
    "ending",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column(
        "cause", String(80), nullable=False, info=plain("a word and an opaque id")
    ),  # clock:ID, request:ID, account:ID, hold:over
    Column("person_id", String(26)),  # blank for a clock's batch over many people
    Column("scope", String(12), nullable=False),  # person (all, and the key) or fields
    Column("began_at", Instant, nullable=False),
    Column("destroys_at", Instant, nullable=False),  # when the sweep destroys it: before the deadline, by the margin
    Column("destroy_by", Instant, nullable=False),  # the promised deadline
    Column("state", String(12), nullable=False),  # quarantined, destroying, destroyed, complete, restored
    Column("destroyed_at", Instant),
    Column("complete_at", Instant),
    Column("counted", Integer, nullable=False),  # holdings moved
    Column("everywhere", Integer, nullable=False),  # 1 when recipients must be told to delete
    Index("ix_ending_state", "state", "destroys_at"),
    Index("ix_ending_person_id", "person_id"),
    info={"outlives": "says that and when somebody was erased; holds their opaque number and nothing about them"},
)

departure = Table(
    "departure",
    data_tables,
    Column("person_id", String(26), primary_key=True),
    Column("ending_id", String(26), nullable=False),
    Column(
        "only_for", String(1000), info=plain("ids of purposes")
    ),  # what the person was restricted to before, to be restored
    Index("ix_departure_ending_id", "ending_id"),
    info={"outlives": "names who must be gone until the re-reading has shown it; emptied when an ending is complete"},
)

hold = Table(
    "hold",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("person_id", String(26), nullable=False),
    Column(
        "fields", String(1000), nullable=False, info=plain("names of fields")
    ),  # names, sorted, one space between; blank means everything
    Column(
        "reason",
        Text,
        nullable=False,
        info=personal(
            source="whoever of the staff made the hold",
            export="told to the person together with what the hold keeps",
            erase="with its person",
            clock="with its person",
        ),
    ),
    Column("ground", String(63), nullable=False),  # `legal` entry, `may keep` reason or archive clock of the policy
    Column(
        "purpose", String(1000), nullable=False, info=plain("ids of purposes")
    ),  # what it may still be read for; blank: nothing
    Column(
        "approver", String(80), nullable=False, info=plain("a staff role or number")
    ),  # staff role or number; `policy` for an archive's
    Column("made_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("released_at", Instant),
    Column(
        "record", JSON(none_as_null=True), info=plain("what else the ground needs on record")
    ),  # blank: nothing else
    Index("ix_hold_person_id", "person_id"),
    Index("ix_hold_ends_at", "released_at", "ends_at"),
)

heartbeat = Table(
    "heartbeat",
    data_tables,
    Column("task", String(60), primary_key=True),  # sweep, seal, agenda, canary, ...
    Column("at", Instant, nullable=False),
)

alarm = Table(
    "alarm",
    data_tables,
    Column("kind", String(40), primary_key=True),
    Column("subject", String(80), primary_key=True, info=plain("a task, a clock or an opaque id")),
    Column("since", Instant, nullable=False),
    Column("raised_at", Instant, nullable=False),
)
