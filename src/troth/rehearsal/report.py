"""From what was lived to the one document that programs, the page and the terminal show. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from troth.clock import iso
from troth.policy.compile import Compiled
from troth.rehearsal.compare import Comparison, Moved, compare
from troth.rehearsal.document import (
    DayRow,
    Document,
    DraftRow,
    EventRow,
    FlipRow,
    MovedRow,
    PromiseRow,
    Shortest,
    VerdictRow,
    ViolationRow,
)
from troth.rehearsal.notes import Notes
from troth.rehearsal.picture import Drawn, Mark, draw
from troth.rehearsal.reproduce import Fault, Way, fault_of, faults
from troth.rehearsal.result import Rehearsal
from troth.rehearsal.sentences import Names, answer, differences, event_line


@dataclass(frozen=True)
class Lived:
    """One life with what was noted of it, and its policy."""

    life: Rehearsal
    notes: Notes
    compiled: Compiled

    ways: Mapping[Fault, Way] = field(default_factory=dict)
    """the shortest ways to what went wrong, where one was found"""


def document(title: str, lived: Lived, replay: str, draft: Lived | None = None) -> Document:
    """The document of ``lived``; with ``draft``, also of what that would have done. ``replay`` is the command that was run."""
    life, names = lived.life, Names(lived.compiled.policy, draft.compiled.policy if draft else None)
    return Document(
        site=life.site,
        title=title,
        answer=answer(life),
        held=not life.violations and not (draft and draft.life.violations),
        store=life.store,
        seed=life.seed,
        days=len(life.days),
        people=life.people,
        events=life.events,
        started=iso(life.started),
        ended=iso(life.ended),
        replay=replay,
        policy_version=life.report.version,
        summary=life.report.summary,
        promises=_promises(life),
        happened=dict(life.happened),
        counts=[DayRow(**{**asdict(day), "at": iso(day.at)}) for day in life.days],
        amendments={one.day: list(one.changed) for one in lived.notes.amendments},
        violations=list(_violations(lived, names)),
        faults=dict(life.faults),
        seconds=round(life.seconds, 3),
        spent={part: round(seconds, 3) for part, seconds in life.spent.items()},
        draft=_draft(lived, draft, names) if draft else None,
    )


def _promises(life: Rehearsal) -> list[PromiseRow]:
    rows: Any = life.report.as_json()["promises"]
    return [PromiseRow(**row) for row in rows]


def _violations(lived: Lived, names: Names) -> Iterator[ViolationRow]:
    for fault, one in faults(lived.life.violations).items():
        way = lived.ways.get(fault)
        yield ViolationRow(
            kind=one.kind,
            about=one.about,
            day=one.day,
            at=iso(one.at),
            says=one.says,
            days=len({other.day for other in lived.life.violations if fault_of(other) == fault}),
            shortest=_shortest(way, names) if way else None,
        )


def _shortest(way: Way, names: Names) -> Shortest:
    return Shortest(
        events=[EventRow(**{**asdict(one), "says": event_line(one, names)}) for one in way.shrunk.events],
        days=way.days,
        minimal=way.shrunk.minimal,
        runs=way.shrunk.runs,
        replay=way.replay,
    )


def _draft(lived: Lived, draft: Lived, names: Names) -> DraftRow:
    found = compare(
        (lived.compiled.policy, draft.compiled.policy), (lived.life, draft.life), (lived.notes, draft.notes)
    )
    said = differences(found, draft.compiled, names)
    return DraftRow(
        answer=said.answer,
        versions=list(found.versions),
        same=found.same,
        says={topic: list(lines) for topic, lines in said.topics.items()},
        lines=dict(said.because),
        flips=list(_flips(found)),
        moved=[_moved(one) for one in found.moved],
        verdicts=[
            VerdictRow(id=one.promise, sentence=one.sentence, before=one.before, after=one.after)
            for one in found.verdicts
        ],
        new_points=list(found.new_points),
        gone_points=list(found.gone_points),
        most_visits=list(found.visits),
        held_at_end=[sum(day.held.values()) for day in found.last or ()],
        promises=_promises(draft.life),
        violations=list(_violations(draft, names)),
    )


def _moved(one: Moved) -> MovedRow:
    values = asdict(one)
    return MovedRow(records=values.pop("holdings"), **values)


def _flips(found: Comparison) -> Iterator[FlipRow]:
    for one in found.flips:
        act, what, rest = one.what
        given = {"act": act, "what": what, "for": rest, "before": one.before, "after": one.after}
        yield FlipRow.model_validate({**given, "count": one.count, "of": one.of, "because": list(one.because)})


def picture(lived: Lived, name: str = "year") -> Drawn | None:
    """The picture of the year, with its marks; ``name`` tells it apart from others on its page."""
    names = Names(lived.compiled.policy)
    labels = {point: names.point(point).strip("“”`") for day in lived.life.days[-1:] for point in day.held}
    return draw(lived.life.days, labels, list(_marks(lived)), name)


def _marks(lived: Lived) -> Iterator[Mark]:
    version = lived.life.report.version - len(lived.notes.amendments)
    for number, one in enumerate(lived.notes.amendments, start=1):
        yield Mark(one.day, "amendment", f"version {version + number}")
    for found in faults(lived.life.violations).values():
        yield Mark(found.day, "violation", f"day {found.day}")
