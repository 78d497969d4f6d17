"""Events that the policy names and the operator reports, from which periods of retention count."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "happening",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("event", sa.String(length=63), nullable=False),
        sa.Column("ref", sa.String(length=130), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_happening_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_happening")),
        sa.UniqueConstraint("event", "ref", name=op.f("uq_happening_event_ref")),
    )
    op.create_index("ix_happening_event", "happening", ["event", "at"], unique=False)
    op.create_index("ix_happening_person_id", "happening", ["person_id", "event"], unique=False)
