"""``troth prove``: every promise, proven now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from troth.commands.asking import Folder, Json
from troth.commands.saying import NO, as_json, progress
from troth.verdicts import MARKS, MOST_URGENT_FIRST

if TYPE_CHECKING:
    from troth.evidence.prove import Proven, Report

All = Annotated[bool, typer.Option("--all", help="every promise, each with what was measured")]


def prove(
    site: Folder,
    all_: All = False,
    json_: Json = False,
    lang: Annotated[str, typer.Option("--lang", metavar="TAG", help="language of the sentences")] = "en",
) -> None:
    """Prove every promise of the policy in force on live data, now.

    A made-up person goes through the real paths and out again; what is found is kept, broken, attested (somebody on
    the staff answers for it until a day), not proven (nothing can show it at present) or nothing to check yet (no case so far).
    What is broken and what is not proven is listed; --all and --json have every promise.

    \b
    Example: troth prove my-shop --json | jq .summary
    Exit: 0 no promise is broken; 1 one is, or the stores are not what was sealed.
    """
    from troth.commands.opening import opened
    from troth.evidence.prove import prove as proving
    from troth.web.inside import Inside

    with opened(site) as site_, progress("proving") as step:
        report = proving(site_, language=lang, door=Inside, progress=step)
    if json_:
        as_json(report.as_json())
    else:
        _show(report, site, all_)
    if not report.holds:
        raise typer.Exit(NO)


def _show(report: Report, folder: Path, every: bool) -> None:
    """Lines are never cut or folded: an id is there to be searched for and copied."""
    _differences(report)
    if every:
        for line in _table(report.proven):
            typer.echo(line)
    for one in report.broken:
        _alarm("broken", f"{one.promise.id}: {one.sentence}\n  {one.proof.measured}; {one.proof.evidence}")
    if not every:
        for line in _not_proven(report.proven):
            typer.echo(line)
    _beside_the_promises(report)
    _tallied(report)
    if not every:
        typer.echo(f"`troth prove {folder} --all` lists every promise.")


def _differences(report: Report) -> None:
    """What in the stores is not as Troth wrote it, each once, before the promises that rest on it; and what to do."""
    from troth.evidence.prove import TO_DO

    for number, found in enumerate(report.found, start=1):
        touched = len(report.touched(number))
        _alarm(f"difference {number}", f"{found.line()}\n  {touched} promise{'s' * (touched != 1)} below rest on it")
    if report.found:
        typer.echo(f"  What to do: {TO_DO}.")


def _table(proven: Sequence[Proven]) -> Iterator[str]:
    """One line for each promise, what is most urgent first: verdict, id, what was measured, the limit, and how."""
    rows = [("verdict", "promise", "measured", "limit", "how")]
    for one in sorted(proven, key=lambda one: MOST_URGENT_FIRST.index(one.proof.verdict)):
        proof = one.proof
        mark = f"{MARKS[proof.verdict]} {proof.verdict}"
        rows.append((mark, one.promise.id, proof.measured, proof.limit, proof.how))
    widths = [max(len(row[place]) for row in rows) for place in range(2)]
    for row in rows:
        yield f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {' | '.join(part for part in row[2:] if part)}"


def _not_proven(proven: Sequence[Proven]) -> Iterator[str]:
    """The promises that nothing shows at present, by the reason why."""
    why: dict[str, list[str]] = defaultdict(list)
    for one in proven:
        if one.proof.verdict == "not proven":
            why["; ".join(part for part in (one.proof.measured, one.proof.evidence) if part)].append(one.promise.id)
    for reason, ids in sorted(why.items(), key=lambda item: -len(item[1])):
        yield f"\n{MARKS['not proven']} not proven: {reason}"
        yield from (f"    {one}" for one in ids)


def _beside_the_promises(report: Report) -> None:
    """What else was found: of the ledger, the stores and the worker."""
    from troth.ledger.heads import HINT

    for restored in report.restored:
        typer.echo(f"\n{restored.line()}")
    if report.stores:
        _alarm("broken", f"the ledger: {report.stores.words}\n  {HINT}")
    for task, since in report.stopped.items():
        _alarm("stopped", f"the worker's `{task}` has not run since {since:%Y-%m-%d %H:%M} UTC")
    if report.hindered:
        typer.echo(f"\nNobody made up went through the doors. {report.hindered}")


def _tallied(report: Report) -> None:
    from troth.policy.notice.tally import tally_words

    at, count = f"{report.at:%Y-%m-%d %H:%M} UTC", len(report.proven)
    typer.echo(f"\n{report.site}, version {report.version}, {at}: {count} promises: {tally_words(report.summary)}.")


def _alarm(word: str, said: str) -> None:
    typer.echo(f"\n{typer.style(word, fg='red', bold=True)} {said}")
