"""The table that is shown and the file that is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.measure import Figure

RESULTS = Path(__file__).parent / "results"


def shown(console: Console, figures: Sequence[Figure]) -> None:
    """Print the figures, and below them where the time goes in those that miss their goal."""
    table = Table(title="Troth beside the bare work", title_justify="left")
    for name in ("what", "store", "Troth", "beside", "reached", "spread", "goal", ""):
        table.add_column(name, justify="right" if name in {"Troth", "beside", "reached", "spread", "goal"} else "left")
    for one in figures:
        table.add_row(*row(one), style="" if one.met is not False else "yellow")
    console.print(table)
    for one in figures:
        console.print(f"[dim]{one.what} {one.store}[/dim]: {one.ours} | {one.theirs} | {one.size}", highlight=False)
        if one.met is False and one.spent:
            console.print(f"  [yellow]missed[/yellow]; Troth's time: {one.spent}", highlight=False)


def row(one: Figure) -> list[str]:
    """The cells of one figure."""
    words = {"cost": "x the time", "speed": "x as fast", "seconds": "s", "rate": "a minute"}
    unit = "x the bytes" if one.unit == "B" else words[one.of]
    word = "at least" if one.of in {"speed", "rate"} else "at most"
    mark = {True: "met", False: "missed", None: "-"}[one.met]
    goal = f"{word} {one.goal:g}" if one.goal is not None else "-"
    shown = _bytes if one.unit == "B" else _time
    times = [shown(one.seconds_ours), shown(one.seconds_theirs)]
    return [one.what, one.store, *times, f"{number(one.reached)} {unit}", _spread(one), goal, mark]


def _spread(one: Figure) -> str:
    return f"{number(one.low)} to {number(one.high)}"


def number(value: float) -> str:
    """Three digits that mean something."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _time(value: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= size:
            return f"{number(value / size)} {unit}"
    return f"{number(value * 1e9)} ns"


def _bytes(value: float) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= size:
            return f"{number(value / size)} {unit}"
    return f"{number(value)} B"


def kept(figures: Sequence[Figure], facts: dict[str, object], full: bool, at: datetime, folder: Path = RESULTS) -> Path:
    """Write the results of a run under its day, and its number if it is not the first, and return where."""
    folder.mkdir(exist_ok=True)
    before = len(list(folder.glob(f"{at:%Y-%m-%d}*.json")))
    path = folder / f"{at:%Y-%m-%d}{f'-{before + 1}' if before else ''}.json"
    tree = {
        "at": f"{at:%Y-%m-%dT%H:%MZ}",
        "full": full,
        "machine": facts,
        "figures": [_plain(one) for one in figures],
    }
    path.write_text(json.dumps(tree, indent=1) + "\n")
    return path


def newest(folder: Path = RESULTS) -> tuple[dict[str, Any], list[tuple[str, Figure]]]:
    """The machine of the youngest kept run, and every figure as the youngest run that has it took it, with its day.

    Figures stand in the order of the runs that brought them, oldest run first, so that a part measured anew stays in its place.
    One that begins with three dots belongs to the one above it that does not.
    """
    trees = sorted(
        (json.loads(path.read_text()) for path in folder.glob("[0-9]*.json")), key=lambda one: str(one["at"])
    )
    found: dict[tuple[str, str, str], tuple[str, Figure]] = {}
    above = ""
    for tree in trees:
        for one in (Figure(**entry) for entry in tree["figures"]):
            above = above if one.what.startswith("...") else one.what
            found[above, one.what, one.store] = (str(tree["at"])[:10], one)
    return trees[-1]["machine"], list(found.values())


def _plain(one: Figure) -> dict[str, object]:
    return {key: float(f"{value:.4g}") if isinstance(value, float) else value for key, value in asdict(one).items()}
