"""The command ``troth``. It only names the commands; each imports what it needs when it runs, so that help comes at once.

Exit codes: 0 done, and the answer is yes; 1 the answer is no (an unsettled error, a broken promise, a ledger that does not
verify, a change that comes too soon); 2 it could not be done (wrong use, a file or store that is missing); 3 a mistake in
Troth itself; 130 interrupted.
"""

from __future__ import annotations

from typing import Annotated

import typer

from troth import __version__
from troth.commands import check, demo, diff, export, init, keys, ledger, notice, prove, publish, schema, serve, work
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


app.command("init")(init.init)
app.command("check")(check.check)
app.command("notice")(notice.notice)
app.command("diff")(diff.diff)
app.command("publish")(publish.publish)
app.command("serve")(serve.serve)
app.command("work")(work.work)
app.command("prove")(prove.prove)
app.add_typer(ledger.app, name="ledger")
app.add_typer(keys.app, name="keys")
app.add_typer(export.app, name="export")
app.command("schema")(schema.schema)
app.command("demo")(demo.demo)


def main() -> None:
    """Run the command line."""
    app()
