"""``relationship``: what begins and ends business with one kind of person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from troth.policy.kind import ROOM, Claim, Entries, Kind, Telling, Weight, when
from troth.policy.lint.clocks import relationship_that_never_ends
from troth.policy.promises import Promise, Source


def _makes(source: Source) -> Iterator[Promise]:
    for key, relationship in source.policy.relationship.items():
        yield source.promise("relationship.end", ("relationship", key), relationship)


def _tell(t: Telling) -> Iterator[str]:
    ends = t.values["ends"] = tuple(one for one in t.it.ends if one != "silence" or t.it.silence)
    if not ends:
        yield "never"
    else:
        yield from when((True, "ends"), (len(ends) > 1, "first"))
    yield from when((t.it.begins, "+begins"), ("silence" in ends and "log-in" in t.it.silence_counts, "+log_ins"))


KEYS: Mapping[str, Claim] = {
    "begins": ROOM,
    "ends": ROOM,
    "silence": ROOM,
    "silence counts": ROOM,
}

KIND = Kind(
    id="relationship.end",
    order=120,
    makes=_makes,
    tell=_tell,
    place=("how long", "clocks"),
    lint=(relationship_that_never_ends,),
    entries=Entries(
        "relationship",
        Weight(significant=True, spans={"silence": "more"}, concerns=lambda _policy, key: (key,)),
        many=True,
        keys=KEYS,
    ),
)
