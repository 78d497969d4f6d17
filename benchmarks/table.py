"""``python -m benchmarks.table``: put the newest kept results into ``docs/benchmarks.md``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.measure import Figure
from benchmarks.report import newest, row

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- results -->\n", "<!-- end of results -->\n"


def markdown(tree: dict[str, Any]) -> str:
    """The results of a run as a table, the machine below it, and where the time goes in each figure that misses its goal."""
    figures = [Figure(**one) for one in tree["figures"]]
    lines = [
        "| What | Store | Size | Troth | Beside | Reached | Spread | Goal | |",
        "|---|---|---|--:|--:|--:|--:|--:|---|",
    ]
    for one in figures:
        what, store, *rest = row(one)
        lines.append(f"| {' | '.join([what, store, one.size, *rest[:-1], _mark(rest[-1])])} |")
    machine = "; ".join(f"{name} {value}" for name, value in tree["machine"].items())
    missed = [f"- {one.what} {one.store}: {one.spent}." for one in figures if one.met is False and one.spent]
    spent = ["Where Troth's time goes in the figures that miss their goal (a profiler's answer, one run):", "", *missed]
    loads = [one.load for one in figures if one.load]
    busy = f" While it ran, {min(loads)} to {max(loads)} processes wanted a processor." if loads else ""
    return "\n".join([*lines, "", f"Taken {tree['at']} on: {machine}.{busy}", "", *spent, ""])


def _mark(word: str) -> str:
    return f"**{word}**" if word == "missed" else word


def main() -> None:
    """Rewrite the page between its two marks."""
    before, rest = PAGE.read_text().split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{markdown(newest())}\n{END}{after}")


if __name__ == "__main__":
    main()
