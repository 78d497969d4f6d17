"""Which tables are protected: all, except those that are listed here with the reason."""

from __future__ import annotations

from collections.abc import Mapping

COLUMN = "row_mark"
"""the column that holds a row's mark; it is no part of the declared tables, since only triggers write it"""

LEDGER = "ledger_entry"
"""marked when it is inserted and never again: its mark is that of its leaf, and the ledger's tree counts its rows"""

UNPROTECTED: Mapping[str, str] = {
    "ledger_checkpoint": "each checkpoint is signed",
    "ledger_head": "the last checkpoint that was kept, which is signed",
    "job": "work that waits; a sweep finds what is due and not done, whatever the queue says",
    "heartbeat": "when a task last ran; a missing or old one raises an alarm",
    "alarm": "found anew each time the watches look",
    "session": "who is logged in; no promise rests on it, and each ends by itself",
    "once": "links that are good for once, each the hash of a secret",
    "attempt": "tries to log in, which slow down whoever guesses, for a day",
    "half_log_in": "log-ins that are half done, for minutes",
    "spent": "challenges that were answered, for minutes",
    "recovery_code": "hashes of codes; a planted one opens nothing without its letters",
    "arrived": "which messages came in, as keyed digests, so that none is taken twice",
    "agent_token": "tokens of agents, each the hash of a secret",
    "staff_session": "who of the staff is logged in; each ends by itself",
    "staff_recovery": "hashes of codes; a planted one opens nothing without its letters",
    "staff_attempt": "tries to log in, which slow down whoever guesses, for a day",
    "store_sum": "the sums themselves, each with a mark of its own",
    "store_change": "what is to be added to the sums, each with a mark of its own",
    "store_sealed": "the sums as the ledger's last seal committed to them",
    "troth_schema": "which migrations have run",
}


def protected(name: str) -> bool:
    """Whether rows of the table ``name`` carry a mark."""
    return name not in UNPROTECTED and not name.startswith("sqlite_")


def summed(name: str) -> bool:
    """Whether the marks of the table ``name`` are added up."""
    return protected(name) and name != LEDGER
