"""Which functions enforce which clause: a clause is cited by entries of a policy, and each kind of promise names enforcers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import FunctionType

from tests.mutation.targets import name_of, plain
from troth.evidence.catalogue import CATALOGUE
from troth.evidence.clauses import SITES, later
from troth.evidence.clauses.page import cited, promises_of
from troth.policy.check import check

ROOT = Path(__file__).parents[2]


@cache
def enforcers() -> Mapping[str, tuple[FunctionType, ...]]:
    """The functions that enforce each clause, by the clause's id; none for one that is only shown."""
    found: dict[str, dict[str, FunctionType]] = defaultdict(dict)
    for site in SITES:
        checked = check(ROOT / "sites" / site)
        named = promises_of(checked)
        for clause, ids in cited(checked).items():
            for function in (one for id_ in ids if id_ in named for one in of_kind(named[id_].kind)):
                found[clause][name_of(function)] = function
    return {clause: tuple(functions.values()) for clause, functions in found.items()}


@cache
def kinds() -> Mapping[str, frozenset[str]]:
    """The kinds of promise that each clause rests on."""
    found: dict[str, set[str]] = defaultdict(set)
    for site in SITES:
        checked = check(ROOT / "sites" / site)
        named = promises_of(checked)
        for clause, ids in cited(checked).items():
            found[clause] |= {named[id_].kind for id_ in ids if id_ in named}
    return {clause: frozenset(named) for clause, named in found.items()}


def clauses_of_kind(kind: str) -> frozenset[str]:
    """The clauses that rest on promises of ``kind`` and have to be true by now."""
    return frozenset(clause for clause, named in kinds().items() if kind in named) - set(later())


def of_kind(kind: str) -> list[FunctionType]:
    """What enforces one kind of promise, as functions whose code can be exchanged."""
    named = (getattr(one, "decide", one) if isinstance(one, type) else one for one in CATALOGUE[kind].enforced_by)
    return [function for function in map(plain, named) if function]
