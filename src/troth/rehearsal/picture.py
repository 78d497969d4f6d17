"""The picture of a year: what was held as stacked areas, the visits, what went when, with marks where something changed.

Pure: from the counts of each day to SVG text. It is drawn twice, wide and narrow, because text that shrinks with the page
cannot be read on a phone. Every area has a letter and a pattern of its own besides its shade, so that nobody needs to tell
colours apart; a table holds the same numbers. Colours are classes of a style sheet; every text is escaped here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from html import escape
from importlib.resources import files
from itertools import accumulate
from math import ceil
from typing import Literal

from troth.clock import DAY
from troth.rehearsal.result import DayCount

WIDE, NARROW = 860, 340
MOST_AREAS = 7
"""more are drawn as one"""

_LEFT, _RIGHT, _TOP = 44, 8, 60
_HEIGHTS = {"held": 230, "visits": 70, "gone": 70}
_GAP = 34
_MOST_STEPS = {WIDE: 120, NARROW: 60}
_PATTERNS = (
    "",
    '<path d="M0 8L8 0M-2 2L2 -2M6 10L10 6"/>',
    '<path d="M4 0V8"/>',
    '<circle cx="2" cy="2" r="1.1"/><circle cx="6" cy="6" r="1.1"/>',
    '<path d="M0 4H8"/>',
    '<path d="M0 0L8 8M-2 6L2 10M6 -2L10 2"/>',
    '<path d="M4 2V6M2 4H6"/>',
)
_QUARANTINE = '<path d="M0 0L8 8M0 8L8 0"/>'


MarkKind = Literal["amendment", "violation"]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to point at: a new version of the policy, or a violation."""

    day: int
    kind: MarkKind
    label: str


