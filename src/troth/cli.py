"""The command ``troth``. It only names the commands; each imports what it needs when it runs, so that help comes at once.

Exit codes: 0 done, and the answer is yes; 1 the answer is no (an unsettled error, a broken promise, a ledger that does not
verify, a change that comes too soon); 2 it could not be done (wrong use, a file or store that is missing); 3 a mistake in
Troth itself; 130 interrupted.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from troth import __version__
from troth.commands import (
    act,
    backup,
    check,
    demo,
    diff,
    export,
    figures,
    init,
    keys,
    ledger,
    notice,
    prove,
    publish,
    rehearse,
    request,
    restore,
    schema,
    serve,
    staff,
    stop,
    token,
    work,
)
from troth.commands.saying import Commands

app = typer.Typer(
    name="troth",
    cls=Commands,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"troth {__version__}")
        raise typer.Exit


@app.callback()
def _troth(
    debug: Annotated[bool, typer.Option("--debug", help="show where a mistake in Troth happened")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="print it")] = False,
) -> None:
    """Run a privacy policy: check it, publish its notice, serve it, and prove each of its promises.

    A SITE is a folder with policy.yaml, decisions.yaml and site.yaml. Exit codes: 0 done, and the answer is yes; 1 the
    answer is no; 2 it could not be done; 3 a mistake in Troth; 130 interrupted.
    """


_troth_can: dict[str, tuple[Any, str]] = {
    "init": (init.init, "make a site folder to start from"),
    "check": (check.check, "every finding in a policy, in one run"),
    "notice": (notice.notice, "the notice, as Markdown or as a page"),
    "diff": (diff.diff, "what a new version changes for people"),
    "publish": (publish.publish, "archive the policy as a version"),
    "serve": (serve.serve, "serve sites, each with a worker"),
    "work": (work.work, "a worker alone"),
    "prove": (prove.prove, "prove every promise on live data"),
    "figures": (figures.figures, "a statistic, in groups that single nobody out"),
    "stop": (stop.stop, "end a use or a recipient for everybody"),
    "lift": (stop.lift, "take a stop back"),
    "stops": (stop.stops, "what was stopped, and when"),
    "rehearse": (rehearse.rehearse, "a year of the site's life, in minutes"),
    "schema": (schema.schema, "JSON Schemas for your editor"),
    "demo": (demo.demo, "five operators, rehearsed, on one port"),
}
for _name, (_command, _short) in _troth_can.items():
    app.command(_name, short_help=_short)(_command)
app.command("act", short_help="carry out an act: close an order, disclose, ...", context_settings=act.ANY_OPTION)(
    act.act
)
app.add_typer(ledger.app, name="ledger", short_help="verify and export the record of acts")
app.add_typer(backup.app, name="backup", short_help="copy both stores, and try a copy")
app.add_typer(restore.app, name="restore", short_help="put a backup back, and release what waits")
app.add_typer(keys.app, name="keys", short_help="rotate the site key")
app.add_typer(request.app, name="request", short_help="people's requests")
app.add_typer(staff.app, name="staff", short_help="who may enter the desk")
app.add_typer(token.app, name="token", short_help="tokens of programs for acts")
app.add_typer(export.app, name="export", short_help="the policy in other programs' formats")


def main() -> None:
    """Run the command line."""
    app()
