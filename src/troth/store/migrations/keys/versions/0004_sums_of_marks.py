"""Sums of the marks of rows, and what is to be added to them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
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
