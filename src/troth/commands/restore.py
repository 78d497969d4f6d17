"""``troth restore``: put a backup back, and let mail and deliveries leave again."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from troth.clock import iso
from troth.commands.asking import Folder, Json
from troth.commands.saying import as_json, aside

if TYPE_CHECKING:
    from troth.restoring.release import Held

By = Annotated[str, typer.Option("--by", metavar="ROLE", help="the role on your staff that answers for it")]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask")]
Drop = Annotated[
    list[str] | None,
    typer.Option("--drop", metavar="KIND", help="do not do what waits of this kind: it may have been said already"),
]

app = typer.Typer(help="Put a backup back.", no_args_is_help=True)


@app.callback()
def _restore() -> None:
    """Put a backup back."""


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
