"""Whom the ledger says to have left every use, held against each decision that let something through about them.

Somebody who asked to be deleted, put back into use past Troth, is read by Troth itself, which writes a decision that the policy
allows. So what was allowed about a person is believed only until the ledger quarantined that person whole, or destroyed them;
after that only for what a hold on the ledger keeps, and again once the ending was undone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from troth.evidence.archive import WINDOW_MICROS
from troth.ledger import events
from troth.policy.rules import OWN_ACCESS

DEPARTURES = frozenset(
    {events.ENDING_QUARANTINED, events.ENDING_DESTROYED, events.ENDING_RESTORED, events.HOLD_MADE},
)


@dataclass
class DepartedHeard:
    """Who left every use, and since when; what holds keep of people, and for what. In the ledger's own order."""

    since: dict[str, int] = field(default_factory=dict)
    """by person, in microseconds since 1970"""
    whose: dict[str, str] = field(default_factory=dict)
    """the person by each ending that may still be undone"""
    kept_for: dict[str, frozenset[str]] = field(default_factory=dict)
    """the purposes of all holds on a person"""

    def hear(self, event: str, at: int, body: Mapping[str, Any], purposes: Callable[[str], Collection[str]]) -> None:
        """Take in an entry; ``purposes`` are those for which the archive of that name keeps, by the version of that day."""
        ending = str(body.get("ending"))
        if event == events.HOLD_MADE:
            self._hold(body, purposes)
        elif event == events.ENDING_RESTORED:
            self.since.pop(self.whose.pop(ending, ""), None)
        elif event == events.ENDING_DESTROYED:
            self.whose.pop(ending, None)
            for one in _list(body.get("gone")):
                self.since.setdefault(one, at)
                self.kept_for.pop(one, None)
        elif body.get("scope") == "person" and isinstance(body.get("person"), str):
            self.since[body["person"]] = at
            self.whose[ending] = body["person"]

    def _hold(self, body: Mapping[str, Any], purposes: Callable[[str], Collection[str]]) -> None:
        holds = body.get("holds")
        people = holds.values() if isinstance(holds, dict) else [body.get("person")]
        kept = {str(body["purpose"])} if "purpose" in body else purposes(str(body.get("ground")))
        for one in map(str, people):
            self.kept_for[one] = self.kept_for.get(one, frozenset()).union(kept)

    def bear_out(self, person_id: str, purpose: str, at: int) -> bool:
        """Whether they were in use at ``at``, had left only just then, or a hold kept something for ``purpose``."""
        since = self.since.get(person_id)
        if since is None or at <= since + WINDOW_MICROS:
            return True
        kept = self.kept_for.get(person_id)
        return kept is not None and (purpose == OWN_ACCESS or purpose in kept)


def _list(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []
