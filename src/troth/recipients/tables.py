"""Disclosures: who was given which fields about whom, when, why; and what each recipient was told to delete."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, String, Table, text

from troth.policy.acts import LEGAL
from troth.store.schema import Instant, data_tables, plain

disclosure = Table(
    "disclosure",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("person_id", String(26), nullable=False),
    Column("recipient", String(63), nullable=False),
    Column("purpose", String(80), nullable=False, info=plain("an id of the policy")),
    Column("fields", String(1000), nullable=False, info=plain("names of fields")),  # names only
    Column("case_ref", String(130), nullable=False, info=plain("the operator's own opaque number")),
    Column("ground", String(63), nullable=False, default=""),  # the legal ground of the policy, or blank
    Column("record", JSON, nullable=False, default=dict, info=plain("what the ground needs on record")),
    Column("at", Instant, nullable=False),
    Column("state", String(12), nullable=False),  # one of those below
    Column("delivered_at", Instant),
    Index("ix_disclosure_person_id", "person_id", "recipient"),
    Index("ix_disclosure_recipient", "recipient", "at"),
)

QUEUED = "queued"
"""nothing has left yet"""
LEAVING = "leaving"
"""handed to the recipient's system, which has not answered: it may have arrived"""
BY_HAND = "by hand"
"""waits for staff, since the recipient has no system that we can reach"""
DELIVERED = "delivered"
"""the recipient has it"""
REFUSED = "refused"
"""allowed once and not any more; nothing has left"""
UNSURE = "unsure"
"""given up after it may have arrived"""
MAY_HAVE_ARRIVED = (LEAVING, DELIVERED, UNSURE)
NOT_LEFT = (QUEUED, BY_HAND)
IN_A_CASE = disclosure.c.purpose.like(f"{LEGAL}%")
"""given in a legal case, such as to a court, which keeps it under the law: nobody tells it to delete or to correct that"""

_open = text("acknowledged_at IS NULL")

instruction = Table(
    "instruction",
    data_tables,
    Column("ending_id", String(26), primary_key=True),
    Column("person_id", String(26), primary_key=True),
    Column("recipient", String(63), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("deadline", Instant, nullable=False),
    Column("acknowledged_at", Instant),
    Column(
        "acknowledged_by", String(80), info=plain("a staff role or `recipient`")
    ),  # the recipient's own answer, or the staff role that wrote to it
    Index("ix_instruction_open", "deadline", sqlite_where=_open, postgresql_where=_open),
    Index("ix_instruction_recipient", "recipient", "acknowledged_at"),
    info={"outlives": "says which recipient has deleted what it was given; holds an opaque number and no value"},
)
