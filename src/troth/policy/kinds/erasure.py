"""``erasure``: how deletion works."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from troth.policy.kind import ROOM, Bar, Claim, Entries, Kind, Telling, Weight, when
from troth.policy.lint.clocks import archive_that_erasure_does_not_know, erasure_without_a_deadline
from troth.policy.model import Policy
from troth.policy.promises import Promise, Source

if TYPE_CHECKING:
    from troth.policy.notice.language import Speaker


def _makes(source: Source) -> Iterator[Promise]:
    if source.policy.erasure is not None:
        yield source.promise("erasure.path", ("erasure",), source.policy.erasure)


def _tell(t: Telling) -> Iterator[str]:
    yield "path" if t.it.destroy_within else "undated"
    yield from when((t.it.everywhere, "everywhere"), (t.it.may_keep, "+may_keep"))


def _bars(policy: Policy, speaker: Speaker) -> Iterator[Bar]:
    if policy.erasure and policy.erasure.destroy_within:
        after = speaker.phrase("starts", "erasure")
        yield Bar(speaker.page("timeline erasure"), policy.erasure.destroy_within, after)


KEYS: Mapping[str, Claim] = {
    "destroy within": ROOM,
    "may keep": ROOM,
    "everywhere": ROOM,
}

KIND = Kind(
    id="erasure.path",
    order=140,
    makes=_makes,
    tell=_tell,
    place=("how long", "deletion"),
    lint=(erasure_without_a_deadline, archive_that_erasure_does_not_know),
    entries=Entries(
        "erasure",
        Weight(
            significant=True,
            protects=True,
            more=("may keep",),
            yes={"everywhere": "less"},
            spans={"destroy within": "more"},
        ),
        keys=KEYS,
    ),
    bars=_bars,
)
