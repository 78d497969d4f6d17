"""Requests that came over a protocol, as whoever sent them knows them; and the tokens of agents.

Whom a request is about stands in the request itself (``rights``) and nowhere here: a row here says who asked, under which
number they know it, what they were last told and where they want to be told. It outlives the request, without its callback
addresses, so that its number cannot be used again.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint, text

from troth.store.schema import Instant, data_tables, plain

protocol_request = Table(
    "protocol_request",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("protocol", String(8), nullable=False),  # opendsr, drp
    Column("peer", String(253), nullable=False, info=plain("a domain or an agent's id, as in site.yaml")),
    Column("number", String(36), nullable=False),  # the UUID by which the peer knows it
    Column("key", LargeBinary(32), nullable=False, info=plain("SHA-256 of the peer's own number")),
    Column(
        "meaning", LargeBinary(32), nullable=False, info=plain("a keyed hash of what was asked, to tell a repetition")
    ),
    Column("reference", String(64), nullable=False, default=""),  # the agent's own number, given back as it came
    Column("request_id", String(26), index=True),  # blank between keeping the number and taking the request in
    Column("joined", Integer, nullable=False),  # 1 when it joined a request that was open already
    Column("link", String(26)),  # the number of the link to its results, once there is one
    Column("received_at", Instant, nullable=False, index=True),
    Column("told", String(40), nullable=False, default=""),  # the state and outcome that the peer was last told of
    Column("told_at", Instant, nullable=False),
    Column("ended_at", Instant),  # nothing more will change
    Column(
        "callbacks",
        Text,
        nullable=False,
        default="[]",
        info=plain("addresses at hosts of site.yaml, dropped at the end"),
    ),
    UniqueConstraint("protocol", "peer", "key"),
    UniqueConstraint("protocol", "peer", "number"),
    Index(
        "ix_protocol_request_open",
        "id",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

agent_token = Table(
    "agent_token",
    data_tables,
    Column("digest", LargeBinary(32), primary_key=True, info=plain("SHA-256 of 256 random bits")),
    Column("agent", String(64), nullable=False, index=True),
    Column(
        "message", LargeBinary(32), nullable=False, unique=True, info=plain("SHA-256 of the message that asked for it")
    ),  # sent again it yields no second token
    Column("made_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False, index=True),
)
