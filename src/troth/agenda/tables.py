"""Work that waits: one row a job, due at a time, taken with a lease, done once for a key."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text, text

from troth.store.schema import Instant, data_tables, plain

_open = text("done_at IS NULL")

job = Table(
    "job",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column(
        "key", String(120), nullable=False, unique=True, info=plain("made of kinds and opaque ids")
    ),  # idempotency: the same act is never queued twice
    Column(
        "ref", String(120), nullable=False, info=plain("ids, names of the policy and instants")
    ),  # what the handler starts from; never a personal value
    Column("due_at", Instant, nullable=False),  # moved to the end of the lease when a worker takes the job
    Column("deadline", Instant),  # an alarm when not done by then
    Column("lease_until", Instant),
    Column("attempts", Integer, nullable=False, default=0),
    Column("done_at", Instant),
    Column("problem", Text, nullable=False, default="", info=plain("an error's own words, which hold no value")),
    Index("ix_job_due", "due_at", sqlite_where=_open, postgresql_where=_open),
    Index("ix_job_deadline", "deadline", sqlite_where=_open, postgresql_where=_open),
)
