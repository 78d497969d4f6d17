"""The append-only record of decisions and acts. It holds no personal values; ``docs/ledger-format.md`` says what it seals."""

from troth.ledger.actions import append, append_many, decision_body
from troth.ledger.guard import NotForTheLedger

__all__ = ["NotForTheLedger", "append", "append_many", "decision_body"]
