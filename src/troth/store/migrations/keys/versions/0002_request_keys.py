"""The keys of the days on which requests arrived."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "request_key",
        sa.Column("day", sa.String(length=8), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(length=40), nullable=False),
        sa.Column("site_key", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_request_key")),
    )
    op.create_index(op.f("ix_request_key_site_key"), "request_key", ["site_key"])
