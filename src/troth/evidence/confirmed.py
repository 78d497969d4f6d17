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
    """Who has an account that waits for its address to be confirmed, in the ledger's own order.

    What a restored store does not have any more (``lost``, spans after the backup until it was put back) was so for the
    decisions of that time, and is not for those that came after.
    """

    waiting: set[str] = field(default_factory=set)
    since_then: dict[str, bool] = field(default_factory=dict)
    """who waits, or no longer does, within the span that is under way and was lost"""
    span: tuple[int, int] | None = None
    changed: dict[str, int] = field(default_factory=dict)
    """when that became so, or ceased to be, by person, in microseconds since 1970"""

    def hear(self, event: str, at: int, body: Mapping[str, Any], lost: Collection[tuple[int, int]]) -> None:
        """Take in an entry."""
        person_id, now = str(body.get("person")), event == events.ACCOUNT_REGISTERED
        if now == self._waits(person_id, at, lost):
            return
        if self.span:
            self.since_then[person_id] = now
        else:
            (self.waiting.add if now else self.waiting.discard)(person_id)
        self.changed[person_id] = at

    def unconfirmed(self, person_id: str, at: int, lost: Collection[tuple[int, int]]) -> tuple[bool, ...]:
        """Whether nobody had confirmed their address at ``at``; both answers when that changed just then."""
        waits = self._waits(person_id, at, lost)
        changed = self.changed.get(person_id)
        return (waits, not waits) if changed is not None and changed > at - WINDOW_MICROS else (waits,)

    def _waits(self, person_id: str, at: int, lost: Collection[tuple[int, int]]) -> bool:
        span = next((each for each in lost if each[0] < at <= each[1]), None)
        if span != self.span:
            self.span = span
            self.since_then.clear()
        return self.since_then.get(person_id, person_id in self.waiting)
