"""How ``troth rehearse`` tells at the terminal what came of it; the answer stands last, where the eye is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from troth.policy.notice.tally import tally_words
from troth.rehearsal.sentences import WRONG, day_words, happened_words, plural, seconds_words
from troth.verdicts import MARKS, MOST_URGENT_FIRST

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from troth.rehearsal.document import Document, DraftRow, PromiseRow, Shortest, ViolationRow

MOST_LINES = 12
"""of one topic of a comparison; the page and --json have all"""


def show(made: Document) -> None:
    """Print ``made``: what happened, the promises, what went wrong, what a draft changes, and the answer."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=False)
    for title, counts in (("What happened", happened_words(made.happened)), ("What was made to go wrong", made.faults)):
        if counts:
            console.print(title, style="bold")
            console.print("; ".join(f"{number:,} {name}" for name, number in counts.items()) + ".\n", markup=False)
    console.print(_promises(made.promises))
    console.print(f"\n{len(made.promises)} promises: {tally_words(made.summary)}.", markup=False, soft_wrap=True)
    for line in _wrong(made.violations):
        console.print(line, markup=False, soft_wrap=True)
    if made.draft:
        _draft(console, made.draft)
    spent = ", ".join(f"{part} {seconds_words(seconds)}" for part, seconds in made.spent.items())
    console.print(
        f"\n{seconds_words(made.seconds)}{f': {spent}' if spent else ''}.", style="bright_black", markup=False
    )
    console.print(f"Again: {made.replay}", style="bright_black", markup=False, soft_wrap=True)
    console.print(f"\n{made.answer}", style="bold green" if made.held else "bold red", markup=False)


def _promises(rows: Iterable[PromiseRow]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("verdict", "promise", "measured", box=None, pad_edge=False, header_style="bold")
    for row in sorted(rows, key=lambda row: MOST_URGENT_FIRST.index(row.verdict)):
        broken = "bold red" if row.verdict == "broken" else ""
        table.add_row(
            *(Text(part) for part in (f"{MARKS[row.verdict]} {row.verdict}", row.id, row.measured)), style=broken
        )
    return table


def _wrong(rows: Iterable[ViolationRow]) -> Iterator[str]:
    for row in rows:
        yield f"\n✗ day {row.day}, {day_words(row.at)}: {WRONG[row.kind]}{f' ({row.about})' if row.about else ''}"
        yield f"  {row.says}"
        yield from _way(row.shortest) if row.shortest else ()


def _way(way: Shortest) -> Iterator[str]:
    found = "the shortest way there" if way.minimal else "a shorter way there; the search was cut short"
    ends = ":" if way.events else ": no event at all"
    yield f"  {found} ({plural(way.days, 'day')}, after {plural(way.runs, 'trial')}){ends}"
    yield from (f"    {event.says}" for event in way.events)
    yield f"  {way.replay}"


def _draft(console: Console, draft: DraftRow) -> None:
    console.print("\nWhat the draft would change", style="bold")
    for topic, lines in draft.says.items():
        console.print(f"\n{topic}", style="bold")
        for line in lines[:MOST_LINES]:
            console.print(f"- {line}", markup=False)
        if len(lines) > MOST_LINES:
            console.print(f"  and {len(lines) - MOST_LINES} more; --report and --json have them all")
    if draft.lines:
        console.print("\nThe lines that decide", style="bold")
    for line, words in draft.lines.items():
        console.print(f"  {line} ({words})", markup=False)
    for line in _wrong(draft.violations):
        console.print(f"{line} [under the draft]" if line.startswith("\n") else line, markup=False, soft_wrap=True)
    console.print(f"\n{draft.answer}", markup=False)
