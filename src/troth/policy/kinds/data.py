"""``data``: the fields that may be held, that they are sealed, and those that no store may ever hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from troth.policy.jsonld import Node, node, ref, texts
from troth.policy.kind import NOTICE, ROOM, Claim, Entries, Kind, Telling, Weight, always, when
from troth.policy.lint.collection import data_no_purpose_uses, identifier_called_anonymous
from troth.policy.lint.contradictions import contradicted
from troth.policy.lint.wording import list_left_open
from troth.policy.model import CollectionPoint, Policy
from troth.policy.promises import Promise, Source
from troth.policy.rules import rules


def _sealed(source: Source) -> Iterator[Promise]:
    yield source.promise("data.sealed", ("data",), None)


def _never_stored(source: Source) -> Iterator[Promise]:
    for key, data in source.policy.data.items():
        if data.protect == "never stored":
            yield source.promise("data.never_stored", ("data", key), data)


def _tell(t: Telling) -> Iterator[str]:
    yield "sealed"
    t.values["plain"] = [key for key, data in t.policy.data.items() if data.protect == "plain"]
    yield from when((t.values["plain"], "+plain"))


def _concerns(policy: Policy, key: str) -> Iterable[str]:
    return {point.people for point in policy.collection.values() if key in (*point.required, *point.optional)}


def _process(policy: Policy, purpose: str) -> Mapping[str, list[Any]]:
    """The data of a purpose. A node of its own for each: whether it must be given differs from purpose to purpose."""
    points = [point for point in policy.collection.values() if purpose in point.for_ or purpose in point.offers]
    used = policy.purposes[purpose].uses
    return {"hasPersonalData": [_used(policy, purpose, name, points) for name in used if name in policy.data]}


def _used(policy: Policy, purpose: str, name: str, points: Iterable[CollectionPoint]) -> Node:
    entry = policy.data[name]
    kinds = [entry.category, *(["dpv:SpecialCategoryPersonalData"] if entry.special else [])]
    label = {"dct:title": texts(entry.label.root)} if entry.label else {}
    asked = [point for point in points if name in (*point.required, *point.optional)]
    return node(kinds[0] if len(kinds) == 1 else kinds, data_id(purpose, name), **_asked(name, asked)) | label


def _asked(name: str, points: list[CollectionPoint]) -> dict[str, list[Node]]:
    """Whether it must be given, and by whom; nothing where no form of this purpose asks for it."""
    if not points:
        return {}
    needed = any(name in point.required for point in points)
    others = all(point.kind == "import" for point in points)
    return {
        "hasNecessity": ref("dpv:Required" if needed else "dpv:Optional"),
        "hasDataSource": ref("dpv:ThirdParty" if others else "dpv:DataSubject"),
    }


def data_id(purpose: str, name: str) -> str:
    """The id of the node of one field as one purpose uses it."""
    return f"#purposes.{purpose}.data.{name}"


KEYS: Mapping[str, Claim] = {
    "category": ROOM,
    "label": NOTICE,
    "protect": rules,
    "identifies": ROOM,
    "special": rules,
    "claimed anonymous": identifier_called_anonymous,
    "open ended": list_left_open,
}

_WEIGHT = Weight(
    significant=True,
    judged=lambda entry: "less" if entry.get("protect") == "never stored" else None,
    scales={"protect": (("never stored", "sealed", "plain"), "sealed")},
    wording=("label",),
    concerns=_concerns,
)

KINDS = (
    Kind(
        id="data.sealed",
        order=40,
        makes=_sealed,
        tell=_tell,
        place=("security", "here"),
        lint=(identifier_called_anonymous, data_no_purpose_uses),
        entries=Entries("data", _WEIGHT, many=True, keys=KEYS),
        of_section=True,
        process=_process,
    ),
    Kind(
        id="data.never_stored",
        order=41,
        makes=_never_stored,
        tell=always("never"),
        place=("what", "limits"),
        lint=(contradicted,),
    ),
)
