"""``changes``: how people learn of a new version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from troth.policy.kind import ROOM, STATEMENT, WEIGHT, Claim, Entries, Kind, Telling, Weight, when
from troth.policy.lint.notice import changes_nobody_hears_of
from troth.policy.promises import Promise, Source


def _makes(source: Source) -> Iterator[Promise]:
    if source.policy.changes is not None:
        yield source.promise("change.notice", ("changes",), source.policy.changes)


def _tell(t: Telling) -> Iterator[str]:
    it = t.it
    yield "told" if it.told_by else "untold"
    yield from when((it.lead_time, "lead"), (it.posted_before and not it.lead_time, "before"))
    yield from when((it.remind_every, "+remind"), (it.significant_means, "+significant"))
    yield from when((it.check_back, "+check_back"), (it.disagree, "+disagree"))


KEYS: Mapping[str, Claim] = {
    "told by": ROOM,
    "lead time": ROOM,
    "posted before": ROOM,
    "remind every": ROOM,
    "significant means": WEIGHT,
    "check back": STATEMENT,
    "disagree": ROOM,
}

KIND = Kind(
    id="change.notice",
    order=200,
    makes=_makes,
    tell=_tell,
    place=("changes", "here"),
    lint=(changes_nobody_hears_of,),
    entries=Entries(
        "changes",
        Weight(protects=True, yes={"posted before": "less"}, spans={"lead time": "less", "remind every": "more"}),
        keys=KEYS,
    ),
)
