"""The dealings that the ledger tells of, held against the facts of each decision while it is replayed.

A dealing that was opened again past Troth lets Troth itself allow what needs an open one, and write that into the ledger. So a
decision that rests on an open dealing is believed when the ledger opened one of that kind for that person and did not close
it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Any

from troth.evidence.archive import WINDOW_MICROS
from troth.ledger import events

DEALINGS = frozenset({events.DEALING_OPENED, events.DEALING_CLOSED})
_CASE, _REGISTERED = "case:", "registered"


def cases_among(facts: Collection[str]) -> tuple[str, ...]:
    """The kinds of dealings of which one must be open for ``facts`` to be true."""
    kinds = {fact.removeprefix(_CASE) for fact in facts if fact.startswith(_CASE)}
    return tuple(sorted(kinds | ({"registration"} if _REGISTERED in facts else set())))


@dataclass(slots=True)
class _Open:
    number: int = 0
    closed_at: int = 0
    """when one was closed last, in microseconds since 1970"""


@dataclass
class DealtHeard:
    """How many dealings of each kind are open, by person, in the ledger's own order."""

    open: dict[tuple[str, str], _Open] = field(default_factory=lambda: defaultdict(_Open))

    def hear(self, event: str, at: int, body: Mapping[str, Any], lost: Collection[tuple[int, int]]) -> None:
        """Take in an entry; a closing that a restored store does not have any more (``lost``) closed nothing."""
        one = self.open[str(body.get("person")), intern(str(body.get("kind")))]
        if event == events.DEALING_OPENED:
            one.number += 1
        elif not any(since < at <= until for since, until in lost):
            one.number -= 1
            one.closed_at = at

    def bear_out(self, person_id: str, kinds: Collection[str], at: int) -> bool:
        """Whether a dealing of each of ``kinds`` was open at ``at``, or was closed just then."""
        for kind in kinds:
            one = self.open.get((person_id, kind))
            if one is None or (one.number <= 0 and one.closed_at <= at - WINDOW_MICROS):
                return False
        return True
