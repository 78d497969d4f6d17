"""``python -m benchmarks.table``: put the newest kept results into ``docs/benchmarks.md``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import Figure
from benchmarks.report import newest, row

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- results -->\n", "<!-- end of results -->\n"


def markdown(facts: dict[str, Any], taken: Sequence[tuple[str, Figure]]) -> str:
    """Figures with the day they were taken as a table, the machine below it, and where the time goes in each missed goal."""
    figures = [one for _, one in taken]
    lines = [
        "| What | Store | Size | Troth | Beside | Reached | Spread | Goal | | Taken | Load |",
        "|---|---|---|--:|--:|--:|--:|--:|---|---|--:|",
    ]
    for day, one in taken:
        what, store, *rest = row(one)
        lines.append(
            f"| {' | '.join([what, store, one.size, *rest[:-1], _mark(rest[-1]), day, str(one.load or '-')])} |"
        )
    machine = "; ".join(f"{name} {value}" for name, value in facts.items())
    missed = [f"- {one.what} {one.store}: {one.spent}." for one in figures if one.met is False and one.spent]
    spent = ["Where Troth's time goes in the figures that miss their goal (a profiler's answer, one run):", "", *missed]
    load = (
        "Load: how many processes wanted a processor when the figure was there (the benchmark's own are one to three)."
    )
    return "\n".join([*lines, "", f"The machine: {machine}. {load}", "", *spent, ""])


def _mark(word: str) -> str:
    return f"**{word}**" if word == "missed" else word


def main() -> None:
    """Rewrite the page between its two marks."""
    before, rest = PAGE.read_text().split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{markdown(*newest())}\n{END}{after}")


if __name__ == "__main__":
    main()