@dataclass(frozen=True, slots=True)
class Area:
    """One band of the stack: a collection point, what remains of them, or the quarantine; ``values`` are by day."""

    letter: str
    label: str
    values: tuple[int, ...]
    style: str
    swatch: str = ""
    """its shade and pattern as a small SVG, for a legend"""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The picture with its legend and the table that says the same; the SVGs are safe to put into a page."""

    wide: str
    narrow: str
    areas: tuple[Area, ...]
    says: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class _Frame:
    """One panel: where it stands and what its scale reaches to."""

    width: int
    top: float
    height: float
    days: int
    most: int

    def x(self, day: float) -> float:
        return _LEFT + (self.width - _LEFT - _RIGHT) * day / max(self.days - 1, 1)

    def y(self, value: float) -> float:
        return self.top + self.height * (1 - value / max(self.most, 1))


def draw(
    days: Sequence[DayCount], labels: Mapping[str, str], marks: Sequence[Mark] = (), name: str = "year"
) -> Drawn | None:
    """The picture of ``days``; None when there is none.

    ``labels`` names the collection points, ``name`` tells the picture apart from others on its page.
    """
    if not days:
        return None
    areas = tuple(_areas(days, labels))
    return Drawn(
        wide=_svg(days, areas, marks, WIDE, name),
        narrow=_svg(days, areas, marks, NARROW, name),
        areas=areas,
        says=_says(days),
        columns=("Day", *(area.label for area in areas), "Visits", "Destroyed since the line above"),
        rows=tuple(_rows(days, areas)),
    )


def standalone(drawn: Drawn) -> str:
    """The wide picture as a file of its own, with its style, for documents."""
    start = drawn.wide.index(">") + 1
    opening = drawn.wide[: start - 1].replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
    return f"{opening}><style>{style()}</style>{drawn.wide[start:]}\n"


# --- what is drawn ---------------------------------------------------------------------------------------------------


def _areas(days: Sequence[DayCount], labels: Mapping[str, str]) -> Iterator[Area]:
    """The points of which most was held first; what does not fit is one area, what never held anything none."""
    points = dict.fromkeys(point for day in days for point in day.held)
    series = {point: tuple(day.held.get(point, 0) for day in days) for point in points}
    ordered = sorted((point for point in series if any(series[point])), key=lambda point: -sum(series[point]))
    alone = ordered if len(ordered) <= MOST_AREAS else ordered[: MOST_AREAS - 1]
    named = [(labels.get(point, point), series[point]) for point in alone]
    rest = [series[point] for point in ordered[len(alone) :]]
    if rest:
        named.append((f"{len(rest)} other places", tuple(map(sum, zip(*rest, strict=True)))))
    for number, (label, values) in enumerate(named):
        yield Area(chr(ord("A") + number), label, values, f"area-{number}", _swatch(f"area-{number}", number))
    if any(day.quarantined for day in days):
        quarantined = tuple(day.quarantined for day in days)
        yield Area("Q", "In quarantine", quarantined, "area-q", _swatch("area-q", MOST_AREAS))


def _says(days: Sequence[DayCount]) -> str:
    most = max(days, key=_held)
    last, destroyed = days[-1], sum(day.destroyed for day in days)
    return (
        f"Most was held on {_date(most)}: {_held(most):,} records of {most.people:,} people."
        f" {destroyed:,} were destroyed in {len(days):,} days."
        f" At the end {_held(last):,} are held, {last.quarantined:,} wait in quarantine and {last.visits:,} visits are kept."
    )


def _held(day: DayCount) -> int:
    return sum(day.held.values())


def _rows(days: Sequence[DayCount], areas: Sequence[Area]) -> Iterator[tuple[str, ...]]:
    """The last day of every month, and the last of all."""
    since = 0
    for place, day in enumerate(days):
        since += day.destroyed
        if place + 1 == len(days) or _on(days[place + 1]).month != _on(day).month:
            held = (f"{area.values[place]:,}" for area in areas)
            yield _date(day), *held, f"{day.visits:,}", f"{since:,}"
            since = 0


def _on(day: DayCount) -> date:
    """The date of ``day``, whose count was made at its end, which is midnight."""
    return (day.at - DAY / 2).date()


def _date(day: DayCount) -> str:
    return f"{_on(day):%-d %B %Y}"


# --- how it is drawn -------------------------------------------------------------------------------------------------


def _svg(days: Sequence[DayCount], areas: Sequence[Area], marks: Sequence[Mark], width: int, name: str) -> str:
    size = "wide" if width == WIDE else "narrow"
    prefix = f"{name}-{size}"
    panels = _panels(days, areas, width)
    bottom = panels[-1].top + panels[-1].height
    body = [_pattern(prefix, area) for area in areas if area.style != "area-0"]
    body += [*_stack(panels[0], areas, prefix), *_line(panels[1], [day.visits for day in days], "visits")]
    body += _bars(panels[2], days)
    titles = ("Records held", "Visits kept", "Records destroyed each week")
    for frame, title in zip(panels, titles, strict=True):
        body += [*_scale(frame), f'<text class="title" x="0" y="{frame.top - 10:.0f}">{title}</text>']
    body += [*_months(panels[0], days, bottom), *_marks(panels[0], marks, bottom)]
    return (
        f'<svg class="year {size}" role="img" viewBox="0 0 {width} {bottom + 24:.0f}" aria-label="{escape(_says(days))}">'
        f"{''.join(body)}</svg>"
    )


def _panels(days: Sequence[DayCount], areas: Sequence[Area], width: int) -> tuple[_Frame, _Frame, _Frame]:
    most = {
        "held": max((sum(values) for values in zip(*(area.values for area in areas), strict=True)), default=0),
        "visits": max(day.visits for day in days),
        "gone": max(gone for _, gone in _weeks(days)),
    }
    top, frames = float(_TOP), []
    for name, height in _HEIGHTS.items():
        frames.append(_Frame(width, top, height, len(days), _round_up(most[name])))
        top += height + _GAP
    return frames[0], frames[1], frames[2]


def _round_up(value: int) -> int:
    """The next number that reads well on a scale and can be halved."""
    size = 10 ** max(len(str(value)) - 1, 0)
    return next(int(size * step) for step in (1, 2, 3, 4, 6, 8, 10) if size * step >= max(value, 2))


def _steps(number: int, width: int) -> list[int]:
    """The days that are drawn: every one, or as many as can be told apart, the last one always."""
    return sorted({*range(0, number, ceil(number / _MOST_STEPS[width])), number - 1})


def _stack(frame: _Frame, areas: Sequence[Area], prefix: str) -> Iterator[str]:
    tops = list(
        accumulate((area.values for area in areas), lambda one, two: tuple(map(sum, zip(one, two, strict=True))))
    )
    floor: tuple[int, ...] = (0,) * frame.days
    letters = []
    for area, top in zip(areas, tops, strict=True):
        outline = _outline(frame, floor, top)
        yield f'<path class="{area.style}" d="{outline}"/>'
        if area.style != "area-0":
            yield f'<path fill="url(#{prefix}-{area.style})" d="{outline}"/>'
        letters += list(_letter(frame, area, floor, top))
        floor = top
    yield from letters


def _outline(frame: _Frame, floor: Sequence[int], top: Sequence[int]) -> str:
    steps = _steps(frame.days, frame.width)
    there = [f"{frame.x(day):.1f} {frame.y(top[day]):.1f}" for day in steps]
    back = [f"{frame.x(day):.1f} {frame.y(floor[day]):.1f}" for day in reversed(steps)]
    return f"M{'L'.join(there + back)}Z"


def _letter(frame: _Frame, area: Area, floor: Sequence[int], top: Sequence[int]) -> Iterator[str]:
    """The letter of an area, where it is thickest, away from the edges; none where there is no room for it."""
    edge = min(ceil(frame.days * 0.04), (frame.days - 1) // 2)
    most = max(top[day] - floor[day] for day in range(edge, frame.days - edge))
    thick = [day for day in range(edge, frame.days - edge) if top[day] - floor[day] >= 0.9 * most]
    day = thick[len(thick) // 2]
    upper, lower = frame.y(top[day]), frame.y(floor[day])
    if lower - upper >= 15:
        yield f'<text class="letter" x="{frame.x(day):.0f}" y="{(upper + lower) / 2 + 4.5:.0f}">{area.letter}</text>'


def _line(frame: _Frame, values: Sequence[int], style: str) -> Iterator[str]:
    yield f'<path class="{style}" d="{_outline(frame, (0,) * frame.days, values)}"/>'


def _weeks(days: Sequence[DayCount]) -> list[tuple[int, int]]:
    """First day and sum of every seven days."""
    return [(start, sum(day.destroyed for day in days[start : start + 7])) for start in range(0, len(days), 7)]


def _bars(frame: _Frame, days: Sequence[DayCount]) -> Iterator[str]:
    for start, gone in _weeks(days):
        if gone:
            left, right = frame.x(start), frame.x(min(start + 7, frame.days - 1))
            top = frame.y(gone)
            size = f'width="{max(right - left - 1, 1):.1f}" height="{frame.top + frame.height - top:.1f}"'
            yield f'<rect class="gone" x="{left:.1f}" y="{top:.1f}" {size}/>'


def _scale(frame: _Frame) -> Iterator[str]:
    for value in (0, frame.most // 2, frame.most):
        y = frame.y(value)
        yield f'<path class="grid" d="M{_LEFT} {y:.1f}H{frame.width - _RIGHT}"/>'
        yield f'<text class="scale" text-anchor="end" x="{_LEFT - 6}" y="{y + 4:.1f}">{_short(value)}</text>'


def _short(value: int) -> str:
    """``12k`` for twelve thousand: a scale has little room."""
    return f"{value / 1000:g}k" if value >= 10_000 else f"{value:,}"


def _ticks(days: Sequence[DayCount], room: float) -> list[tuple[int, str]]:
    """Days with their words: the first of each month that fits, with the year where it is new; of a few weeks, some days."""
    dates = [(place, _on(day)) for place, day in enumerate(days)]
    firsts = [(place, on) for place, on in dates if on.day == 1]
    if len(firsts) < 3:
        return [(place, f"{on:%-d %b}") for place, on in dates[:: ceil(len(dates) * 60 / room)]]
    shown = firsts[:: ceil(len(firsts) * 44 / room)]
    years = [None, *(on.year for _, on in shown)]
    return [
        (place, f"{on:%b %Y}" if on.year != last else f"{on:%b}")
        for (place, on), last in zip(shown, years, strict=False)
    ]


def _months(frame: _Frame, days: Sequence[DayCount], bottom: float) -> Iterator[str]:
    free = 0.0
    for place, words in _ticks(days, frame.width - _LEFT - _RIGHT):
        x, half = frame.x(place), 4.0 * len(words)
        yield f'<path class="tick" d="M{x:.1f} {bottom:.0f}v5"/>'
        if x - half >= free and x + half <= frame.width:
            yield f'<text class="scale" text-anchor="middle" x="{x:.1f}" y="{bottom + 18:.0f}">{words}</text>'
            free = x + half


def _marks(frame: _Frame, marks: Sequence[Mark], bottom: float) -> Iterator[str]:
    """A line down the picture: a diamond for a new version, a cross for a violation, with its label where there is room."""
    kinds: tuple[tuple[MarkKind, float], ...] = (("amendment", 12.0), ("violation", 28.0))
    for kind, y in kinds:
        days = {mark.day: mark.label for mark in reversed(marks) if mark.kind == kind}
        for day in days:
            x = frame.x(day)
            sign = f"M{x:.1f} {y - 5}l5 5l-5 5l-5 -5z" if kind == "amendment" else f"M{x - 4:.1f} {y - 4}l8 8m0 -8l-8 8"
            yield f'<path class="at {kind}" d="M{x:.1f} {y + 6:.0f}V{bottom:.0f}"/><path class="sign {kind}" d="{sign}"/>'
        yield from _labels(frame, days, y, kind)


def _labels(frame: _Frame, days: Mapping[int, str], y: float, kind: str) -> Iterator[str]:
    """Right of their signs, or left of them at the edge; one that would run into the next sign is left out."""
    free, signs = 0.0, [frame.x(day) for day in sorted(days)]
    for place, day in enumerate(sorted(days)):
        x, size = signs[place], 16 + 7.5 * len(days[day])
        after = signs[place + 1] - 6 if place + 1 < len(signs) else float(frame.width)
        if x + size <= after:
            anchor, free = f'x="{x + 8:.1f}"', x + size
        elif x - size >= free:
            anchor, free = f'text-anchor="end" x="{x - 8:.1f}"', x + 6
        else:
            free = x + 6
            continue
        yield f'<text class="label {kind}" {anchor} y="{y + 4:.0f}">{escape(days[day])}</text>'


def _pattern(prefix: str, area: Area) -> str:
    number = MOST_AREAS if area.style == "area-q" else int(area.style.removeprefix("area-"))
    shape = _QUARANTINE if number == MOST_AREAS else _PATTERNS[number]
    box = 'width="8" height="8" patternUnits="userSpaceOnUse"'
    return f'<pattern id="{prefix}-{area.style}" class="pattern" {box}>{shape}</pattern>'


def _swatch(style: str, number: int) -> str:
    shape = _QUARANTINE if number == MOST_AREAS else _PATTERNS[number]
    tiles = (
        "".join(f'<g transform="translate({x} {y})">{shape}</g>' for x in (0, 8, 16) for y in (0, 8)) if shape else ""
    )
    return (
        '<svg class="swatch" viewBox="0 0 24 16" aria-hidden="true" focusable="false">'
        f'<rect class="{style}" width="24" height="16"/><g class="pattern">{tiles}</g></svg>'
    )


@cache
def style() -> str:
    """The style sheet that the picture needs, for the page that it stands in."""
    return files("troth.rehearsal").joinpath("year.css").read_text(encoding="utf-8")
