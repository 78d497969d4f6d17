"""From stops to facts, and from facts to what may not be opened. Pure.

A stop of a whole scope is the fact ``stop:SCOPE``, and a rule of every policy forbids what has it. A stop for one origin is the
fact ``stop:SCOPE:ORIGIN``: it forbids nothing by itself, since what came from elsewhere may still be used, but whoever opens
data under the decision leaves out what came from there. Both are in the question that the ledger keeps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from troth.policy.rules import STOP, one_word

State = Literal["stopped", "lifted"]
EVERYWHERE = ""
"""the origin of a stop that holds wherever the data came from"""


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop, or one lifting of it; ``scope`` is a purpose, or a recipient with an ``@`` before it."""

    id: str
    scope: str
    origin: str
    state: State
    at: datetime
    because: str
    made_by: str
    policy_version: int

    @property
    def fact(self) -> str:
        """The fact that holds while this is the youngest of its scope and origin."""
        return fact(self.scope, self.origin)


def fact(scope: str, origin: str = EVERYWHERE) -> str:
    """How a stop is named among the facts of a question."""
    return f"{STOP}:{scope}:{origin}" if origin else f"{STOP}:{scope}"


def scopes(purpose: str, recipient: str = "") -> tuple[str, ...]:
    """The scopes that a question about ``purpose`` (and ``recipient``) falls under."""
    return (purpose, f"@{recipient}") if recipient else (purpose,)


def stops_among(facts: Iterable[str]) -> frozenset[str]:
    """Those of ``facts`` that are stops."""
    return frozenset(one for one in facts if one.startswith(f"{STOP}:"))


def left_out(facts: Iterable[str]) -> frozenset[str]:
    """The origins whose data may not be opened under a question with these ``facts``."""
    parts = (one.split(":", 2) for one in facts if one.startswith(f"{STOP}:"))
    return frozenset(origin for _, _, *rest in parts for origin in rest)


def comes_from(origins: Collection[str], source: str, partner: str | None) -> bool:
    """Whether data of this ``source``, supplied by this ``partner``, has one of ``origins``."""
    return bool(origins) and (one_word(source) in origins or (partner is not None and f"@{partner}" in origins))
