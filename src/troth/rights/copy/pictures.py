"""Two pictures of what is held: until when each part of it stays, and what went to whom. Pure.

Like those of the notice they are drawn twice, wide and narrow, because text that shrinks with its page cannot be read on a
phone; words and patterns say what shades do, and a table says the same. Every text is escaped here or
in ``policy.notice.pictures``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from html import escape
from math import sqrt

from troth.clock import DAY
from troth.policy.kind import Band
from troth.policy.notice.pictures import NARROW, WIDE, Picture, drawn_flow, svg, wrap
from troth.rights.copy.model import Item, Overview
from troth.rights.copy.voice import day
from troth.rights.copy.words import say

ARRIVED = frozenset({"delivered", "leaving", "unsure"})
_LINE, _BAR = 18, 14
_TICKS = (7, 30, 90, 180, 365, 730, 1825, 3650, 7300)
_PATTERNS = {"waits": "M-2 2L2 -2M0 8L8 0M6 10L10 6", "never": "M-2 2L2 -2M0 8L8 0M6 10L10 6", "held": "M3 3h2v2h-2z"}


@dataclass(frozen=True, slots=True)
class Bar:
    """Records of one kind that end in one way, the ``first`` and the ``last`` by these days; blank: no day is fixed."""

    label: str
    fields: str
    count: int
    first: datetime | None
    last: datetime | None
    how: str
    because: str


def bars(told: Overview) -> tuple[Bar, ...]:
    """One bar for each kind of record and way to end, the one that goes first ahead, those without a day last."""
    found: dict[tuple[int, str, str], list[Item]] = {}
    for item in told.items:
        found.setdefault((item.kind.number, item.goes.how, item.goes.because), []).append(item)
    made = [_bar(items, told) for items in found.values()]
    end = datetime.max.replace(tzinfo=told.about.at.tzinfo)
    return tuple(sorted(made, key=lambda bar: (bar.last or end, bar.label)))


def _bar(items: list[Item], told: Overview) -> Bar:
    kind, days = items[0].kind, [item.goes.by for item in items if item.goes.by is not None]
    fields = told.speaker.every(one.label for one in kind.fields)
    first, last = (min(days), max(days)) if days else (None, None)
    return Bar(kind.through.label, fields, len(items), first, last, items[0].goes.how, items[0].goes.because)


def timeline(told: Overview) -> Picture | None:
    """Until when each kind of record stays; None when nothing is held."""
    shown = bars(told)
    if not shown:
        return None
    tag = told.about.language
    columns = ("what", "count", "first", "last", "why")
    return Picture(
        id="held",
        title=say(tag, "pictures.timeline_title"),
        wide=_timeline(shown, told, WIDE),
        narrow=_timeline(shown, told, NARROW),
        note=say(tag, "pictures.timeline_note") if any(bar.how in _PATTERNS for bar in shown) else "",
        columns=tuple(say(tag, f"pictures.timeline_{one}") for one in columns),
        rows=tuple(_row(bar, tag) for bar in shown),
    )


def _row(bar: Bar, tag: str) -> tuple[str, ...]:
    days = (_day(bar.first, tag, bar.how), _day(bar.last, tag, bar.how))
    return (f"{bar.label}: {bar.fields}", f"{bar.count:,}", *days, bar.because)


def _day(at: datetime | None, tag: str, how: str) -> str:
    if at is not None:
        return day(at, tag)
    return say(tag, "pictures.timeline_unending" if how == "never" else "pictures.timeline_open")


def _timeline(shown: tuple[Bar, ...], told: Overview, width: int) -> str:
    tag, now = told.about.language, told.about.at
    last = max((bar.last for bar in shown if bar.last), default=now)
    longest = max((last - now) / DAY, 1.0)
    room = width - 12.0
    y, drawn = 8.0, []
    for bar in shown:
        y, part = _drawn(bar, told, y, width, room, longest)
        drawn.append(part)
    marks = list(_marks(longest, room, y, told)) if any(bar.last for bar in shown) else []
    size = "wide" if width == WIDE else "narrow"
    patterns = [_pattern(how, size) for how in sorted({bar.how for bar in shown} & _PATTERNS.keys())]
    title, text = say(tag, "pictures.timeline_title"), say(tag, "pictures.timeline_text")
    return svg("held", width, y + 24, [*patterns, *marks, *drawn], title, text)


def _drawn(bar: Bar, told: Overview, y: float, width: int, room: float, longest: float) -> tuple[float, str]:
    """Its name, its fields, its bar and in words what the bar shows, one below the other."""
    tag, now = told.about.language, told.about.at
    counted = say(tag, "copy.counted_one") if bar.count == 1 else say(tag, "copy.counted_many", count=f"{bar.count:,}")
    name = wrap(f"{bar.label} ({counted})", width - 8)
    fields = wrap(bar.fields, width - 8)
    text = _lines(name, y, "name") + _lines(fields, y + len(name) * _LINE, "fields")
    top = y + (len(name) + len(fields)) * _LINE + 4
    length = room if bar.last is None else max(room * sqrt(max((bar.last - now) / DAY, 0) / longest), 4)
    size = "wide" if width == WIDE else "narrow"
    box = f'x="0" y="{top:.0f}" width="{length:.1f}" height="{_BAR}" rx="3"'
    shape = f'<rect class="bar" {box}/>'
    if bar.how in _PATTERNS:
        shape += f'<rect class="over" fill="url(#held-{size}-{bar.how})" {box}/>'
    if bar.first is not None and bar.last is not None and bar.first < bar.last:
        x = room * sqrt(max((bar.first - now) / DAY, 0) / longest)
        shape += f'<path class="first" d="M{x:.1f} {top:.0f}v{_BAR}"/>'
    if bar.last is None:
        shape += f'<path class="onward" d="M{room + 2:.1f} {top:.0f}l8 7l-8 7z"/>'
    said = wrap(_words(bar, tag), width - 8)
    below = _lines(said, top + _BAR + 2, "span")
    return top + _BAR + 2 + len(said) * _LINE + 18, f"{text}{shape}{below}"


def _words(bar: Bar, tag: str) -> str:
    if bar.last is None:
        when = say(tag, "goes.open")
        return (
            bar.because if bar.how == "never" else say(tag, "pictures.timeline_words", when=when, because=bar.because)
        )
    days = [bar.first] if bar.first == bar.last else [bar.first, bar.last]
    said = " – ".join(day(one, tag) for one in days if one)
    return say(tag, "pictures.timeline_words", when=say(tag, "goes.by", day=said), because=bar.because)


def _lines(lines: Iterable[str], y: float, style: str) -> str:
    return "".join(
        f'<text class="{style}" x="0" y="{y + 14 + number * _LINE:.0f}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )


def _marks(longest: float, room: float, bottom: float, told: Overview) -> Iterator[str]:
    """Today, and as many spans as fit beside one another, each with a line down the picture."""
    tag = told.about.language
    shown = [(0.0, say(tag, "pictures.timeline_today"))]
    for tick in (one for one in _TICKS if one <= longest):
        x = room * sqrt(tick / longest)
        if x - shown[-1][0] >= 78 and x <= room - 30:
            shown.append((x, told.speaker.duration(tick * DAY)))
    for x, words in shown:
        anchor = "start" if x == 0 else "middle"
        yield f'<path class="mark" d="M{x:.1f} 0V{bottom:.0f}"/>'
        yield f'<text class="scale" x="{x:.1f}" y="{bottom + 16:.0f}" text-anchor="{anchor}">{escape(words)}</text>'


def _pattern(how: str, size: str) -> str:
    box = 'width="8" height="8" patternUnits="userSpaceOnUse"'
    kind = "dots" if how == "held" else "stripes"
    return f'<pattern id="held-{size}-{how}" class="{kind}" {box}><path d="{_PATTERNS[how]}"/></pattern>'


def received(told: Overview) -> Picture | None:
    """What went to whom, as far as it may have arrived; None when nothing did."""
    section, tag = told.section("disclosures"), told.about.language
    places = {column.id: number for number, column in enumerate(section.columns)}
    counts: dict[tuple[str, str], int] = {}
    for row in section.rows:
        if getattr(row[places["state"]], "id", "") in ARRIVED:
            fields = row[places["fields"]]
            for one in fields if isinstance(fields, tuple) else ():
                pair = (one.label, getattr(row[places["recipient"]], "label", ""))
                counts[pair] = counts.get(pair, 0) + 1
    if not counts:
        return None
    bands = [Band(source, target, min(count, 3), asked=False) for (source, target), count in counts.items()]
    title, text = say(tag, "pictures.flow_title"), say(tag, "pictures.flow_text")
    wide, narrow = (svg("flow", width, *drawn_flow(bands, width), title, text) for width in (WIDE, NARROW))
    head = {one.id: one.label for one in section.columns}
    rows = tuple((target, source, f"{count:,}") for (source, target), count in sorted(counts.items()))
    columns = (head["recipient"], head["fields"], say(tag, "pictures.flow_times"))
    return Picture("received", title, wide, narrow, "", columns, rows)
