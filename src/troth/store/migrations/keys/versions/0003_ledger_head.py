"""The ledger's kept head. A key store that is in use already takes over what is sealed, once: the row ``adopt`` says so."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    head = op.create_table(
        "ledger_head",
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.PrimaryKeyConstraint("state", name=op.f("pk_ledger_head")),
    )
    if op.get_bind().execute(sa.text("SELECT id FROM site_key LIMIT 1")).first() is not None:
        row = {"state": "adopt", "size": 0, "at": 0, "root": b"", "frontier": b"", "key_id": "", "signature": b""}
        op.bulk_insert(head, [row])
