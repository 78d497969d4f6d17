"""``troth prove``: every promise, proven now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from troth.commands.asking import Folder, Json
from troth.commands.saying import NO, as_json, progress
from troth.verdicts import MARKS, MOST_URGENT_FIRST

if TYPE_CHECKING:
    from troth.evidence.prove import Proven, Report


def prove(
    site: Folder,
    json_: Json = False,
    lang: Annotated[str, typer.Option("--lang", metavar="TAG", help="language of the sentences")] = "en",
) -> None:
    """Prove every promise of the policy in force on live data, now.

    A made-up person goes through the real paths and out again; what is found is kept, broken, attested (somebody on
    the staff answers for it until a day), not proven (nothing can show it at present) or nothing to check yet (no case so far).

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
        _show(report)
    if not report.holds:
        raise typer.Exit(NO)


def _show(report: Report) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from troth.ledger.heads import HINT

    table = Table("verdict", "promise", "measured", "limit", "how", box=None, pad_edge=False, header_style="bold")
    for one in sorted(report.proven, key=lambda one: MOST_URGENT_FIRST.index(one.proof.verdict)):
        table.add_row(*_row(one), style="bold red" if one.proof.verdict == "broken" else None)
    console = Console(highlight=False, soft_wrap=False)
    console.print(table)
    for one in report.broken:
        console.print(f"\n[bold red]broken[/] {one.promise.id}: {one.sentence}\n  {one.proof.evidence}", markup=True)
    for restored in report.restored:
        console.print(f"\n{restored.line()}", markup=False)
    if report.stores:
        console.print(f"\n[bold red]broken[/] the ledger: {report.stores.words}\n  {HINT}", markup=True)
    for found in report.found:
        console.print(f"[bold red]found[/] {escape(found.line())}")
    counts = ", ".join(f"{number} {verdict}" for verdict, number in report.summary.items())
    console.print(f"\n{report.site}, version {report.version}: {counts}.")


def _row(one: Proven) -> tuple[str, ...]:
    from rich.markup import escape

    proof = one.proof
    shown = (f"{MARKS[proof.verdict]} {proof.verdict}", one.promise.id, proof.measured, proof.limit, proof.how)
    return tuple(escape(part) for part in shown)
