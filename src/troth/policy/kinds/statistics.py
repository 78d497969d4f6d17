"""``statistics``: figures that single nobody out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from troth.policy.kind import NOTICE, Claim, Entries, Kind, Telling, Weight, when
from troth.policy.lint.collection import statistics_of_one
from troth.policy.lint.loose_ends import statistic_for_nobody, statistic_of_nothing
from troth.policy.promises import Promise, Source
from troth.policy.rules import rules


def _makes(source: Source) -> Iterator[Promise]:
    for key, statistic in source.policy.statistics.items():
        yield source.promise("statistic.aggregate", ("statistics", key), statistic)


def _tell(t: Telling) -> Iterator[str]:
    if t.it.minimum_cell is None:
        yield "unsized"
        return
    yield "counted" if t.it.by else "total"
    yield from when((t.it.shared_with, "+shared"), (t.it.for_, "+purposes"))


KEYS: Mapping[str, Claim] = {
    "label": NOTICE,
    "by": rules,
    "minimum cell": rules,
    "from": statistic_of_nothing,
    "for": statistic_for_nobody,
    "shared with": statistic_for_nobody,
}

KIND = Kind(
    id="statistic.aggregate",
    order=180,
    makes=_makes,
    tell=_tell,
    place=("why", "statistics"),
    lint=(statistics_of_one, statistic_of_nothing, statistic_for_nobody),
    entries=Entries("statistics", Weight(more=("for", "shared with"), wording=("label",)), many=True, keys=KEYS),
)
