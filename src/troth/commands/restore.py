"""``troth restore``: put a backup back, and let mail and deliveries leave again."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from troth.clock import iso
from troth.commands.asking import Folder, Json
from troth.commands.backup import KeysFrom, Of
from troth.commands.ledger import Because
from troth.commands.ledger import By as Answers
from troth.commands.saying import OrDefault, as_json, aside, progress

if TYPE_CHECKING:
    from troth.restoring.release import Held
    from troth.restoring.restore import Restored

By = Annotated[str, typer.Option("--by", metavar="ROLE", help="the role on your staff that answers for it")]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask")]
Drop = Annotated[
    list[str] | None,
    typer.Option("--drop", metavar="KIND", help="do not do what waits of this kind: it may have been said already"),
]

app = typer.Typer(cls=OrDefault, help="Put a backup back.", no_args_is_help=True)


@app.command(OrDefault.DEFAULT)
def restore(
    site: Folder,
    folder: Of,
    because: Because,
    by: Answers,
    keys_from: KeysFrom = None,
    ledger: Annotated[
        Path | None,
        typer.Option("--ledger", metavar="FILE", help="an export of the ledger, if the site's is lost"),
    ] = None,
    without_ledger: Annotated[
        bool, typer.Option("--without-ledger", help="go on although nobody knows what was done since")
    ] = False,
    yes: Yes = False,
    json_: Json = False,
) -> None:
    """Put a backup in the place of both stores, and do again what was done since: nobody who was erased comes back.

    Erasures, endings, withdrawals, objections, restrictions and stops made since the backup are taken from the ledger and
    done again before the site is the restored one; whoever was shut out since stays out, and all sessions end. What came in
    since is lost; it is counted by kind. Mail and deliveries wait until `troth restore release SITE`. Stop `troth serve` and
    `troth work` first. A restore that is interrupted leaves the site as it was, or restored.

    \b
    Example: troth restore my-shop backups/monday --keys-from keys/monday --because "disk failed" --by engineer
    Exit: 0 restored; 1 you said no; 2 it could not be, and nothing was changed.
    """
    from troth.commands.opening import opened
    from troth.restoring.restore import restore as restoring

    with opened(site) as site_:
        if not yes:
            typer.confirm(f"Replace both stores of {site_.name} by those in {folder}?", abort=True, err=True)
        with progress("restoring") as step:
            done = restoring(
                site_, folder, because=because, by=by, keys_folder=keys_from,
                record=ledger, without_record=without_ledger, step=step,
            )  # fmt: skip
    if json_:
        replayed = {"replayed": dict(done.replayed.done), "lost": dict(done.replayed.lost)}
        found = done.lost.kind if done.lost else None
        as_json(
            {"site": site_.name, "backup_at": iso(done.backup_at), "carried": done.carried, **replayed, "gap": found}
        )
    else:
        _tell(site_.name, done)


def _tell(name: str, done: Restored) -> None:
    typer.echo(f"{name}: restored as of {iso(done.backup_at)}. {done.carried:,} entries of the ledger were made since.")
    for what, count in done.replayed.done.items():
        typer.echo(f"  done again: {what}: {count:,}")
    for what, count in done.replayed.lost.items():
        typer.echo(f"  lost, to be asked for again: {what}: {count:,}")
    if done.lost:
        typer.echo(f"  {done.lost.words} What was done in between is not known.")
    aside("Mail and deliveries wait until `troth restore release`.")


@app.command()
def release(site: Folder, by: By = "operator", drop: Drop = None, yes: Yes = False, json_: Json = False) -> None:
    """Let mail, deliveries and callbacks leave again after a store was put back; what would go is listed first.

    \b
    Example: troth restore release my-shop --by "privacy lead" --drop message:changed
    Exit: 0 released; 1 you said no; 2 nothing is held back.
    """
    from troth.commands.opening import opened
    from troth.restoring.release import release as releasing
    from troth.restoring.release import waiting

    dropping = drop or []
    with opened(site) as site_:
        held = waiting(site_)
        if not json_:
            _show(held, dropping)
        if not yes:
            typer.confirm("Release it?", abort=True, err=True)
        dropped = releasing(site_, by.strip().lower().replace(" ", "_"), dropping)
    if json_:
        told = [{**asdict(one), "oldest": iso(one.oldest), "dropped": one.kind in dropping} for one in held]
        as_json({"site": site_.name, "waiting": told, "dropped": dropped})
    else:
        aside(f"{site_.name}: released; {dropped:,} dropped.")


def _show(held: list[Held], dropping: list[str]) -> None:
    if not held:
        typer.echo("Nothing waits.")
    for one in held:
        said = "dropped" if one.kind in dropping else "leaves"
        typer.echo(f"{one.kind}: {one.count:,} ({one.due:,} due now, the oldest of {iso(one.oldest)}): {said}")
