"""``legal``: grounds on which a person decides that data is disclosed, used or kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from troth.policy.kind import NOTICE, ROOM, STATEMENT, Claim, Entries, Kind, Place, Telling, Weight, when
from troth.policy.lint.wording import term_without_a_meaning
from troth.policy.promises import Promise, Source
from troth.policy.rules import rules

_TOPICS = {"keep": "how long", "read": "why", "suspend": "why"}


def _makes(source: Source) -> Iterator[Promise]:
    for key, ground in source.policy.legal.items():
        yield source.promise("legal.ground", ("legal", key), ground)


def _tell(t: Telling) -> Iterator[str]:
    named = [word for word in t.it.data if word != "everything"]
    t.values["what"] = t.speaker.data(named) if named else t.speaker.phrase("what", "everything")
    yield t.it.act
    yield from when((t.it.needs, "+decided"), (t.it.from_, "+rests_on"))


def _place(entry: Any) -> Place:
    return _TOPICS.get(entry.act, "with whom"), "cases"


KEYS: Mapping[str, Claim] = {
    "label": NOTICE,
    "needs": ROOM,
    "act": rules,
    "data": rules,
    "from": STATEMENT,
}

KIND = Kind(
    id="legal.ground",
    order=220,
    makes=_makes,
    tell=_tell,
    place=_place,
    lint=(term_without_a_meaning,),
    entries=Entries("legal", Weight(significant=True, wording=("label",)), many=True, keys=KEYS),
)
