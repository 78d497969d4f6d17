"""From recorded choices to facts: what a person agreed to and objected to, as of now. Pure.

Consent and objection about one scope have a timeline each, and the younger of the two outweighs the other: who objects after
agreeing no longer agrees, who agrees after objecting no longer objects. A refusal of consent lifts no objection.

Whoever registers may give somebody else's address. So as long as nobody has confirmed the address of an account, a yes that
came with a form counts for nothing: it neither agrees nor lifts an objection. A no counts from whoever says it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

State = Literal["given", "refused", "withdrawn", "expired", "objected", "lifted"]
STATES: tuple[State, ...] = get_args(State)
OBJECTIONS: tuple[State, ...] = ("objected", "lifted")
PRIVACY_CENTRE, PUBLIC_PROFILE = "privacy_centre", "public_profile"
STAFF_ASKS = ("letter", "phone", "e-mail", "in_person", "counter")
"""the channels by which staff record what somebody said, who was asked in the words of the policy"""
ASKING = frozenset({PRIVACY_CENTRE, PUBLIC_PROFILE, *STAFF_ASKS})
"""the channels, besides the points that offer the choice, by which a yes may come: nothing else asks for one"""


@dataclass(frozen=True, slots=True)
class Choice:
    """One recorded choice. ``scope`` is a purpose, or a recipient with an ``@`` before it; ``shown`` a digest of the words."""

    id: str
    person_id: str
    scope: str
    state: State
    at: datetime
    shown: str
    channel: str
    policy_version: int

    @property
    def order(self) -> tuple[datetime, str]:
        """Later choices are greater; ids tell apart what happened in one instant."""
        return self.at, self.id


def facts_of(rows: Iterable[Choice], *, unconfirmed: bool = False) -> frozenset[str]:
    """``consent:SCOPE`` and ``objection:SCOPE`` that hold, from any of a person's choices, in any order.

    Args:
        unconfirmed: whether the person has an account whose address nobody has confirmed.
    """
    given: dict[str, Choice] = {}
    objected: dict[str, Choice] = {}
    for row in sorted(rows, key=lambda row: row.order):
        (objected if row.state in OBJECTIONS else given)[row.scope] = row
    if unconfirmed:
        given = {scope: row for scope, row in given.items() if row.state != "given" or row.channel in ASKING}
    consents = {
        f"consent:{scope}" for scope, row in given.items() if _counts(row, "given", objected.get(scope), "objected")
    }
    objections = {
        f"objection:{scope}" for scope, row in objected.items() if _counts(row, "objected", given.get(scope), "given")
    }
    return frozenset(consents | objections)


def stands(youngest: Iterable[Choice], scope: str, state: State) -> bool:
    """Whether the no ``state`` to ``scope`` is in force, by somebody's youngest choices, and need not be said again.

    An objection that a later yes outweighs is in force no longer, however young it is.
    """
    chosen = list(youngest)
    said = any(row.scope == scope and row.state == state for row in chosen)
    return said and (state != "objected" or f"objection:{scope}" in facts_of(chosen))


def _counts(row: Choice, state: State, other: Choice | None, rival: State) -> bool:
    outweighed = other is not None and other.state == rival and other.order > row.order
    return row.state == state and not outweighed
