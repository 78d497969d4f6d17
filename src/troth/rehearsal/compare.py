"""What a draft would have done with the same life: what goes earlier or stays longer, which decisions come out otherwise.

Two lives of the same events were noted, one under the published policy and one under the draft. What the two texts say
differently is no business of this module: ``policy.diff`` says that without living anything.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median_low
from typing import Literal

from troth.evidence.prove import Report
from troth.policy.model import Policy
from troth.rehearsal.notes import Came, Notes, Result, What, minute
from troth.rehearsal.result import DayCount, Rehearsal

Because = tuple[str, ...]
_DAY = 24 * 60
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
    """Holdings of one collection point that go at another time: ``holdings`` of ``of`` that both lives took in.

    ``least``, ``middle`` and ``most`` are days. Of ``still`` of them the later end lies after the rehearsal's last day, so
    that their days are the least there can be.
    """

    point: str
    direction: Literal["earlier", "later"]
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


def compare(
    policies: tuple[Policy, Policy], lives: tuple[Rehearsal, Rehearsal], notes: tuple[Notes, Notes]
) -> Comparison:
    """What differs between the life under the published policy, which comes first, and that under the draft."""
    published, draft = policies
    return Comparison(
        versions=(published.policy.version, draft.policy.version),
        flips=tuple(_flips(*notes)),
        moved=tuple(_moved(*notes, lives[0].ended)),
        verdicts=tuple(_verdicts(lives[0].report, lives[1].report)),
        new_points=tuple(key for key in draft.collection if key not in published.collection),
        gone_points=tuple(key for key in published.collection if key not in draft.collection),
        visits=(_most_visits(notes[0]), _most_visits(notes[1])),
        last=(notes[0].days[-1], notes[1].days[-1]) if notes[0].days and notes[1].days else None,
    )


def _most_visits(notes: Notes) -> int:
    return max((day.visits for day in notes.days), default=0)


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


def _moved(published: Notes, draft: Notes, ended: datetime) -> Iterator[Moved]:
    taken = {key: number for key, number in published.given.items() if draft.given.get(key) == number}
    by_point = Counter[str]()
    for (point, _), number in taken.items():
        by_point[point] += number
    shifts = _shifts(published.gone, draft.gone, taken, minute(ended))
    for point in sorted(shifts, key=lambda point: -len(shifts[point])):
        for direction, sign in (("earlier", -1), ("later", 1)):
            days = sorted((sign * shift / _DAY, still) for shift, still in shifts[point] if sign * shift >= _DAY)
            if days:
                yield _summed(point, "earlier" if direction == "earlier" else "later", days, by_point[point])


def _summed(point: str, direction: Literal["earlier", "later"], days: list[tuple[float, bool]], of: int) -> Moved:
    spans = [span for span, _ in days]
    still = sum(still for _, still in days)
    return Moved(point, direction, len(days), of, spans[0], median_low(spans), spans[-1], still)


def _shifts(
    before: Mapping[tuple[str, int, int], int],
    after: Mapping[tuple[str, int, int], int],
    taken: Mapping[tuple[str, int], int],
    ended: int,
) -> Mapping[str, list[tuple[int, bool]]]:
    """By collection point, how many minutes later each holding went, and whether one of the two is still there.

    Only holdings of those who gave as much in both lives count: what a draft never took in goes neither earlier nor later.
    """
    found: defaultdict[str, list[tuple[int, bool]]] = defaultdict(list)
    for key in before.keys() | after.keys():
        if key[:2] in taken:
            still = key not in before or key not in after
            found[key[0]].append((after.get(key, ended) - before.get(key, ended), still))
    return found


# --- promises --------------------------------------------------------------------------------------------------------


def _verdicts(published: Report, draft: Report) -> Iterator[Verdict]:
    """Promises that both make and that are proven otherwise, and new ones that are not simply kept."""
    before = {one.promise.id: one.proof.verdict for one in published.proven}
    for one in draft.proven:
        was, verdict = before.get(one.promise.id, ""), one.proof.verdict
        if was != verdict and (was or verdict != "kept"):
            yield Verdict(one.promise.id, one.sentence, was, verdict)
