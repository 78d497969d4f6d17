"""``troth staff``: who may enter the desk of a site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from troth.commands.asking import Folder, Json
from troth.commands.saying import as_json, aside

if TYPE_CHECKING:
    from troth.store.site import Site

app = typer.Typer(help="Say who may enter the desk of a site, and in which roles.", no_args_is_help=True)

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="the name they log in with")]
Roles = Annotated[
    list[str],
    typer.Option(
        "--role", metavar="ROLE", help="`privacy lead`, `desk`, or a role of the policy's purposes; repeat it"
    ),
]


@app.command("add", short_help="add somebody, and print their set-up link")
def add(site: Folder, login: Login, role: Roles) -> None:
    """Add somebody to the staff and print the link with which they choose a password and set up an authenticator app.

    The link is good once, for a day. Give it to nobody else.

    \b
    Example: troth staff add my-shop ann --role "privacy lead"
    """
    from troth.commands.opening import made_ready, opened
    from troth.staff import actions

    with opened(site) as site_:
        made_ready(site_)
        link = actions.add(site_, login, role)
        _tell(site_, link)


@app.command("list", short_help="who is on the staff")
def listing(site: Folder, json_: Json = False) -> None:
    """Everybody on the staff: their roles, whether they are set up, and when they last logged in.

    \b
    Example: troth staff list my-shop
    """
    from troth.clock import iso
    from troth.commands.opening import opened
    from troth.staff.actions import everybody

    with opened(site) as site_, site_.reading() as conn:
        members = everybody(conn)
    if json_:
        told = [
            {"login": one.login, "roles": list(one.roles), "state": one.state}
            | {"last_log_in": iso(one.entered_at) if one.entered_at else None}
            for one in members
        ]
        as_json({"site": site_.name, "staff": told})
        return
    for one in members:
        last = f"last logged in {iso(one.entered_at)}" if one.entered_at else "never logged in"
        waiting = ", has not used the set-up link yet" if one.state == "waiting" else ""
        typer.echo(f"{one.login}  {', '.join(one.roles)}  {last}{waiting}")
    if not members:
        aside(f"{site_.name}: nobody is on the staff. `troth staff add` adds somebody.")


@app.command("role", short_help="give somebody other roles")
def role(site: Folder, login: Login, role: Roles) -> None:
    """Give somebody these roles in place of those they have, from their next request on.

    \b
    Example: troth staff role my-shop ann --role desk
    """
    from troth.commands.opening import opened
    from troth.staff import actions

    with opened(site) as site_:
        actions.change_roles(site_, login, role)
        aside(f"{site_.name}: `{login}` is now {', '.join(role)}.")


@app.command("reset", short_help="somebody lost their telephone or password")
def reset(site: Folder, login: Login) -> None:
    """End all that somebody logs in with, their sessions too, and print a new set-up link, good once and for a day.

    \b
    Example: troth staff reset my-shop ann
    """
    from troth.commands.opening import opened
    from troth.staff import actions

    with opened(site) as site_:
        link = actions.reset(site_, login)
        _tell(site_, link)


@app.command("remove", short_help="somebody leaves the staff")
def remove(site: Folder, login: Login) -> None:
    """Take somebody off the staff at once, wherever they are logged in.

    \b
    Example: troth staff remove my-shop ann
    """
    from troth.commands.opening import opened
    from troth.staff import actions

    with opened(site) as site_:
        actions.remove(site_, login)
        aside(f"{site_.name}: `{login}` is no longer on the staff.")


def _tell(site: Site, link: str) -> None:
    """The link on stdout, and what to know about it beside."""
    typer.echo(f"{site.wiring.base_url.rstrip('/')}/desk/setup/{link}")
    aside("Good once, for a day. Whoever opens it chooses the password, so give it to nobody else.")
