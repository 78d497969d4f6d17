"""Requests, the log of them, what was said in them, their links and the answers that leave.

Three things that must not be one. A *request* is what happened: it outlives its person and holds an opaque number and no value;
once it has ended it goes with the clock of the log, and its steps, links and replies with it.
Its *paper* is what was written (name, address, words): sealed under the key of the day it arrived, and gone with that key. The
*request log* has exactly the fields that the policy names, sealed apart from the paper, and serves nothing else.
"""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, text

from troth.store.schema import Instant, data_tables, key_tables, personal, plain

_open = text("closed_at IS NULL")
_CLOCK = "`request log.keep` of the policy, from the day the request arrived"

request = Table(
    "request",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("key", String(64), nullable=False, unique=True),  # of what brought it: the same one twice is one request
    Column("right", String(20), nullable=False),  # as in `rights` of the policy, or `question`
    Column("channel", String(12), nullable=False),
    Column("language", String(12), nullable=False),
    Column("person_id", String(26)),  # blank until somebody is found
    Column("policy_version", Integer, nullable=False),  # in force when it arrived; it decides to the end
    Column("about", JSON, nullable=False, info=plain("purposes, recipients, decisions and fields of the policy")),
    Column("at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("extended", Integer, nullable=False),  # 1 once the time was prolonged
    Column("state", String(12), nullable=False),  # verifying, open, carrying out, closed
    Column("waits_for", String(80), nullable=False, info=plain("person, staff, system or a recipient")),
    Column("waits_until", Instant),  # when whoever it waits for must have acted
    Column("verified_at", Instant),
    Column("verified_by", String(12), nullable=False),  # link, account, staff, mandate; blank before
    Column("failures", Integer, nullable=False),  # of showing who one is
    Column("outcome", String(16), nullable=False),  # one of rules.OUTCOMES; blank until closed
    Column("ending_id", String(26)),
    Column("reminded_at", Instant),
    Column("closed_at", Instant),
    Index("ix_request_open", "due_at", sqlite_where=_open, postgresql_where=_open),
    Index("ix_request_person_id", "person_id", "at"),
    Index("ix_request_at", "at"),
    Index("ix_request_closed_at", "closed_at", "id"),
    info={
        "outlives": "says that a right was exercised and how it was answered, for as long as the log; holds no value"
    },
)

request_paper = Table(
    "request_paper",
    data_tables,
    Column("request_id", String(26), ForeignKey("request.id"), primary_key=True),
    Column("at", Instant, nullable=False, index=True),
    Column("mark", LargeBinary(32), info=plain("a keyed hash of the address, to find what came from it before")),
    Column(
        "body",
        LargeBinary,
        nullable=False,
        info=personal(
            source="whoever made the request, and what staff entered about it",
            export="shown to its person with the request",
            erase="the key of the day it arrived is destroyed, and the row goes with the next sweep",
            clock=_CLOCK,
        ),
    ),
    Index("ix_request_paper_mark", "mark", "at"),
)

request_step = Table(
    "request_step",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("request_id", String(26), ForeignKey("request.id"), nullable=False, index=True),
    Column("at", Instant, nullable=False, index=True),
    Column("act", String(24), nullable=False),
    Column("by", String(64), nullable=False),  # person, system, or the number of a member of staff
    Column(
        "body",
        LargeBinary,
        info=personal(
            source="what a member of staff recorded: a reason, a decision, evidence",
            export="shown to its person with the request",
            erase="as the request's paper",
            clock=_CLOCK,
        ),
    ),
)

request_log = Table(
    "request_log",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("at", Instant, nullable=False, index=True),
    Column("method", String(12), nullable=False),
    Column(
        "body",
        LargeBinary,
        nullable=False,
        info=personal(
            source="the request: exactly the fields that `request log.records` names",
            export="shown to its person with the request",
            erase="the key of the day it arrived is destroyed, and the row goes with the next sweep",
            clock=_CLOCK,
        ),
    ),
)

request_link = Table(
    "request_link",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True, info=plain("SHA-256 of a 256-bit secret")),
    Column("request_id", String(26), ForeignKey("request.id"), nullable=False, index=True),
    Column("opens", String(12), nullable=False),  # confirm, data, visit
    Column("made_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False, index=True),
    Column("used_at", Instant),
)

reply = Table(
    "reply",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("key", String(120), nullable=False, unique=True, info=plain("made of kinds and opaque ids")),
    Column("request_id", String(26), ForeignKey("request.id"), nullable=False, index=True),
    Column("template", String(63), nullable=False),
    Column("terms", JSON, nullable=False, info=plain("words and days of the policy")),
    Column("at", Instant, nullable=False),
    Column("state", String(12), nullable=False),  # queued, sent, failed, to print, printed
    Column("sent_at", Instant),
    Column(
        "because", String(200), nullable=False, default="", info=plain("a mail server's refusal, without addresses")
    ),
)

request_key = Table(
    "request_key",
    key_tables,
    Column("day", String(8), primary_key=True),  # as 20260105
    Column("wrapped", LargeBinary(40), nullable=False, info=plain("a wrapped key")),
    Column("site_key", String(16), nullable=False, index=True),
)
