"""``rights``: the rights that people can exercise, how, and how soon they get an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from troth.policy.jsonld import Node, node, ref, texts
from troth.policy.kind import NOTICE, ROOM, Claim, Entries, Kind, Telling, Weight, when
from troth.policy.law import complaint_to
from troth.policy.lint.consent import objection_to_marketing_with_limits
from troth.policy.lint.rights import rights_that_are_absent, rights_without_a_deadline
from troth.policy.model import Policy, Right
from troth.policy.promises import Promise, Source

_ANY_RIGHT = "dpv:DataSubjectRight"

RIGHTS: Mapping[str, str] = {
    "access": "eu-gdpr:A15",
    "copy": "eu-gdpr:A15",
    "correction": "eu-gdpr:A16",
    "erasure": "eu-gdpr:A17",
    "restriction": "eu-gdpr:A18",
    "portability": "eu-gdpr:A20",
    "objection": "eu-gdpr:A21",
    "stop marketing": "eu-gdpr:A21",
    "withdrawal": "eu-gdpr:A7-3",
    "review": "eu-gdpr:A22",
    "complaint": "eu-gdpr:A77",
    "complaint to us": _ANY_RIGHT,
}


def _makes(source: Source) -> Iterator[Promise]:
    for key, right in source.policy.rights.items():
        yield source.promise("right.offered", ("rights", key), right)


def _tell(t: Telling) -> Iterator[str]:
    it = t.it
    if it.right == "complaint":
        yield "complaint"
        return
    yield "unsaid" if not it.by else "account" if it.by == ("account",) else "offered"
    yield from when((it.answer_within, "answered"), (it.verify and it.by != ("account",), "+verified"))
    yield from when((it.limits, "+limits"), (it.against, "+against"))


def _authorities(t: Telling) -> Iterator[tuple[str, str, str, bool]]:
    """Where a complaint can be made: the operator's own authority first, and then the others."""
    own, others = complaint_to(t.policy) if t.it.right == "complaint" else (None, ())
    for entry in ([own] if own else []) + list(others):
        yield t.speaker.territory(entry.country), entry.name, entry.url, entry is own


def _nodes(policy: Policy) -> Iterator[Node]:
    european = "eu-gdpr" in policy.policy.law
    return (_node(policy, key, entry, european) for key, entry in policy.rights.items())


def _node(policy: Policy, key: str, entry: Right, european: bool) -> Node:
    kind = RIGHTS.get(entry.right, _ANY_RIGHT) if european else _ANY_RIGHT
    where = "#notice" if "web" in entry.by or not policy.operator.email else f"mailto:{policy.operator.email}"
    title = {"dct:title": texts(entry.label.root if entry.label else {"en": entry.right})}
    return node(kind, f"#rights.{key}", isExercisedAt=ref(where)) | title


def _process(policy: Policy, _purpose: str) -> Mapping[str, list[Any]]:
    return {"hasRight": ref(*(f"#rights.{name}" for name in policy.rights))}


KEYS: Mapping[str, Claim] = {
    "right": ROOM,
    "by": ROOM,
    "answer within": ROOM,
    "verify": ROOM,
    "label": NOTICE,
    "limits": ROOM,
    "against": ROOM,
}

KIND = Kind(
    id="right.offered",
    order=150,
    makes=_makes,
    tell=_tell,
    place=("choices", "rights"),
    lint=(rights_that_are_absent, rights_without_a_deadline, objection_to_marketing_with_limits),
    entries=Entries(
        "rights",
        Weight(
            protects=True, more=("limits",), less=("by", "against"), spans={"answer within": "more"}, wording=("label",)
        ),
        many=True,
        keys=KEYS,
    ),
    nodes=_nodes,
    process=_process,
    listing=_authorities,
)
