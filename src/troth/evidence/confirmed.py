"""Whose address nobody had confirmed, as the ledger tells it, held against the facts of each decision while it is replayed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from troth.evidence.archive import WINDOW_MICROS
from troth.ledger import events

CONFIRMATIONS = frozenset({events.ACCOUNT_REGISTERED, events.ACCOUNT_CONFIRMED})


@dataclass
class ConfirmedHeard:
    """Who has an account that waits for its address to be confirmed, in the ledger's own order."""

    waiting: set[str] = field(default_factory=set)
    changed: dict[str, int] = field(default_factory=dict)
    """when that became so, or ceased to be, by person, in microseconds since 1970"""

    def hear(self, event: str, at: int, body: Mapping[str, Any], lost: Collection[tuple[int, int]]) -> None:
        """Take in an entry; what a restored store does not have any more (``lost``) changed nothing."""
        person_id = str(body.get("person"))
        now = event == events.ACCOUNT_REGISTERED
        if any(since < at <= until for since, until in lost) or now == (person_id in self.waiting):
            return
        (self.waiting.add if now else self.waiting.discard)(person_id)
        self.changed[person_id] = at

    def unconfirmed(self, person_id: str, at: int) -> tuple[bool, ...]:
        """Whether nobody had confirmed their address at ``at``; both answers when that changed just then."""
        waits = person_id in self.waiting
        changed = self.changed.get(person_id)
        return (waits, not waits) if changed is not None and changed > at - WINDOW_MICROS else (waits,)
