"""Requests that came over a protocol, and the tokens of agents."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "protocol_request",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("protocol", sa.String(length=8), nullable=False),
        sa.Column("peer", sa.String(length=253), nullable=False),
        sa.Column("number", sa.String(length=36), nullable=False),
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("meaning", sa.LargeBinary(length=32), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=26), nullable=True),
        sa.Column("joined", sa.Integer(), nullable=False),
        sa.Column("link", sa.String(length=26), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.String(length=40), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("callbacks", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_protocol_request")),
        sa.UniqueConstraint("protocol", "peer", "key", name=op.f("uq_protocol_request_protocol_peer_key")),
        sa.UniqueConstraint("protocol", "peer", "number", name=op.f("uq_protocol_request_protocol_peer_number")),
    )
    op.create_index(op.f("ix_protocol_request_request_id"), "protocol_request", ["request_id"], unique=False)
    op.create_index(op.f("ix_protocol_request_received_at"), "protocol_request", ["received_at"], unique=False)
    op.create_index(
        "ix_protocol_request_open",
        "protocol_request",
        ["id"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "agent_token",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("message", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_agent_token")),
        sa.UniqueConstraint("message", name=op.f("uq_agent_token_message")),
    )
    op.create_index(op.f("ix_agent_token_agent"), "agent_token", ["agent"], unique=False)
    op.create_index(op.f("ix_agent_token_ends_at"), "agent_token", ["ends_at"], unique=False)
