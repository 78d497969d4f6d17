"""``cookies``: each cookie or tracker, what it holds and whether people are asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from troth.policy.kind import NOTICE, ROOM, STATEMENT, Claim, Entries, Kind, Telling, Weight, when
from troth.policy.kinds.visits import people_who_visit
from troth.policy.lint.clocks import cookie_that_outlives_the_visit_log
from troth.policy.lint.cookies import (
    cookie_half_disclosed,
    cookie_nobody_agreed_to,
    signal_not_covered,
    tracking_without_a_cookie,
)
from troth.policy.promises import Promise, Source
from troth.policy.rules import rules


def _makes(source: Source) -> Iterator[Promise]:
    for key, cookie in source.policy.cookies.items():
        yield source.promise("cookie.declared", ("cookies", key), cookie)


def _tell(t: Telling) -> Iterator[str]:
    it = t.it
    yield "essential" if it.essential else "consent" if it.consent else "never"
    yield from when((it.set_by != "itself", "+set_by"), (it.holds, "+holds"), (it.for_, "+purposes"))
    yield from when((it.life, "+life"), (it.pages, "+pages"))


KEYS: Mapping[str, Claim] = {
    "label": NOTICE,
    "set by": ROOM,
    "pages": STATEMENT,
    "holds": cookie_half_disclosed,
    "for": cookie_half_disclosed,
    "life": ROOM,
    "essential": rules,
    "consent": rules,
}

_WEIGHT = Weight(
    significant=True,
    judged=lambda entry: None if entry.get("essential") or entry.get("consent") else "less",
    more=("holds", "for"),
    yes={"essential": "more"},
    spans={"life": "more"},
    wording=("label",),
    concerns=people_who_visit,
)

KIND = Kind(
    id="cookie.declared",
    order=100,
    makes=_makes,
    tell=_tell,
    place=("what", "cookies"),
    lint=(
        cookie_nobody_agreed_to,
        cookie_half_disclosed,
        tracking_without_a_cookie,
        signal_not_covered,
        cookie_that_outlives_the_visit_log,
    ),
    entries=Entries("cookies", _WEIGHT, many=True, keys=KEYS),
)
