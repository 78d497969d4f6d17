"""What people chose, as the ledger tells it, held against the facts of each decision while it is replayed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from troth.clock import from_micros
from troth.consent.rules import Choice, facts_of
from troth.evidence.archive import WINDOW_MICROS
from troth.ledger import events

CHOICES = frozenset(
    {
        events.CONSENT_GIVEN,
        events.CONSENT_REFUSED,
        events.CONSENT_WITHDRAWN,
        events.CONSENT_EXPIRED,
        events.OBJECTION_MADE,
        events.OBJECTION_LIFTED,
    }
)


@dataclass(slots=True)
class Chosen:
    """The choices of one person, in the ledger's order, and the facts that they come to once their address is confirmed."""

    made: list[Choice] = field(default_factory=list)
    facts: frozenset[str] | None = None

    def add(self, one: Choice) -> None:
        """The younger one is the one that the ledger has later, even when the clock was set back in between."""
        last = self.made[-1].at if self.made else one.at
        self.made.append(one if one.at >= last else replace(one, at=last + timedelta(microseconds=1)))
        self.facts = None

    def bear_out(self, told: frozenset[str], at: int, unconfirmed: Collection[bool] = (False,)) -> bool:
        """Whether ``told`` are the facts at that instant, or before any of the choices made just now.

        ``unconfirmed`` says whether nobody had confirmed their address; both when that changed just now.
        """
        if False in unconfirmed and self._bears_out(told, at):
            return True
        made = (self.made[:size] for size in (len(self.made), *self._just_now(at)))
        return True in unconfirmed and any(told == facts_of(each, unconfirmed=True) for each in made)

    def _bears_out(self, told: frozenset[str], at: int) -> bool:
        if self.facts is None:
            self.facts = facts_of(self.made)
        if told == self.facts:
            self.facts = told  # many people's facts are alike: they share one set
            return True
        return any(told == facts_of(self.made[:size]) for size in self._just_now(at))

    def _just_now(self, at: int) -> Iterable[int]:
        since = from_micros(at - WINDOW_MICROS)
        return (size for size, one in enumerate(self.made) if one.at > since)


def choices_among(facts: Collection[str]) -> frozenset[str]:
    """Those of ``facts`` that choices give."""
    return frozenset(fact for fact in facts if fact.startswith(("consent:", "objection:")))
