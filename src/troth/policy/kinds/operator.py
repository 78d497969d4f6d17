"""``operator``: who answers for the data, and where people can write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from troth.policy.clocks import clocks
from troth.policy.jsonld import Node, node, ref
from troth.policy.kind import NOTICE, ROOM, Claim, Entries, Kind, Telling, Weight, when
from troth.policy.lint.notice import operator_out_of_reach, representative_missing
from troth.policy.model import Policy
from troth.policy.promises import Promise, Source


def _makes(source: Source) -> Iterator[Promise]:
    yield source.promise("operator.contact", ("operator",), source.policy.operator)


def _tell(t: Telling) -> Iterator[str]:
    yield {(True, True): "both", (True, False): "email", (False, True): "address"}.get(
        (bool(t.it.email), bool(t.it.address)), "nowhere"
    )
    yield from when((t.it.country, "+country"), (t.it.also_named, "+also_named"))
    yield from when((t.it.representative, "+representative"))


def _controller(policy: Policy) -> Iterator[Node]:
    operator = policy.operator
    place = ref(f"loc:{operator.country}") if operator.country else []
    contact = f"mailto:{operator.email}" if operator.email else ""
    named = node(
        "dpv:DataController", "#operator", hasName=operator.name, hasAddress=operator.address, hasLocation=place
    )
    yield {**named, **({"dpv:hasContact": contact} if contact else {})}


KEYS: Mapping[str, Claim] = {
    "name": NOTICE,
    "also named": operator_out_of_reach,
    "country": ROOM,
    "financial year ends": clocks,
    "time zone": clocks,
    "email": ROOM,
    "roles": NOTICE,
    "address": NOTICE,
    "authority": NOTICE,
    "representative": representative_missing,
}

KIND = Kind(
    id="operator.contact",
    order=20,
    makes=_makes,
    tell=_tell,
    place=("contact", "here"),
    lint=(operator_out_of_reach, representative_missing),
    entries=Entries("operator", Weight(), keys=KEYS),
    nodes=_controller,
)
