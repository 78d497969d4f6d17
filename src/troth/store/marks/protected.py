"""Which tables are protected: all, except those that are listed here with the reason."""

from __future__ import annotations

from collections.abc import Mapping

COLUMN = "row_mark"
"""the column that holds a row's mark; it is no part of the declared tables, since only triggers write it"""

LEDGER = "ledger_entry"
"""marked when it is inserted and never again: its mark is that of its leaf, and the ledger's tree counts its rows"""

UNPROTECTED: Mapping[str, str] = {
    "ledger_checkpoint": "each checkpoint is signed",
    "ledger_head": "the last checkpoint that was kept, which is signed, or that none was yet, which the ledger must bear out",
    "store_sum": "the sums themselves, each with a mark of its own",
    "store_change": "what is to be added to the sums, each with a mark of its own",
    "store_sealed": "the sums as the ledger's last seal committed to them",
    "troth_schema": "which migrations have run",
}
"""What is only a queue, a beat or a log-in that passes is marked like everything else: a job that was marked done by hand, a
beat that hides a worker that stopped, and a session that nobody logged in for are lies as well."""


def protected(name: str) -> bool:
    """Whether rows of the table ``name`` carry a mark."""
    return name not in UNPROTECTED and not name.startswith("sqlite_")


def summed(name: str) -> bool:
    """Whether the marks of the table ``name`` are added up."""
    return protected(name) and name != LEDGER
