"""Who must have been told to delete: the recipients of people who were destroyed, by what the ledger says was given to whom.

Disclosures go with their person, so no table shows that a recipient was forgotten. The ledger has the decision by which each
one left. Who was given data in a legal case keeps it. Of what was given in a time that a restoration lost nothing is said: no
disclosure was left by which its recipient could be told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from troth.clock import from_micros
from troth.policy.acts import LEGAL
from troth.proof import Owed


@dataclass
class OwedHeard:
    """What left about whom, and whom each destruction leaves to be told. In the ledger's own order."""

    given: defaultdict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    """by person and recipient: when something last left, in microseconds since 1970"""
    owed: list[Owed] = field(default_factory=list)

    def left(
        self, person_id: str, recipient: str, purpose: str, at: int, lost: Collection[tuple[int, int]] = ()
    ) -> None:
        """Take in that data about a person left to a recipient at ``at``; ``lost`` are times that a restoration lost."""
        if not purpose.startswith(LEGAL) and not any(since < at <= until for since, until in lost):
            self.given[person_id][recipient] = at

    def gone(self, ending_id: str, people: Collection[str]) -> None:
        """Take in that people were destroyed."""
        for one in people:
            for recipient, at in self.given.get(one, {}).items():
                self.owed.append(Owed(ending_id, one, recipient, from_micros(at)))
