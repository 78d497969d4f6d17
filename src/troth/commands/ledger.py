"""``troth ledger``: verify the record, hand it out, and the key that signs it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from troth.clock import iso
from troth.commands.asking import Folder, Json, Out
from troth.commands.saying import NO, as_json, aside, write, writing

Because = Annotated[
    str, typer.Option("--because", metavar="WORDS", help="why, in a sentence about nobody in particular")
]
Kept = Annotated[
    Path | None, typer.Option("--ledger", metavar="FILE", help="an export or witness file that has what was lost")
]
By = Annotated[str, typer.Option("--by", metavar="ROLE", help="the role on your staff that answers for it")]

app = typer.Typer(help="The append-only record of decisions and acts.", no_args_is_help=True)


@app.command()
def verify(site: Folder, json_: Json = False) -> None:
    """Read the ledger from beginning to end and say whether it is what was sealed; if not, where.

    \b
    Example: troth ledger verify my-shop
    Exit: 0 it is whole; 1 it is not.
    """
    from troth.commands.opening import opened
    from troth.ledger.verify import verify as verified

    with opened(site) as site_:
        report = verified(site_)
    if json_:
        told = {key: value for key, value in asdict(report).items() if key not in {"seen", "restored"}}
        shown = [{"at": iso(one.at), "by": one.made_by, "because": one.because} for one in report.restored]
        as_json({"site": site_.name, **told, "restored": shown})
    else:
        typer.echo(f"{site_.name}: {report.line()}")
    if report.verdict == "broken":
        raise typer.Exit(NO)


@app.command()
def restored(site: Folder, because: Because, by: By, ledger: Kept = None, json_: Json = False) -> None:
    """Record why the stores are not what was sealed, and go on from what they hold.

    For a store that was cut, exchanged or put back from a copy of your own: until this is recorded, nothing is sealed and
    nothing leaves. With an export or a witness file of the ledger, what was done in between (erasures, withdrawals, objections,
    stops) is done again; without, nobody knows it. The reason stands in the ledger's report for ever; mail and deliveries wait
    until `troth restore release SITE`.

    \b
    Example: troth ledger restored my-shop --because "disk of 3 May, copy of the night before" --by "privacy lead"
    Exit: 0 recorded; 2 there is nothing to record.
    """
    from troth.commands.opening import opened
    from troth.restoring.by_hand import accept

    with opened(site) as site_:
        found, replayed = accept(site_, because, by, ledger)
    if json_:
        done = {"replayed": dict(replayed.done), "lost": dict(replayed.lost)}
        as_json({"site": site_.name, "found": found.kind, "words": found.words, **done})
    else:
        typer.echo(f"{site_.name}: recorded. {found.words}")
        for what, count in replayed.done.items():
            typer.echo(f"  done again: {what}: {count:,}")
        aside("Mail and deliveries wait until `troth restore release`.")


@app.command()
def key(site: Folder, out: Out = None) -> None:
    """Print the public key (PEM) that the ledger's checkpoints are signed with, for an auditor.

    \b
    Example: troth ledger key my-shop --out my-shop.pem
    """
    from troth.commands.opening import opened
    from troth.ledger.keys import public_pem

    with opened(site) as site_:
        write(public_pem(site_), out)


@app.command()
def export(site: Folder, out: Out = None) -> None:
    """Write the ledger as JSON lines in the format of docs/ledger-format.md, so that any program can verify it.

    \b
    Example: troth ledger export my-shop --out ledger.jsonl
    """
    from troth.commands.opening import opened
    from troth.ledger.export import export as exported

    with opened(site) as site_, writing(out) as file:
        entries = exported(site_, file)
    aside(f"{site_.name}: {entries:,} entries.")
