"""``troth check``: all findings in one run."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from troth.commands.asking import Folders
from troth.commands.saying import CANNOT, NO, as_json, fail
from troth.errors import TrothError

if TYPE_CHECKING:
    from troth.policy.check import Checked


class Format(StrEnum):
    """How findings are written."""

    text = "text"
    json = "json"
    sarif = "sarif"


def check(
    sites: Folders,
    format_: Annotated[Format, typer.Option("--format", "-f", help="`text`, `json` or `sarif`")] = Format.text,
    as_published: Annotated[bool, typer.Option("--as-published", help="leave the decisions out")] = False,
    all_: Annotated[bool, typer.Option("--all", help="in text, also the findings that decisions settle")] = False,
) -> None:
    """Say everything that is wrong with a site's policy and its wiring, in one run, with line and hint.

    \b
    Example: troth check sites/* --format sarif > findings.sarif
    Exit: 0 nothing unsettled; 1 an error that no decision settles; 2 a file that cannot be read.
    """
    read, unreadable = _read(sites, as_published)
    if format_ is Format.text:
        _as_text(read, all_)
    else:
        as_json(_sarif(read) if format_ is Format.sarif else {"sites": [_plain(*one) for one in read]})
    for error in unreadable:
        fail(error)
    if unreadable:
        raise typer.Exit(CANNOT)
    if any(checked.unsettled for _, checked in read):
        raise typer.Exit(NO)


def _read(folders: list[Path], as_published: bool) -> tuple[list[tuple[Path, Checked]], list[TrothError]]:
    """Each site checked, and what could not be read of the others: one bad file hides no other."""
    from troth.clock import SystemClock
    from troth.store.wiring import check_site

    today = SystemClock().now().date()
    read, unreadable = [], []
    for folder in folders:
        try:
            read.append((folder, check_site(folder, as_published, today)))
        except TrothError as error:
            unreadable.append(type(error)(f"{folder}: {error.message}", error.hint))
    return read, unreadable


def _as_text(read: list[tuple[Path, Checked]], all_: bool) -> None:
    from troth.policy.report import count

    for folder, checked in read:
        for finding in checked.findings:
            if all_ or not finding.settled_by:
                shown = replace(finding, place=replace(finding.place, file=f"{folder}/{finding.place.file}"))
                typer.secho(shown.line(), fg=_COLOURS.get(finding.severity) if not finding.settled_by else None)
        typer.echo(f"{folder}: {count(checked.findings)}")


_COLOURS = {"error": "red", "warning": "yellow"}


def _plain(folder: Path, checked: Checked) -> dict[str, Any]:
    from troth.policy.report import as_json as findings

    return {"site": str(folder), "unsettled": len(checked.unsettled), "findings": findings(checked.findings)}


def _sarif(read: list[tuple[Path, Checked]]) -> dict[str, Any]:
    from troth.policy.report import as_sarif

    logs = [as_sarif(checked.findings, str(folder)) for folder, checked in read]
    first = logs[0] if logs else as_sarif(())
    return {**first, "runs": [run for log in logs or [first] for run in log["runs"]]}
