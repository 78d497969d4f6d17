"""``visits``: what is recorded when somebody looks at a page, and when it is gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from troth.policy.kind import ROOM, Bar, Claim, Entries, Kind, Telling, Weight, always, when
from troth.policy.lint.clocks import log_that_outlives_the_person, visits_without_an_end
from troth.policy.lint.collection import visits_called_anonymous
from troth.policy.lint.wording import list_left_open
from troth.policy.model import Policy
from troth.policy.promises import Promise, Source
from troth.policy.rules import rules

if TYPE_CHECKING:
    from troth.policy.notice.language import Speaker


def _records(source: Source) -> Iterator[Promise]:
    if source.policy.visits is not None:
        yield source.promise("visit.records", ("visits",), source.policy.visits, "records")


def _expiry(source: Source) -> Iterator[Promise]:
    visits = source.policy.visits
    if visits is not None and visits.keep is not None:
        yield source.promise("visit.expiry", ("visits", "keep"), visits)


def _tell(t: Telling) -> Iterator[str]:
    it = t.it
    if not it.recording or it.keep is None:
        yield "nothing"
        return
    t.values["records"] = ("time", *(field for field in it.records if field != "time"))
    yield from when((True, "records"), (it.truncate_ip, "truncated"))
    yield "+purposes" if it.for_ else "+unused"


def people_who_visit(policy: Policy, _key: str) -> Iterable[str]:
    """The kinds of people whose visits are recorded."""
    return {point.people for point in policy.collection.values() if point.kind == "visit"}


def _bars(policy: Policy, speaker: Speaker) -> Iterator[Bar]:
    visits = policy.visits
    if visits and visits.keep and visits.recording:
        yield Bar(speaker.page("timeline visits"), visits.keep, speaker.phrase("starts", "visit"))


KEYS: Mapping[str, Claim] = {
    "records": rules,
    "for": rules,
    "keep": ROOM,
    "recording": rules,
    "claimed anonymous": visits_called_anonymous,
    "truncate ip": ROOM,
    "open ended": list_left_open,
}

_WEIGHT = Weight(
    significant=True,
    judged=lambda entry: "less" if entry.get("recording") is False else None,
    more=("records", "for"),
    yes={"recording": "more", "truncate ip": "less"},
    spans={"keep": "more"},
    concerns=people_who_visit,
)

KINDS = (
    Kind(
        id="visit.records",
        order=110,
        makes=_records,
        tell=_tell,
        place=("what", "visits"),
        lint=(visits_called_anonymous, list_left_open),
        entries=Entries("visits", _WEIGHT, keys=KEYS),
    ),
    Kind(
        id="visit.expiry",
        order=111,
        makes=_expiry,
        tell=always("gone"),
        place=("how long", "clocks"),
        lint=(visits_without_an_end, log_that_outlives_the_person),
        bars=_bars,
    ),
)
