"""``people``: the kinds of people whom data is about, and how young they may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from troth.policy.jsonld import Node, ref, texts
from troth.policy.kind import NOTICE, ROOM, Claim, Entries, Kind, Weight, always
from troth.policy.lint.children import age_below_the_laws, age_that_nobody_asks, nothing_about_children
from troth.policy.model import Policy
from troth.policy.promises import Promise, Source


def _makes(source: Source) -> Iterator[Promise]:
    for key, people in source.policy.people.items():
        if people.minimum_age is not None:
            yield source.promise("people.age", ("people", key), people)


def _subjects(policy: Policy) -> Iterator[Node]:
    for key, entry in policy.people.items():
        yield {"@id": f"#people.{key}", "@type": "dpv:DataSubject", "dct:title": texts(entry.label.root)}


def _process(policy: Policy, purpose: str) -> Mapping[str, list[Any]]:
    people = policy.purposes[purpose].people or tuple(policy.people)
    return {"hasDataSubject": ref(*(f"#people.{kind}" for kind in people))}


KEYS: Mapping[str, Claim] = {
    "label": NOTICE,
    "minimum age": ROOM,
}

KIND = Kind(
    id="people.age",
    order=30,
    makes=_makes,
    tell=always("refused"),
    place=("what", "limits"),
    lint=(nothing_about_children, age_that_nobody_asks, age_below_the_laws),
    entries=Entries(
        "people",
        Weight(less=("minimum age",), wording=("label",), concerns=lambda _policy, key: (key,)),
        many=True,
        keys=KEYS,
    ),
    nodes=_subjects,
    process=_process,
)
