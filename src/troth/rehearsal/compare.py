"""What a draft would have done with the same life: what goes earlier or stays longer, which decisions come out otherwise.

Two lives of the same events were noted, one under the published policy and one under the draft. What the two texts say
differently is no business of this module: ``policy.diff`` says that without living anything.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median_low
from typing import Literal

from troth.evidence.prove import Report
from troth.policy.model import Policy
from troth.rehearsal.events import Event
from troth.rehearsal.notes import GIVING, Came, Given, Notes, Result, What, minute
from troth.rehearsal.result import DayCount, Outcome, Rehearsal

Because = tuple[str, ...]
_DAY = 24 * 60
Direction = Literal["earlier", "later"]
Pair = tuple[Notes, Notes]
_DIRECTIONS: tuple[tuple[Direction, int], ...] = (("earlier", -1), ("later", 1))
_RESULTS: tuple[Result, ...] = ("done", "refused", "passed over")


@dataclass(frozen=True, slots=True)
class Flip:
    """Decisions that come out otherwise: ``count`` of the ``of`` times that ``what`` was tried.

    ``because`` holds the lines that decide, ids of the draft's promises where the draft refuses or allows; none when no
    line speaks.
    """

    what: What
    before: Result
    after: Result
    because: Because
    count: int
    of: int


@dataclass(frozen=True, slots=True)
class Moved:
    """Holdings of one collection point of which ``fields`` go at another time: ``holdings`` of ``of`` that both lives took in.

    ``least``, ``middle`` and ``most`` are days. Of ``still`` of them the later end lies after the rehearsal's last day, so
    that their days are the least there can be.
    """

    point: str
    fields: tuple[str, ...]
    direction: Direction
    holdings: int
    of: int
    least: float
    middle: float
    most: float
    still: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """A promise that is proven otherwise; ``before`` is blank when only the draft makes it."""

    promise: str
    sentence: str
    before: str
    after: str


@dataclass(frozen=True)
class Comparison:
    """All that was different. ``points`` are collection points: those that only the draft has, and those it has no more."""

    versions: tuple[int, int]
    flips: tuple[Flip, ...]
    moved: tuple[Moved, ...]
    verdicts: tuple[Verdict, ...]
    new_points: tuple[str, ...]
    gone_points: tuple[str, ...]
    visits: tuple[int, int]
    """most visits that were there at the end of a day"""
    last: tuple[DayCount, DayCount] | None

    @property
    def same(self) -> bool:
        """Whether nothing that was noted came out otherwise."""
        found = (self.flips, self.moved, self.verdicts, self.new_points, self.gone_points)
        return not any(found) and self.visits[0] == self.visits[1]


@dataclass(frozen=True, slots=True)
class _Shift:
    days: float
    still: bool
    fields: frozenset[str]


def compare(policies: tuple[Policy, Policy], lives: tuple[Rehearsal, Rehearsal], notes: Pair) -> Comparison:
    """What differs between the life under the published policy, which comes first, and that under the draft."""
    published, draft = policies
    return Comparison(
        versions=(published.policy.version, draft.policy.version),
        flips=tuple(_cited(one, draft) for one in _flips(*notes)),
        moved=tuple(_moved(policies, lives, notes)),
        verdicts=tuple(_verdicts(lives[0].report, lives[1].report)),
        new_points=tuple(key for key in draft.collection if key not in published.collection),
        gone_points=tuple(key for key in published.collection if key not in draft.collection),
        visits=(_most_visits(notes[0]), _most_visits(notes[1])),
        last=(notes[0].days[-1], notes[1].days[-1]) if notes[0].days and notes[1].days else None,
    )


def _most_visits(notes: Notes) -> int:
    return max((day.visits for day in notes.days), default=0)


# --- the same events -------------------------------------------------------------------------------------------------


def comparable(events: Iterable[Event]) -> Iterator[Event]:
    """``events`` as two policies can both live them, each with the same effect.

    Without amendments, since those would set in both what only one of them says; and reading one person instead of a list,
    since who stands on a list depends on who is still there.
    """
    came: dict[int, None] = {}
    for event in events:
        if event.act in GIVING and event.who is not None:
            came[event.who] = None
        if event.act == "read" and event.who is None:
            people = list(came)
            if people:
                yield replace(event, who=people[event.number * 7_919 % len(people)], count=1)
        elif event.act != "amend":
            yield event


def possible(events: Iterable[Event], draft: Policy, notes: Notes) -> Iterator[Event]:
    """Those of ``events`` that can happen under ``draft``; of the others ``notes`` hear what came of them.

    What is gone from the draft nobody can fill in or choose about any more; what would follow from it does not happen.
    """
    scopes = {*draft.purposes, *(f"@{key}" for key in draft.recipients)}
    for event in events:
        at_a_point = event.act in {*GIVING, "hostile"} or (event.act == "close" and event.what)
        if (at_a_point and event.what not in draft.collection) or (event.act == "choose" and event.what not in scopes):
            notes.happened(event, Outcome("refused" if event.act in {*GIVING, "choose"} else "passed over"))
        else:
            yield event


# --- decisions -------------------------------------------------------------------------------------------------------


def _flips(published: Notes, draft: Notes) -> Iterator[Flip]:
    """The most frequent first."""
    after = {number: came for number, _, came in draft.came}
    counts: Counter[tuple[What, Result, Result, Because]] = Counter()
    tried: Counter[What] = Counter()
    for number, what, before in published.came:
        tried[what] += sum(count for _, _, count in before)
        for was, will, because, count in _turned(before, after.get(number, ())):
            counts[what, was, will, because] += count
    for (what, was, will, because), count in counts.most_common():
        yield Flip(what, was, will, because, count, tried[what])


def _cited(one: Flip, draft: Policy) -> Flip:
    """``one`` with the entry that allows it, since what is done says no line."""
    act, about, _ = one.what
    section = {"read": "purposes", "disclose": "recipients"}.get(act, "")
    known = about in (draft.purposes if act == "read" else draft.recipients)
    return replace(one, because=(f"{section}.{about}",)) if section and known and one.after == "done" else one


def _turned(before: Came, after: Came) -> Iterator[tuple[Result, Result, Because, int]]:
    """From what there was less of afterwards to what there was more of, with the lines that decide afterwards."""
    change = {result: _number(after, result) - _number(before, result) for result in _RESULTS}
    for was in _RESULTS:
        for will in _RESULTS:
            count = min(-change[was], change[will])
            if count > 0:
                change[was] += count
                change[will] -= count
                yield was, will, _because(after, will), count


def _number(came: Came, result: Result) -> int:
    return sum(count for one, _, count in came if one == result)


def _because(came: Came, result: Result) -> Because:
    """The lines named most often for ``result``."""
    lines = {because: count for one, because, count in came if one == result}
    return max(lines, key=lambda because: (lines[because], because), default=())


# --- what goes when --------------------------------------------------------------------------------------------------


def _moved(policies: tuple[Policy, Policy], lives: tuple[Rehearsal, Rehearsal], notes: Pair) -> Iterator[Moved]:
    """The points with most first. Only of those who gave as often in both lives: what was not taken in does not go, either."""
    published, draft = notes
    taken = {key: number for key, number in published.given.items() if draft.given.get(key) == number}
    by_point = Counter[str]()
    for (point, _), number in taken.items():
        by_point[point] += number
    shifts: defaultdict[tuple[str, Direction], list[_Shift]] = defaultdict(list)
    before, after = _ends(published, lives[0].started), _ends(draft, lives[1].started)
    lasted = (lives[0].ended - lives[0].started) // timedelta(minutes=1)
    for given in before.keys() | after.keys():
        asked = _asked(policies[0], given[0]) & _asked(policies[1], given[0])
        if (given[0], given[1]) in taken:
            for direction, shift in _shifts(before.get(given, {}), after.get(given, {}), asked, lasted):
                shifts[given[0], direction].append(shift)
    for (point, direction), found in sorted(shifts.items(), key=lambda one: (-len(one[1]), one[0])):
        yield _summed(point, direction, found, by_point[point])


def _ends(notes: Notes, started: datetime) -> dict[Given, dict[str, int]]:
    """By what was given, the minute of the life in which each field of it went."""
    first, found = minute(started), dict[Given, dict[str, int]]()
    for (point, who, given), fields, at in notes.gone:
        found.setdefault((point, who, given - first), {}).update(dict.fromkeys(fields, at - first))
    return found


def _asked(policy: Policy, point: str) -> frozenset[str]:
    entry = policy.collection.get(point)
    return frozenset(entry.required + entry.optional) if entry else frozenset()


def _shifts(
    before: Mapping[str, int], after: Mapping[str, int], asked: frozenset[str], lasted: int
) -> Iterator[tuple[Direction, _Shift]]:
    """How much earlier or later some of one holding went; what is still there counts as going when the life ends."""
    spans = {key: after.get(key, lasted) - before.get(key, lasted) for key in (before.keys() | after.keys()) & asked}
    for direction, sign in _DIRECTIONS:
        moved = {key: sign * span for key, span in spans.items() if sign * span >= _DAY}
        if moved:
            still = any(key not in before or key not in after for key in moved)
            yield direction, _Shift(max(moved.values()) / _DAY, still, frozenset(moved))


def _summed(point: str, direction: Direction, found: list[_Shift], of: int) -> Moved:
    days = sorted(shift.days for shift in found)
    fields = sorted(frozenset[str]().union(*(shift.fields for shift in found)))
    still = sum(shift.still for shift in found)
    return Moved(point, tuple(fields), direction, len(found), of, days[0], median_low(days), days[-1], still)


# --- promises --------------------------------------------------------------------------------------------------------


def _verdicts(published: Report, draft: Report) -> Iterator[Verdict]:
    """Promises that both make and that are proven otherwise, and new ones that are not simply kept."""
    before = {one.promise.id: one.proof.verdict for one in published.proven}
    for one in draft.proven:
        was, verdict = before.get(one.promise.id, ""), one.proof.verdict
        if was != verdict and (was or verdict != "kept"):
            yield Verdict(one.promise.id, one.sentence, was, verdict)
