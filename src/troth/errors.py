"""Everything Troth says no with. A message names what happened and where; the hint says what to do about it.

Neither may hold a personal value: errors are shown, logged and sometimes mailed.
"""

from __future__ import annotations


class TrothError(Exception):
    """Base of all expected errors: a sentence for people and a hint what to do next."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class PolicyError(TrothError):
    """The policy, its decisions or the wiring cannot be read or do not hold together."""


class NotAllowed(PolicyError):
    """The files were read, and what they ask for may not be: an error in them is unsettled, or a version may not follow."""


class Refused(TrothError):
    """The policy in force does not allow this; ``because`` names the promise or line that says so."""

    def __init__(self, message: str, hint: str = "", because: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.because = because


class InvalidInput(TrothError):
    """What was sent does not fit its collection point; ``problems`` maps a field to what is wrong with it."""

    def __init__(self, message: str, problems: dict[str, str] | None = None, hint: str = "") -> None:
        super().__init__(message, hint)
        self.problems = problems or {}


class StoreError(TrothError):
    """A database or the key store is missing, locked, full or of another version; nothing was changed."""


class Unverifiable(TrothError):
    """A record does not verify: its seal, its key or its place in the ledger's tree is not what it must be."""
