"""Two pictures for those who would rather look than read: who receives what, and how long things stay.

Pure: from the compiled policy to SVG text. Each picture is drawn twice, wide and narrow, because text in a picture that
shrinks with the page cannot be read on a phone; the page shows one of them. A table says the same in words. Colours are
classes of the style sheet, so that a picture follows light and dark; every text is escaped here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from math import sqrt

from troth.policy.compile import Compiled
from troth.policy.kind import Band, Bar, Flow
from troth.policy.kinds import KINDS
from troth.policy.notice.language import Speaker

WIDE, NARROW = 680, 340
_LINE = 18
_TEXT = 14
_TICKS = (1, 7, 30, 90, 180, 365, 730, 1825, 3650, 7300, 36500)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with the table that says the same; ``wide`` and ``narrow`` are SVG, safe to put into a page."""

    id: str
    title: str
    wide: str
    narrow: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def pictures(compiled: Compiled, speaker: Speaker) -> Mapping[tuple[str, ...], Picture]:
    """The pictures of a policy by the kinds of promises they show; a picture with nothing to show is left out."""
    flowing = tuple(kind.id for kind in KINDS.values() if kind.flows)
    lasting = tuple(kind.id for kind in KINDS.values() if kind.bars)
    drawn = {flowing: flow(compiled, speaker), lasting: timeline(compiled, speaker)}
    return {kinds: picture for kinds, picture in drawn.items() if picture is not None}


# --- Who receives what -----------------------------------------------------------------------------------------------


def flow(compiled: Compiled, speaker: Speaker) -> Picture | None:
    """Families of data on the left, recipients on the right, a band for what each gets; dashed where consent comes first."""
    flows = list(_flows(compiled, speaker))
    bands = [band for one in flows for band in one.bands]
    if not bands:
        return None
    asked = any(band.asked for band in bands)
    return Picture(
        id="flow",
        title=speaker.page("flow title"),
        wide=_flow(bands, speaker, WIDE),
        narrow=_flow(bands, speaker, NARROW),
        note=speaker.page("flow legend") if asked else "",
        columns=(speaker.page("flow recipient"), speaker.page("flow data"), speaker.page("flow condition")),
        rows=tuple(one.row for one in flows),
    )


def _flows(compiled: Compiled, speaker: Speaker) -> Iterator[Flow]:
    for kind in KINDS.values():
        yield from kind.flows(compiled.policy, speaker) if kind.flows else ()


def _flow(bands: list[Band], speaker: Speaker, width: int) -> str:
    return _svg("flow", width, *drawn_flow(bands, width), speaker)


def drawn_flow(bands: list[Band], width: int) -> tuple[float, list[str]]:
    """The bands with the names on both sides, as high as it has to be and as SVG."""
    column = 200 if width == WIDE else 104
    left = _column(dict.fromkeys(band.source for band in bands), column)
    right = _column(dict.fromkeys(band.target for band in bands), column)
    height = max(_height(left), _height(right))
    start, end = _tops(left, height), _tops(right, height)
    body = [_band(band, start, end, column, width) for band in sorted(bands, key=lambda b: -b.width)]
    body += [_label(lines, start[name], column - 8, "end") for name, lines in left.items()]
    body += [_label(lines, end[name], width - column + 8, "start") for name, lines in right.items()]
    return height, body


def _column(names: Iterable[str], width: int) -> dict[str, list[str]]:
    return {name: wrap(name[:1].upper() + name[1:], width - 12) for name in names}


def _height(labels: Mapping[str, list[str]]) -> int:
    return sum(len(lines) * _LINE + 22 for lines in labels.values()) + 8


def _tops(labels: Mapping[str, list[str]], height: int) -> dict[str, float]:
    """The middle of each label, spread evenly over the height."""
    spare = (height - _height(labels)) / len(labels)
    at, middles = 4.0, {}
    for name, lines in labels.items():
        size = len(lines) * _LINE + 22 + spare
        middles[name] = at + size / 2
        at += size
    return middles


def _band(band: Band, start: Mapping[str, float], end: Mapping[str, float], column: int, width: int) -> str:
    x1, x2, y1, y2 = column, width - column, start[band.source], end[band.target]
    middle = (x1 + x2) / 2
    thick = min(1.5 + 1.5 * band.width, 9)
    dashes = ' stroke-dasharray="8 5"' if band.asked else ""
    return (
        f'<path class="band" d="M{x1} {y1:.1f}C{middle:.0f} {y1:.1f} {middle:.0f} {y2:.1f} {x2} {y2:.1f}"'
        f' stroke-width="{thick:.1f}"{dashes}/>'
    )


def _label(lines: list[str], middle: float, x: float, anchor: str) -> str:
    first = middle - (len(lines) - 1) * _LINE / 2 + _TEXT * 0.35
    spans = "".join(
        f'<tspan x="{x:.0f}" y="{first + number * _LINE:.1f}">{escape(line)}</tspan>'
        for number, line in enumerate(lines)
    )
    return f'<text text-anchor="{anchor}">{spans}</text>'


