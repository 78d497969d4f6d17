"""``troth demo``: the five operators, rehearsed, on one port."""

from __future__ import annotations

import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from troth.commands.saying import aside, progress
from troth.commands.serve import Port, listen, working
from troth.errors import TrothError

if TYPE_CHECKING:
    from troth.rehearsal.desk import Key
    from troth.store.site import Site

HERE = Path("var") / "demo"


def demo(
    prepare: Annotated[
        Path | None,
        typer.Option("--prepare", metavar="DIR", help="build the site folders with their data in DIR, and stop"),
    ] = None,
    port: Port = 8080,
    sites: Annotated[
        Path | None, typer.Option("--sites", metavar="DIR", help="the operators' site folders", exists=True)
    ] = None,
) -> None:
    """Build the five operators' sites, let each live a stretch of seeded life, and serve them on this machine only.

    In the last days named people use what the policy offers, staff answer at the desk, and a version 2 is announced.

    Mail stays here, in the development mailbox of each site. The data is in var/demo below the working directory; a second
    start uses it again.

    \b
    Example: troth demo --port 8080
    """
    folders = _built(prepare or HERE, sites)
    if not folders:
        raise TrothError(f"There is no site folder in {sites}.", "Name a folder that holds site folders.")
    if prepare is not None:
        for folder in folders:
            typer.echo(folder)
        return
    _serve(folders, port)


def _built(folder: Path, sites: Path | None) -> list[Path]:
    from troth.people.logs import guard_logs
    from troth.rehearsal.demo import find_sites
    from troth.rehearsal.demo import prepare as build
    from troth.web.inside import Browser

    guard_logs()
    with progress("building the sites") as step:

        def told(what: str, done: int, total: int) -> None:
            step(done, total, what)
            if not sys.stderr.isatty():
                aside(f"built {what} ({done} of {total})")

        return build(folder, sites or find_sites(Path.cwd()), Browser, told)


def _serve(folders: list[Path], port: int) -> None:
    from troth.messages.mailbox import Mailbox
    from troth.rehearsal.demo import open_all
    from troth.rehearsal.desk import staffed
    from troth.rehearsal.stand_in import StandIns
    from troth.web.app import make_app

    with ExitStack() as stack:
        mailbox = Mailbox()
        mailbox.start()
        stack.callback(mailbox.stop)
        sites = [stack.enter_context(closing(site)) for site in open_all(folders, mailbox)]
        stand_ins = StandIns()
        stand_ins.start(sites)
        stack.callback(stand_ins.stop)
        stack.enter_context(working(sites))
        for site in sites:
            tell(site, staffed(site), f"http://127.0.0.1:{port}/{site.name}")
        aside("No mail leaves this machine: a mailbox page shows what its site sends, within a minute.")
        aside(
            "The code of the moment for a desk is on the mailbox page, too, since this is a demo on this machine only."
        )
        aside(f"The data is in {folders[0].parent}; remove it to begin again.")
        listen(make_app(sites, mailbox=mailbox, demo=True), sites, "127.0.0.1", port)


def tell(site: Site, desk: Key, address: str) -> None:
    """Say where the pages of ``site`` are, and what opens them."""
    from troth.rehearsal.desk import member_of

    member = member_of(site)
    aside(f"{site.name}: {address}/")
    aside(f"  mailbox  {address}/mailbox")
    aside(f"  desk     {address}/desk  name {desk.login}, password `{desk.password}`, secret for an app {desk.secret}")
    if member:
        aside(f"  member   {address}/account  e-mail {member.address}, password `{member.password}`")
