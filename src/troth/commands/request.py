"""``troth request``: the rights desk from a terminal. Nothing personal is an argument: what was written comes from a file."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from troth.commands.asking import Folder, Json
from troth.commands.saying import as_json, aside

if TYPE_CHECKING:
    from troth.rights.desk import Listed

app = typer.Typer(help="See and enter people's requests; the pages of the desk do the rest.", no_args_is_help=True)

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="the number of the request")]
WRITTEN = frozenset({"name", "email", "text", "language"})
BY = "terminal"
"""whoever may run this on the host of a site is known by that"""


@app.command("list", short_help="what is open, or has ended")
def listing(
    site: Folder,
    ended: Annotated[bool, typer.Option("--ended", help="those that ended, the youngest first")] = False,
    json_: Json = False,
) -> None:
    """The open requests, the one that is due first ahead; no names and no addresses.

    \b
    Example: troth request list my-shop
    """
    from troth.commands.opening import opened
    from troth.rights import desk

    with opened(site) as site_:
        found = desk.queue(site_, ended=ended)
    if json_:
        as_json({"site": site_.name, "requests": [_told(one) for one in found]})
        return
    for one in found:
        told = _told(one)
        typer.echo(f"{one.id}  due {told['due']}  {one.right}, by {one.channel}: {one.outcome or one.state}")
    if not found:
        aside(f"{site_.name}: {'no request has ended' if ended else 'nothing waits'}.")


def _told(one: Listed) -> dict[str, str]:
    from troth.clock import iso

    told = {"id": one.id, "right": one.right, "channel": one.channel, "state": one.state}
    return told | {"waits_for": one.waits_for, "received": iso(one.at), "due": iso(one.due_at), "outcome": one.outcome}


@app.command("show", short_help="one request, with its history")
def show(site: Folder, number: Number, json_: Json = False) -> None:
    """What a request asks for, how far it is and what happened with it; what was written is shown at the desk alone.

    \b
    Example: troth request show my-shop 01kb2p4ym08d9d7ntfabn3aq94
    """
    from troth.clock import iso
    from troth.commands.opening import opened
    from troth.rights import desk

    with opened(site) as site_:
        shown = desk.shown(site_, number)
    steps = [{"at": iso(step.at), "act": step.act, "by": step.by} for step in shown.steps]
    letters = [{"at": iso(one.at), "state": one.state} for one in shown.letters]
    if json_:
        told = {"known": shown.known, "verified_by": shown.verified_by, "steps": steps, "letters": letters}
        as_json({"site": site_.name, **_told(shown.listed), **told})
        return
    for key, value in _told(shown.listed).items():
        typer.echo(f"{key}: {value or '-'}")
    for step in steps:
        typer.echo(f"{step['at']}  {step['act']}  by {step['by']}")


@app.command("enter", short_help="take in what came by letter")
def enter(
    site: Folder,
    right: Annotated[str, typer.Argument(metavar="RIGHT", help="what is asked for, such as `erasure` or `question`")],
) -> None:
    """Take in a request that came by letter; JSON on standard input says who wrote what: name, email, text, language.

    \b
    Example: troth request enter my-shop erasure < letter.json
    """
    import secrets

    from troth.clock import iso
    from troth.commands.opening import opened
    from troth.rights.intake import receive
    from troth.rights.rules import Intake

    written = _read()
    key = f"terminal:{secrets.token_hex(12)}"
    wish = Intake(
        right, "letter", key, written.get("email", ""), written.get("name", ""), written.get("text", ""),
        language=written.get("language", "en"), by=BY,
    )  # fmt: skip
    with opened(site) as site_:
        received = receive(site_, wish)
    aside(f"{site_.name}: request {received.id}, due {iso(received.due_at)}: {received.state}.")


def _read() -> dict[str, str]:
    """The object on standard input. Raises ``InvalidInput`` when it is none, or has other keys than a letter has."""
    from troth.errors import InvalidInput

    try:
        written = json.load(sys.stdin)
    except ValueError:
        written = None
    if not isinstance(written, dict) or not written.keys() <= WRITTEN:
        hint = f"It may have: {', '.join(sorted(WRITTEN))}."
        raise InvalidInput("Standard input must hold one JSON object of texts.", hint=hint)
    return {key: str(value) for key, value in written.items()}


@app.command("cancel", short_help="take a request back")
def cancel(site: Folder, number: Number) -> None:
    """Take a request back at its person's wish, while nothing that cannot be undone has happened.

    \b
    Example: troth request cancel my-shop 01kb2p4ym08d9d7ntfabn3aq94
    """
    from troth.commands.opening import opened
    from troth.errors import Refused
    from troth.rights import carrying

    with opened(site) as site_:
        if not carrying.cancel(site_, number, BY):
            raise Refused("This can no longer be taken back.", "It is over, or what was destroyed is gone.")
    aside(f"{site_.name}: request {number} is taken back.")
