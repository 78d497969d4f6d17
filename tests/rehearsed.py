"""Lives made by hand, for tests of what is shown of them: days, promises, and whatever a test says went wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import cycle

from tests.notices import compiled, notice_of
from troth.clock import DAY, utc
from troth.evidence.prove import Proven, Report
from troth.proof import Proof
from troth.rehearsal.events import Event
from troth.rehearsal.notes import Notes
from troth.rehearsal.report import Lived
from troth.rehearsal.reproduce import Fault, Way
from troth.rehearsal.result import DayCount, Kind, Outcome, Rehearsal, Violation
from troth.rehearsal.shrink import Shrunk
from troth.verdicts import Verdict

START = utc(2026, 3, 1)
DONE, REFUSED, NOBODY = Outcome("done"), Outcome("refused"), Outcome("passed over")


def day(number: int, held: dict[str, int], quarantined: int = 0, visits: int = 0, destroyed: int = 0) -> DayCount:
    return DayCount(number, START + (number + 1) * DAY, held, quarantined, visits, sum(held.values()), destroyed)


def year(points: Iterable[str], days: int = 400) -> tuple[DayCount, ...]:
    """What is held rises, comes to rest and falls, at each point to another height."""
    heights = {point: 40 + 90 * place for place, point in enumerate(points)}
    return tuple(
        day(
            number,
            {point: min(number * height // 60, height) for point, height in heights.items()},
            quarantined=max(0, number - 80) // 4 % 30,
            visits=min(number * 110, 3_300),
            destroyed=number % 11 if number > 60 else 0,
        )
        for number in range(days)
    )


def report(site: str, *broken: str) -> Report:
    """Every promise of ``site``: those ``broken``, and each verdict among the others."""
    words = {item.promise_id: item.sentence for item in notice_of(site).items}
    verdicts: cycle[Verdict] = cycle(("kept", "kept", "kept", "attested", "not proven"))
    at = START + 400 * DAY
    proven = []
    for promise, verdict in zip(compiled(site).promises, verdicts, strict=False):
        said: Verdict = "broken" if promise.id in broken else verdict
        proof = Proof(said, "query", "30 days", "oldest: 29 days 3 hours", "counted in the store")
        proven.append(Proven(promise, words.get(promise.id, promise.id), proof, at))
    return Report(site, at, compiled(site).version, tuple(proven))


def violation(kind: Kind, about: str, on: int = 63) -> Violation:
    return Violation(kind, on, START + on * DAY + timedelta(hours=9), about, "3 records are older than they may be.")


def life(site: str = "ledflex", *violations: Violation, days: tuple[DayCount, ...] | None = None) -> Lived:
    """A life of ``site`` with two amendments."""
    found = compiled(site)
    lived = year(found.policy.collection) if days is None else days
    rehearsal = Rehearsal(
        site=site,
        store="sqlite",
        seed=7,
        people=2_000,
        started=START,
        ended=START + len(lived) * DAY,
        events=201_344,
        happened={"visits": 152_000, "submissions": 3_204, "reads refused": 44},
        days=lived,
        report=report(site, *(one.about for one in violations if one.kind == "promise")),
        violations=violations,
        faults={"killed before": 40} if violations else {},
        seconds=81.4,
        spent={"acting": 50.2, "the worker": 21.2, "checking": 10.0},
    )
    notes = Notes()
    for number, on in enumerate((130, 260)):
        notes.happened(Event(number, on, 0.5, "amend", details={"visits.keep": "20 days"}), DONE)
    for one in lived:
        notes.day(one)
    return Lived(rehearsal, notes, found)


WAY = Way(
    Shrunk(
        (
            Event(3, 0, 0.4, "submit", 17, "open_account"),
            Event(9, 1, 0.25, "choose", 17, "@mailchimp", details={"state": "withdrawn"}),
            Event(40, 2, 0.5, "disclose", 17, "mailchimp", details={"purpose": "marketing"}),
        ),
        runs=31,
        minimal=True,
    ),
    days=3,
    replay="troth rehearse ledflex --events rehearsal-ledflex-7-1.jsonl --seed 7",
)


def with_ways(lived: Lived, *found: Fault) -> Lived:
    return replace(lived, ways=dict.fromkeys(found, WAY))
