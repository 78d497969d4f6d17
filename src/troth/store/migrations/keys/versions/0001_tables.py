"""The tables of the keys."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _keys()


def _keys() -> None:
    op.create_table(
        "day_key",
        sa.Column("day", sa.String(length=8), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(length=40), nullable=False),
        sa.Column("site_key", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_day_key")),
    )
    op.create_index(op.f("ix_day_key_site_key"), "day_key", ["site_key"], unique=False)
    op.create_table(
        "person_key",
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(length=40), nullable=False),
        sa.Column("site_key", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person_key")),
    )
    op.create_index(op.f("ix_person_key_site_key"), "person_key", ["site_key"], unique=False)
    op.create_table(
        "site_key",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_key")),
    )
