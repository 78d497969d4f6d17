"""The append-only record of decisions and acts. It holds no personal values; ``docs/ledger-format.md`` says what it seals."""

from troth.ledger.actions import Told, append, append_all, append_many, decision_body
from troth.ledger.export import export
from troth.ledger.guard import NotForTheLedger
from troth.ledger.keys import public_pem
from troth.ledger.seal import Sealed, seal, unsealed
from troth.ledger.verify import Verified, verify

__all__ = [
    "NotForTheLedger",
    "Sealed",
    "Told",
    "Verified",
    "append",
    "append_all",
    "append_many",
    "decision_body",
    "export",
    "public_pem",
    "seal",
    "unsealed",
    "verify",
]
