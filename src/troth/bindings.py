"""What enforces and proves each kind of promise: bound by the room that owns the act, beside the proof itself.

A room says of its proof, in ``proofs.py``: for which kinds it speaks, which keys of the entry it really measures, which
functions make the promise true, and on which tables it relies. ``evidence.catalogue`` finds all of them and refuses to start
when a kind has none, or has two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from troth.policy.kinds import KINDS
from troth.policy.promises import Promise
from troth.proof import Proof, Proving

Prove = Callable[[Proving, Promise], Proof]
Enforcer = Callable[..., Any]
Rests = Mapping[str, str]
"""tables, each with the column by which a row names the entry of the policy that it is about, or blank"""
REPLAYED: Rests = {"ledger_entry": "", "policy_version": "", "restoration": ""}
"""what a replay takes for true: the decisions, the versions under which each is asked again, and what a restored backup lost"""
WALKED: Rests = {"ledger_entry": ""}
"""where it stands what the made-up person found"""


@dataclass(frozen=True)
class Binding:
    """What makes one kind of promise true, and what shows it.

    ``covers`` are the keys of the entry that the proof measures; a key that is not there is not shown by it. ``rests_on``
    are the tables whose rows the proof, or what enforces the promise, takes for true: a row of them that is not as Troth
    wrote it turns the promise. Where entries of one kind are proven in different ways, a function says it of an entry.
    """

    kind: str
    prove: Prove
    covers: frozenset[str]
    enforced_by: tuple[Enforcer, ...]
    rests_on: Rests | Callable[[Any], Rests] = field(default_factory=dict)
    keys: Mapping[str, Any] = field(default_factory=dict)
    """for each key of the policy that a room reads, as ``retention.keep``, the function or the method that does"""

    def rests(self, entry: Any) -> Rests:
        """The tables that a promise made from ``entry`` of the policy rests on."""
        return self.rests_on(entry) if callable(self.rests_on) else self.rests_on


BINDINGS: dict[str, Binding] = {}
"""By kind; complete once ``evidence.catalogue`` was imported."""


def proves(
    *kinds: str,
    covers: tuple[str, ...],
    enforced_by: tuple[Enforcer, ...],
    rests_on: Rests | Callable[[Any], Rests] | None = None,
    keys: Mapping[str, Any] | None = None,
) -> Callable[[Prove], Prove]:
    """Bind the decorated proof, and what enforces the promise, to ``kinds``.

    Raises:
        ValueError: for a kind that does not exist, or that is bound already, or that nothing enforces.
    """

    def bind(prove: Prove) -> Prove:
        for kind in kinds:
            if kind not in KINDS:
                raise ValueError(f"{kind} is no kind of promise")
            if kind in BINDINGS:
                raise ValueError(f"{kind} is bound twice")
            if not enforced_by:
                raise ValueError(f"nothing enforces {kind}")
            BINDINGS[kind] = Binding(kind, prove, frozenset(covers), enforced_by, rests_on or {}, keys or {})
        return prove

    return bind


def named(enforcer: Enforcer) -> str:
    """``module:name`` of an enforcer, for people who want to read it."""
    return f"{enforcer.__module__}:{enforcer.__qualname__}"
