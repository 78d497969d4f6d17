"""The generated parts of ``docs/what-it-costs.md``: two tables and a picture, from the figures that ``growth`` kept."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import ceil, log10
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent.parent / "docs" / "what-it-costs.md"
PICTURE = PAGE.parent / "images" / "growth.svg"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"
UP_TO = 10_000_000
ACTS = {"collect": "collect, a form", "read": "read, a person", "sweep": "sweep, a row", "proof": "proof, all of it"}
STORES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 440, 76, 24, 186, 48

BUSY = """

**The machine was busy with other work**: these times are many times those of a quiet machine, and differ more than they grow.
So nothing is carried on from them; the shares below are what they tell. `python -m benchmarks.growth` takes them anew."""

Points = Sequence[dict[str, Any]]


def page(tree: dict[str, Any]) -> None:
    """Rewrite the page between its marks, and the picture."""
    PICTURE.write_text(picture(tree["points"], quiet(tree)))
    before, rest = PAGE.read_text().split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{figures(tree)}\n{END}{after}")


def quiet(tree: dict[str, Any]) -> bool:
    """Whether the processors were free enough for a slope to mean growth and not what else the machine did."""
    return max(point["load"] for point in tree["points"]) <= 2 * int(tree["machine"]["processors"])


def figures(tree: dict[str, Any]) -> str:
    """What was measured, what follows from the slope, and where the time goes."""
    points = tree["points"]
    numbers = sorted({point["rows"] for point in points})
    lines = [
        f"| What | Store | {' | '.join(f'{number:,} people' for number in numbers)} | {UP_TO:,}, from the slope |",
        f"|---|---|{'--:|' * (len(numbers) + 1)}",
    ]
    for act, said in ACTS.items():
        for store, name in STORES.items():
            line = _line(points, act, store)
            if line:
                cells = [shown(dict(line)[number]) if number in dict(line) else "" for number in numbers]
                lines.append(
                    f"| {said} | {name} | {' | '.join(cells)} | {shown(at(line, UP_TO)) if quiet(tree) else '-'} |"
                )
    loads = [point["load"] for point in points]
    machine = "; ".join(f"{name} {value}" for name, value in tree["machine"].items())
    taken = f"Taken {tree['at']}; {min(loads)} to {max(loads)} processes wanted a processor meanwhile. On: {machine}."
    if not quiet(tree):
        taken += BUSY
    return "\n".join([*lines, "", taken, "", *_shares(points, numbers[-1]), ""])


def _shares(points: Points, rows: int) -> list[str]:
    lines = [f"Where the time goes with {rows:,} people (a profiler's answer, one run):", ""]
    lines += ["| What | Store | Shares |", "|---|---|---|"]
    for point in sorted(points, key=lambda one: list(ACTS).index(one["act"])):
        if point["rows"] == rows:
            lines.append(f"| {ACTS[point['act']]} | {STORES[point['store']]} | {point['spent']} |")
    return lines


def _line(points: Points, act: str, store: str) -> list[tuple[int, float]]:
    return sorted((one["rows"], one["each"]) for one in points if one["act"] == act and one["store"] == store)


def at(line: Sequence[tuple[int, float]], rows: int) -> float:
    """Seconds at ``rows``, carried on from the last two measured points as a straight line on axes of powers of ten; a line
    that falls is carried on level, since nothing says that it goes on falling."""
    (few, first), (many, last) = line[-2:]
    slope = max(0.0, (log10(last) - log10(first)) / (log10(many) - log10(few)))
    return float(10 ** (log10(last) + slope * (log10(rows) - log10(many))))


def shown(value: float) -> str:
    """Seconds with a unit that fits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{value / size:,.3g} {unit}" if value / size < 1000 else f"{value / size:,.0f} {unit}"
    return f"{value * 1e6:.3g} us"


def picture(points: Points, carried: bool) -> str:
    """Time against rows on axes of powers of ten: a line for each act and store, ``carried`` on, dashed, to ``UP_TO``."""
    lines = {(act, store): _line(points, act, store) for store in STORES for act in ACTS}
    lines = {key: line for key, line in lines.items() if len(line) > 1}
    values = [each for line in lines.values() for _, each in [*line, *([(UP_TO, at(line, UP_TO))] if carried else [])]]
    low, high = int(log10(min(values))) - 1, int(log10(max(values))) + 1
    first = log10(min(point["rows"] for point in points))

    def place(rows: float, each: float) -> tuple[float, float]:
        across = (log10(rows) - first) / (log10(UP_TO) - first)
        up = (log10(each) - low) / (high - low)
        return round(LEFT + across * (WIDTH - LEFT - RIGHT), 1), round(
            HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM), 1
        )

    parts = [_frame(place, first, low, high)]
    for number, ((act, store), line) in enumerate(lines.items()):
        parts.append(_drawn(place, line, number, f"{act}, {STORES[store]}", carried))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif"'
    title = "<title>Time of a collect, a read, a row swept and a whole proof, against people in the store</title>"
    return f'{head} font-size="12">{title}<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'


COLOURS = ("#1b6ca8", "#c1440e", "#2e7d32", "#6a3d9a")


def _frame(place: Any, first: float, low: int, high: int) -> str:
    made = []
    for power in range(low, high + 1):
        x, y = place(10**first, 10.0**power)
        made.append(f'<path d="M{x} {y}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        made.append(_words(x - 6, y + 4, shown(10.0**power), "end"))
    for power in range(ceil(first), int(log10(UP_TO)) + 1):
        x, y = place(10**power, 10.0**low)
        made.append(f'<path d="M{x} {TOP}V{y}" stroke="#eee"/>')
        made.append(_words(x, y + 18, f"{10**power:,}", "middle"))
    made.append(_words((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "people in the store", "middle"))
    return "".join(made)


def _words(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'


def _drawn(place: Any, line: Sequence[tuple[int, float]], number: int, name: str, carried: bool) -> str:
    colour, postgres = COLOURS[number % len(COLOURS)], number >= len(COLOURS)
    spots = [place(*one) for one in line]
    end = place(UP_TO, at(line, UP_TO))
    path = "M" + "L".join(f"{x} {y}" for x, y in spots)
    on = f'<path d="M{spots[-1][0]} {spots[-1][1]}L{end[0]} {end[1]}" stroke="{colour}" stroke-dasharray="3 5"/>'
    marks = "".join(_mark(x, y, colour, postgres) for x, y in spots)
    label = TOP + 14 + 20 * number
    sign = _mark(WIDTH - RIGHT + 18, label - 4, colour, postgres)
    words = _words(WIDTH - RIGHT + 30, label, name)
    drawn = f'<path d="{path}" stroke="{colour}" fill="none" stroke-width="2"/>{on if carried else ""}'
    return f"{drawn}{marks}{sign}{words}"


def _mark(x: float, y: float, colour: str, hollow: bool) -> str:
    """Round and filled for SQLite, square and hollow for PostgreSQL: told apart without their colour."""
    if hollow:
        return f'<rect x="{x - 4}" y="{y - 4}" width="8" height="8" fill="#fff" stroke="{colour}" stroke-width="2"/>'
    return f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>'
