"""``troth backup``: copy both stores, and try a copy."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from troth.clock import iso
from troth.commands.asking import Folder, Json
from troth.commands.saying import NO, OrDefault, as_json, aside, progress

Into = Annotated[Path, typer.Argument(metavar="DIR", help="a new folder for the backup")]
Of = Annotated[Path, typer.Argument(metavar="DIR", help="the folder of the backup", exists=True, file_okay=False)]
KeysTo = Annotated[
    Path | None, typer.Option("--keys-to", metavar="DIR", help="a new folder for the keys, apart from the data")
]
KeysFrom = Annotated[
    Path | None, typer.Option("--keys-from", metavar="DIR", help="where the keys of the backup are, if apart")
]

app = typer.Typer(cls=OrDefault, help="Copy both stores, and try a copy.", no_args_is_help=True)


@app.command(OrDefault.DEFAULT)
def backup(site: Folder, folder: Into, keys_to: KeysTo = None, json_: Json = False) -> None:
    """Copy both stores of a running site into a new folder, with a signed manifest of what was copied.

    The data and the keys are files of their own. Keep them apart, the keys for a shorter time: whoever has both, and the
    site key, can read what they hold. The site key and `ledger.key` are not copied.

    \b
    Example: troth backup my-shop backups/monday --keys-to keys/monday
    Exit: 0 copied; 2 it could not be.
    """
    from troth.commands.opening import opened
    from troth.restoring.backup import backup as taken

    with opened(site) as site_, progress("copying") as step:
        manifest = taken(site_, folder, keys_to, step)
    if json_:
        as_json(manifest.told())
        return
    for store, one in manifest.stores.items():
        where = (keys_to or folder) if store == "keys" else folder
        typer.echo(f"{store}: {where / one.file}, {one.bytes:,} bytes, SHA-256 {one.sha256}")
    typer.echo(f"ledger: {manifest.size:,} entries sealed")


@app.command()
def drill(
    site: Folder,
    folder: Of,
    keys_from: KeysFrom = None,
    within: Annotated[
        int | None,
        typer.Option("--within", metavar="DAYS", min=0, help="days in which the keys of a backup are to be gone"),
    ] = None,
    json_: Json = False,
) -> None:
    """Restore a backup into a scratch place, look whether it is whole and whom it could bring back, and record it.

    Everybody who was destroyed more than DAYS ago, or than the policy says under `backups`, must not be opened with the
    keys of this backup.

    \b
    Example: troth backup drill my-shop backups/monday --keys-from keys/monday
    Exit: 0 it can be put back and brings nobody back; 1 it cannot, or does; 2 it cannot be opened.
    """
    from troth.commands.opening import opened
    from troth.restoring.drill import drill as drilled

    with opened(site) as site_:
        found = drilled(site_, folder, keys_from, None if within is None else timedelta(days=within))
    if json_:
        told = {**asdict(found), "at": iso(found.at), "backup_at": iso(found.backup_at), "since": iso(found.since)}
        as_json({"site": site_.name, **told, "passed": found.passed})
    else:
        typer.echo(
            f"The ledger in it is {'whole' if found.whole else 'broken'}; {found.people:,} people, {found.keys:,} keys."
        )
        typer.echo(f"Of {found.erased:,} people destroyed by {iso(found.since)}, it could bring back {found.back:,}.")
        aside(f"{site_.name}: recorded.")
    if not found.passed:
        raise typer.Exit(NO)
