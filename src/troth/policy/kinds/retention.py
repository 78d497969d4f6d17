"""``retention``: how long what is kept, from which event, and that it is destroyed then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from troth.policy import spans
from troth.policy.clocks import Clock, clocks, people_meant
from troth.policy.jsonld import duration, node
from troth.policy.kind import ROOM, Bar, Claim, Entries, Kind, Telling, Weight, when
from troth.policy.lint.clocks import (
    archive_that_erasure_does_not_know,
    clock_without_a_period,
    clocks_at_odds,
    data_that_no_clock_covers,
    logs_without_an_end,
)
from troth.policy.model import Policy, Purpose, RetentionClock
from troth.policy.promises import Promise, Source

if TYPE_CHECKING:
    from troth.policy.notice.language import Speaker


def _makes(source: Source) -> Iterator[Promise]:
    for key, clock in source.policy.retention.items():
        if clock.keep is not None or clock.until:
            yield source.promise("retention.clock", ("retention", key), clock)


def _tell(t: Telling) -> Iterator[str]:
    it, clock = t.it, clock_of(t.policy, t.key)
    t.values["what"] = what(t.speaker, it.what)
    t.values["keep"], t.values["after"] = clock.keep, spans.after_words(t.speaker, clock)
    yield "until" if it.until else "archived" if it.archive else "deleted"
    yield from when(
        (it.everywhere, "everywhere"),
    )
    yield from when((it.because, "+because"), (it.archive and it.for_, "+purposes"), (it.points, "+points"))
    yield from when((it.people and not any(people_meant(word) for word in it.what), "+people"))


def clock_of(policy: Policy, key: str) -> Clock:
    """The clock that the entry ``key`` makes."""
    return next(clock for clock in clocks(policy) if clock.id == key)


def what(speaker: Speaker, words: tuple[str, ...]) -> str:
    """What a clock rules, in words."""
    named = [_phrase(speaker, word) for word in words if word not in speaker.policy.data]
    data = [word for word in words if word in speaker.policy.data]
    return speaker.every(named + ([speaker.data(data)] if data else []))


def _phrase(speaker: Speaker, word: str) -> str:
    people = people_meant(word)
    if people is None:
        return speaker.label(word)
    return speaker.phrase("what", "everything about", people=speaker.people([people]))


def _bars(policy: Policy, speaker: Speaker) -> Iterator[Bar]:
    for key, entry in policy.retention.items():
        if entry.keep is not None or entry.until:
            clock = clock_of(policy, key)
            name = speaker.finish(what(speaker, entry.what))
            shown = speaker.page("timeline archive", what=name) if clock.archive else name
            yield Bar(shown, clock.keep, spans.start_words(speaker, clock), clock.archive)


def _about(clock: RetentionClock) -> set[str]:
    return {word.rsplit(" ", 1)[-1] for word in clock.what if word.startswith("everything about")}


def _concerns(policy: Policy, key: str) -> Iterable[str]:
    clock = policy.retention.get(key)
    return _about(clock) | ({clock.people} if clock.people else set()) if clock else ()


def _process(policy: Policy, key: str) -> Mapping[str, list[Any]]:
    """The clocks that run on the data of a purpose: how long, from which event, and that it is deleted then."""
    purpose = policy.purposes[key]
    people = purpose.people or tuple(policy.people)
    held = [name for name, clock in policy.retention.items() if _covers(clock, purpose, people)]
    made = [
        node(["dpv:StorageDuration", "dpv:StorageDeletion"], hasDuration=duration(clock.keep))
        | {"dct:description": [{"@value": f"from: {_from(clock)}", "@language": "en"}]}
        for clock in clocks(policy)
        if clock.id in held
    ]
    return {"hasStorageCondition": made}


def _from(clock: Clock) -> str:
    events = f" {'and' if clock.later else 'or'} ".join(clock.after)
    return events if clock.year is None else f"the end of the year ({clock.year}) of {events}"


def _covers(clock: RetentionClock, purpose: Purpose, people: tuple[str, ...]) -> bool:
    mine = not clock.people or clock.people in people
    return bool(_about(clock) & set(people)) or (mine and bool(set(clock.what) & set(purpose.uses)))


KEYS: Mapping[str, Claim] = {
    "what": clocks,
    "people": clocks,
    "points": clocks,
    "keep": clocks,
    "after": clocks,
    "whichever": clocks,
    "counted from": clocks,
    "until": clocks,
    "everywhere": clocks,
    "archive": clocks,
    "because": ROOM,
    "for": ROOM,
}

KIND = Kind(
    id="retention.clock",
    order=130,
    makes=_makes,
    tell=_tell,
    place=("how long", "clocks"),
    lint=(
        clock_without_a_period,
        data_that_no_clock_covers,
        clocks_at_odds,
        archive_that_erasure_does_not_know,
        logs_without_an_end,
    ),
    entries=Entries(
        "retention",
        Weight(
            significant=True,
            protects=True,
            judged=lambda entry: "more" if entry.get("archive") else None,
            more=("for",),
            yes={"everywhere": "less", "archive": "more"},
            spans={"keep": "more"},
            concerns=_concerns,
        ),
        many=True,
        keys=KEYS,
    ),
    bars=_bars,
    process=_process,
)
