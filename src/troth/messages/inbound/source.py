"""What a place where messages lie must be able to do, whatever it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from troth.errors import TrothError


class Unreachable(TrothError):
    """A mailbox does not answer, does not let us in or does not do what it is asked. The text holds no address."""


@dataclass(frozen=True, slots=True)
class Lying:
    """A message in a mailbox: its bytes, and when the mailbox received it, where it says so."""

    raw: bytes = field(repr=False)
    received: datetime | None


class Source(Protocol):
    """A place where messages lie; each has a name there."""

    def waiting(self) -> Sequence[str]:
        """The names of what was not taken yet, oldest first."""
        ...

    def fetch(self, name: str) -> Lying | None:
        """A message, untouched; None when it is gone."""
        ...

    def done(self, name: str) -> None:
        """Mark, move or delete what was taken: only after it was committed."""
        ...

    def set_aside(self, name: str) -> None:
        """Flag what cannot be taken, for a person to look at; it is never deleted."""
        ...
