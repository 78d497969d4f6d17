"""``troth token``: tokens with which the operator's programs carry out acts over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from troth.commands.asking import Folder, Json
from troth.commands.saying import as_json, aside

app = typer.Typer(help="Give programs tokens for acts over HTTP, and take them back.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="PROGRAM", help="what the program is called: small letters, digits, -")]
May = Annotated[
    list[str], typer.Option("--may", metavar="ACT", help="an act, or a group of acts such as `deal`; repeat it")
]
Until = Annotated[datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="the day on which it ends")]


@app.command("add", short_help="make a token, and print it once")
def add(site: Folder, program: Name, may: May, until: Until = None) -> None:
    """Make a token for a program and print it, this once; only its digest is kept.

    Of one program there may be several at a time: add the new one, move the program, revoke the old one by its id.

    \b
    Example: troth token add my-shop web-shop --may deal --may disclose
    """
    from troth.acts import tokens
    from troth.commands.opening import made_ready, opened

    wanted = [part for one in may for part in one.replace(",", " ").split()]
    with opened(site) as site_:
        site_.policy()
        made_ready(site_)
        id_, secret = tokens.add(site_, program, wanted, until.replace(tzinfo=UTC) if until else None)
    typer.echo(secret)
    aside(f"{site_.name}: token {id_} of {program}. It is not shown again.")


@app.command("list", short_help="the tokens in force")
def listing(site: Folder, json_: Json = False) -> None:
    """The tokens in force: their ids, programs and acts; never the tokens themselves.

    \b
    Example: troth token list my-shop
    """
    from troth.acts import tokens
    from troth.clock import iso
    from troth.commands.opening import opened

    with opened(site) as site_:
        found = tokens.listed(site_)
    if json_:
        told = [
            {"id": one.id, "program": one.name, "may": list(one.may), "made": iso(one.made_at),
             "until": iso(one.ends_at) if one.ends_at else None}
            for one in found
        ]  # fmt: skip
        as_json({"site": site_.name, "tokens": told})
        return
    for one in found:
        until = f", until {iso(one.ends_at)}" if one.ends_at else ""
        typer.echo(f"{one.id}  {one.name}: {', '.join(one.may)}; made {iso(one.made_at)}{until}")
    if not found:
        aside(f"{site_.name}: no program has a token; `troth token add` makes one.")


@app.command("revoke", short_help="end a token now")
def revoke(site: Folder, token: Annotated[str, typer.Argument(metavar="ID|PROGRAM", help="which")]) -> None:
    """End one token, or all of a program: they open nothing from now on.

    \b
    Example: troth token revoke my-shop web-shop
    """
    from troth.acts import tokens
    from troth.commands.opening import opened

    with opened(site) as site_:
        count = tokens.revoke(site_, token)
    aside(f"{site_.name}: {count} token{'s' if count != 1 else ''} revoked.")
