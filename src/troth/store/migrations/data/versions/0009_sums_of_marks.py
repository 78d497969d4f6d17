"""Sums of the marks of rows, what is to be added to them, and what the ledger's last seal committed to."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def sums() -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in ("rows", "low", "high")]


def upgrade() -> None:
    op.create_table(
        "store_sum",
        sa.Column("name", sa.String(length=63), nullable=False),
        *sums(),
        sa.Column("turns", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.BigInteger()),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_store_sum")),
    )
    op.create_table(
        "store_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        *sums(),
        sa.Column("mark", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store_change")),
    )
    op.create_table(
        "store_sealed",
        sa.Column("store", sa.String(length=4), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        *sums(),
        sa.Column("turns", sa.BigInteger(), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("store", "name", name=op.f("pk_store_sealed")),
    )
