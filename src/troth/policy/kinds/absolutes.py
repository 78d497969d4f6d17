"""``absolutes``: sentences with *never* or *only*."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from troth.policy.kind import NOTICE, Claim, Entries, Kind, Place, Telling, Weight, when
from troth.policy.lint.contradictions import contradicted
from troth.policy.promises import Promise, Source
from troth.policy.rules import rules

_TOPICS = {"sell": "with whom", "disclose": "with whom", "read": "why", "collect": "what", "store": "what"}


def _makes(source: Source) -> Iterator[Promise]:
    for key, absolute in source.policy.absolutes.items():
        yield source.promise("absolute.never" if absolute.never else "absolute.only", ("absolutes", key), absolute)


def _never(t: Telling) -> Iterator[str]:
    yield from when((True, "never"), (t.it.unless, "+unless"))


def _only(t: Telling) -> Iterator[str]:
    yield from when((True, "only"), (t.it.unless, "+unless"))


def _place(entry: Any) -> Place:
    return _TOPICS[entry.never or entry.only], "limits"


KEYS: Mapping[str, Claim] = {
    "never": rules,
    "only": rules,
    "what": rules,
    "to": rules,
    "in": rules,
    "for": rules,
    "unless": rules,
    "label": NOTICE,
}

KINDS = (
    Kind(
        id="absolute.never",
        order=90,
        makes=_makes,
        tell=_never,
        place=_place,
        lint=(contradicted,),
        entries=Entries(
            "absolutes",
            Weight(
                protects=True,
                more=("for", "to", "in", "unless"),
                less=("what",),
                narrows=(("for", "to"), lambda entry: bool(entry.get("never"))),
                wording=("label",),
            ),
            many=True,
            keys=KEYS,
        ),
    ),
    Kind(id="absolute.only", order=91, tell=_only, place=_place, lint=(contradicted,)),
)
