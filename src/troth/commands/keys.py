"""``troth keys``: the site key."""

from __future__ import annotations

import typer

from troth.commands.asking import Folder, Json
from troth.commands.saying import as_json, aside

app = typer.Typer(help="The site key, which wraps every person's key.", no_args_is_help=True)


@app.callback()
def _keys() -> None:
    """The site key, which wraps every person's key."""


@app.command()
def rotate(site: Folder, json_: Json = False) -> None:
    """Change the site key while the site runs; one that was interrupted is finished.

    Back up the new secret afterwards, and destroy the copies of the old one.

    \b
    Example: troth keys rotate my-shop
    """
    from troth.commands.opening import opened
    from troth.people.rotation import rotate as rotated

    with opened(site) as site_:
        wrapped = rotated(site_)
    if json_:
        as_json({"site": site_.name, "wrapped": wrapped})
    else:
        aside(f"{site_.name}: the site key is new; {wrapped:,} keys of people were wrapped anew. Back it up now.")
