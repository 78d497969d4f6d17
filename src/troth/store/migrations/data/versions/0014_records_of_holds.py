"""What a legal ground needs on record by which data of somebody is kept, beside the reason, the approver and the end."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("hold")}
    if "record" not in there:  # a store whose version somebody wound back has it
        op.add_column("hold", sa.Column("record", sa.JSON(), nullable=True))
