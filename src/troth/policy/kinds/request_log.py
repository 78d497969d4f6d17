"""``request log``: what is kept about a person who uses a right, and for how long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from troth.policy.kind import ROOM, Bar, Claim, Entries, Kind, Telling, Weight, when
from troth.policy.lint.clocks import logs_without_an_end
from troth.policy.model import Policy
from troth.policy.promises import Promise, Source

if TYPE_CHECKING:
    from troth.policy.notice.language import Speaker


def _makes(source: Source) -> Iterator[Promise]:
    if source.policy.request_log is not None:
        yield source.promise("request.log", ("request log",), source.policy.request_log)


def _tell(t: Telling) -> Iterator[str]:
    yield "kept" if t.it.keep else "undated"
    yield from when((t.it.link_life, "+link_life"))


def _bars(policy: Policy, speaker: Speaker) -> Iterator[Bar]:
    if policy.request_log and policy.request_log.keep:
        yield Bar(speaker.page("timeline requests"), policy.request_log.keep, speaker.phrase("starts", "request"))


KEYS: Mapping[str, Claim] = {
    "records": ROOM,
    "keep": ROOM,
    "link life": ROOM,
}

KIND = Kind(
    id="request.log",
    order=160,
    makes=_makes,
    tell=_tell,
    place=("how long", "clocks"),
    lint=(logs_without_an_end,),
    entries=Entries("request log", Weight(significant=True, more=("records",), spans={"keep": "more"}), keys=KEYS),
    bars=_bars,
)
