"""Marks in the rows of the agenda, of log-ins and of the watches: ``store.marks`` adds their column after this."""

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing but that this has run, which lets every table be protected and every row be marked anew."""