# --- How long it stays -----------------------------------------------------------------------------------------------


def timeline(compiled: Compiled, speaker: Speaker) -> Picture | None:
    """A bar for every period, the shortest first; the scale is the square root of time, with marks that say so."""
    bars = sorted(_bars(compiled, speaker), key=lambda bar: (bar.keep, bar.what))
    if not bars:
        return None
    return Picture(
        id="timeline",
        title=speaker.page("timeline title"),
        wide=_timeline(bars, speaker, WIDE),
        narrow=_timeline(bars, speaker, NARROW),
        note=speaker.page("timeline scale"),
        columns=(speaker.page("timeline what"), speaker.page("timeline keep"), speaker.page("timeline after")),
        rows=tuple((bar.what, speaker.duration(bar.keep), speaker.finish(bar.after)) for bar in bars),
    )


def _bars(compiled: Compiled, speaker: Speaker) -> Iterator[Bar]:
    for kind in KINDS.values():
        yield from kind.bars(compiled.policy, speaker) if kind.bars else ()


def _timeline(bars: list[Bar], speaker: Speaker, width: int) -> str:
    room = width - (90 if width == WIDE else 72)
    longest = max(bar.keep for bar in bars).length
    y, rows = 6.0, []
    for bar in bars:
        y, drawn = _bar(bar, y, room * sqrt(bar.keep.length / longest), speaker, width)
        rows.append(drawn)
    marks = [_mark(tick, room * sqrt(timedelta(days=tick) / longest), y, speaker) for tick in _ticks(longest, room)]
    return _svg("timeline", width, y + 30, [*marks, *rows], speaker)


def _bar(bar: Bar, y: float, length: float, speaker: Speaker, width: int) -> tuple[float, str]:
    lines = wrap(bar.what, width - 8)
    label = "".join(
        f'<text x="2" y="{y + _TEXT + number * _LINE:.0f}">{escape(line)}</text>' for number, line in enumerate(lines)
    )
    top = y + len(lines) * _LINE + 3
    kind = "bar apart" if bar.apart else "bar"
    shape = f'<rect class="{kind}" x="0" y="{top:.0f}" width="{max(length, 3):.1f}" height="12" rx="3"/>'
    span = escape(speaker.duration(bar.keep))
    return top + 26, f'{label}{shape}<text class="span" x="{length + 8:.0f}" y="{top + 11:.0f}">{span}</text>'


def _ticks(longest: timedelta, room: float) -> list[int]:
    """The marks that fit: no two closer than a label is wide."""
    shown: list[int] = []
    for tick in reversed([t for t in _TICKS if timedelta(days=t) <= longest]):
        at = room * sqrt(timedelta(days=tick) / longest)
        if at >= 50 and all(room * sqrt(timedelta(days=other) / longest) - at > 74 for other in shown):
            shown.append(tick)
    return shown


def _mark(days: int, x: float, bottom: float, speaker: Speaker) -> str:
    words = escape(speaker.duration(timedelta(days=days)))
    return (
        f'<path class="mark" d="M{x:.1f} 0V{bottom:.0f}"/>'
        f'<text class="scale" x="{x:.1f}" y="{bottom + 18:.0f}" text-anchor="middle">{words}</text>'
    )


# --- Both ------------------------------------------------------------------------------------------------------------


def _svg(name: str, width: int, height: float, body: list[str], speaker: Speaker) -> str:
    return svg(name, width, height, body, speaker.page(f"{name} title"), speaker.page(f"{name} description"))


def svg(name: str, width: int, height: float, body: list[str], title: str, description: str) -> str:
    """A picture with its title and description; ``name`` tells it apart from others on its page."""
    size = "wide" if width == WIDE else "narrow"
    return (
        f'<svg class="{name} {size}" role="img" viewBox="0 0 {width} {height:.0f}"'
        f' aria-labelledby="{name}-{size}-title {name}-{size}-text">'
        f'<title id="{name}-{size}-title">{escape(title)}</title><desc id="{name}-{size}-text">{escape(description)}</desc>'
        f"{''.join(body)}</svg>"
    )


def wrap(words: str, width: float) -> list[str]:
    """``words`` in lines that fit into ``width``; Latin text breaks between words, Chinese between any two characters."""
    lines = [""]
    for piece in _pieces(words):
        if lines[-1] and _length(lines[-1] + piece) > width:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    return [line.rstrip() for line in lines]


def _pieces(words: str) -> Iterator[str]:
    piece = ""
    for character in words:
        if piece and (character == " " or _wide(character) or _wide(piece[-1])):
            yield piece
            piece = ""
        piece += character
    yield piece


def _wide(character: str) -> bool:
    return character >= "\u2e80"


def _length(words: str) -> float:
    """About how wide the words are, in the units of the picture, a little too much rather than too little."""
    return sum(_TEXT if _wide(character) else _TEXT * 0.6 for character in words)
