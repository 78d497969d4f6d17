"""The policy as JSON-LD in the Data Privacy Vocabulary, for other programs: https://w3id.org/dpv, version 2.3.

One ``dpv:Process`` for each purpose: who answers for it, whose data, which data and whether it must be given, on which ground,
to whom it goes, where and how long it is kept, which rights there are. Each kind of promise says what it adds; what the
vocabulary has no term for is left out, never bent to fit. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from troth.policy.jsonld import Node, node
from troth.policy.kinds import KINDS
from troth.policy.model import Policy

CONTEXT: Mapping[str, Any] = {
    "dpv": "https://w3id.org/dpv#",
    "pd": "https://w3id.org/dpv/pd#",
    "loc": "https://w3id.org/dpv/loc#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "dct": "http://purl.org/dc/terms/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def dpv(policy: Policy, base: str) -> Node:
    """``policy`` as one JSON-LD document; ``base`` is the address that its ids begin with, such as the notice's."""
    parts = [part for kind in KINDS.values() if kind.nodes for part in kind.nodes(policy)]
    processes = [_process(policy, key) for key in policy.purposes]
    return {"@context": {"@base": base, **CONTEXT}, "@graph": parts + processes}


def _process(policy: Policy, purpose: str) -> Node:
    found: dict[str, list[Any]] = defaultdict(list)
    for kind in KINDS.values():
        for name, part in (kind.process(policy, purpose) if kind.process else {}).items():
            found[name] += part
    return node("dpv:Process", f"#purposes.{purpose}", **found)
