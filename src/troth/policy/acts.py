"""The acts that the policy is asked about, and which of them each verb of a prohibition means. Pure.

This is the one place that says so. The rules of ``absolutes``, of measures, of stops and of special categories take their acts
from it, and so do the proofs. An act that is missing here is one that no *never* and no *only* would reach, so a test compares
the table with every act that the rules permit and that the code asks about, and tries each prohibition against each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Verb = Literal["sell", "disclose", "store", "read", "collect"]

READ_VISITS = "read_visits"
LEGAL = "legal:"
"""before a ground: the purpose of what is done in a legal case, and the fact that all which it needs is on record"""
STATISTICS = "statistics:"
"""before a statistic: the purpose of counting for it"""
CORRECTS = "corrects"


@dataclass(frozen=True, slots=True)
class Act:
    """One act: the verbs that mean it, what a question about it names as its purpose, and whether it is about one person.

    Questions about an act of ``nobody`` name no kind of people: one of visits, of counts or of a cookie.
    """

    verbs: frozenset[Verb]
    named_by: Literal["purposes", "collection", "visits", "cookies"] = "purposes"
    nobody: bool = False


def _verbs(*verbs: Verb) -> frozenset[Verb]:
    return frozenset(verbs)


ACTS: Mapping[str, Act] = {
    "collect": Act(_verbs("collect", "store"), "collection"),
    "record": Act(_verbs("collect", "store"), "visits", nobody=True),
    # what a cookie holds lies with the visitor: it is not stored
    "cookie": Act(_verbs("collect"), "cookies", nobody=True),
    "store": Act(_verbs("store")),
    "keep": Act(_verbs()),  # a hold keeps longer what is stored already; it takes in nothing
    "read": Act(_verbs("read")),
    READ_VISITS: Act(_verbs("read"), nobody=True),
    "count": Act(_verbs("read"), nobody=True),
    # a message is written with the data of the person who gets it; nobody else is given any
    "send": Act(_verbs("read")),
    "disclose": Act(_verbs("disclose", "sell")),
    "transfer controller": Act(_verbs("disclose")),
    "suspend": Act(_verbs()),  # closes an account; no data is read, taken in or given
}
"""Every act."""
NEVER_ASKED = frozenset({"keep", "suspend", "transfer controller"})
"""acts of ``legal`` that no question names: who does them looks at the ground itself"""


def meant_by(verb: Verb) -> frozenset[str]:
    """The acts that ``verb`` means."""
    return frozenset(name for name, act in ACTS.items() if verb in act.verbs)


READS = meant_by("read")
USES = READS | {"disclose"}
"""what is done with data that is here"""
STORES = meant_by("store")
OPENS = frozenset({"read", READ_VISITS})
"""what shows data to whoever asks"""
