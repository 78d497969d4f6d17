"""``troth diff``: what a new version changes for people."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from troth.commands.asking import Json
from troth.commands.saying import NO, as_json
from troth.errors import PolicyError

if TYPE_CHECKING:
    from troth.policy.diff import Change, Difference
    from troth.policy.model import Policy

Version = Annotated[Path, typer.Argument(help="a policy.yaml, or a site folder with its decisions", exists=True)]
_COLOURS = {"significant": "red", "small": None, "internal": "bright_black"}
_MARKS = {"new": "+", "gone": "-", "changed": "~"}
_DIRECTIONS = {"more": " (more use of data)", "less": " (less use of data)", "": ""}


def diff(
    old: Version,
    new: Version,
    json_: Json = False,
    lang: Annotated[str, typer.Option("--lang", metavar="TAG", help="language of the sentences")] = "en",
) -> None:
    """Say what a new version changes for people, how material it is, whom to tell, and how soon it may take effect.

    \b
    Example: troth diff published/my-shop my-shop
    Exit: 0 it may follow; 1 its number or its day does not fit.
    """
    from troth.clock import SystemClock
    from troth.policy.diff import diff as compared

    found = compared(_policy(old), _policy(new), SystemClock().now(), lang)
    if json_:
        as_json(_plain(found))
    else:
        _show(found)
    if found.problems:
        raise typer.Exit(NO)


def _policy(path: Path) -> Policy:
    """The policy in effect in a site folder, or that of a file alone."""
    from troth.policy.check import check, check_document
    from troth.policy.decisions import Taken
    from troth.policy.document import read_document

    checked = check(path) if path.is_dir() else check_document(read_document(path), Taken())
    if checked.policy is None:
        raise PolicyError(f"{path} cannot be read as a policy.", f"`troth check {path}` says why.")
    return checked.policy


def _plain(found: Difference) -> dict[str, Any]:
    changes = [{**asdict(change), "path": list(change.path)} for change in found.changes]
    return {
        "versions": list(found.versions),
        "significance": found.significance if found.changes else "none",
        "changes": changes,
        "sentences": [asdict(sentence) for sentence in found.sentences],
        "tell": list(found.people),
        "told_by": list(found.told_by),
        "lead_time": str(found.lead_time) if found.lead_time else None,
        "earliest": found.earliest.isoformat(),
        "problems": list(found.problems),
    }


def _show(found: Difference) -> None:
    if not found.changes:
        typer.echo("Nothing changes for people.")
        return
    typer.echo(f"Version {found.versions[0]} to {found.versions[1]}: {_counts(found)}.")
    for change in found.changes:
        typer.secho(f"  {_line(change)}", fg=_COLOURS[change.significance])
    if found.sentences:
        typer.echo("\nHow the notice reads:")
    for sentence in found.sentences:
        for mark, words in (("-", sentence.before), ("+", sentence.after)):
            if words:
                typer.echo(f"  {mark} {words}")
    _show_duties(found)


def _counts(found: Difference) -> str:
    each = [(sum(c.significance == word for c in found.changes), word) for word in ("significant", "small", "internal")]
    return ", ".join(f"{number} {word}" for number, word in each if number)


def _line(change: Change) -> str:
    where = ".".join(change.path)
    what = f"{change.before} -> {change.after}" if change.kind == "changed" else change.before or change.after
    return f"{_MARKS[change.kind]} {where}: {what}{_DIRECTIONS[change.direction]} [{change.significance}: {change.because}]"


def _show_duties(found: Difference) -> None:
    told = ", ".join(found.told_by) or "no way was promised"
    if found.people:
        typer.echo(f"\nTell: {', '.join(found.people)} (by {told}).")
    else:
        typer.echo("\nNobody needs to be told; the page changes.")
    typer.echo(f"Earliest day: {found.earliest} ({_notice(found)}).")
    for problem in found.problems:
        typer.secho(problem, fg="red", err=True)


def _notice(found: Difference) -> str:
    return f"people were promised {found.lead_time} of notice" if found.lead_time else "no notice was promised"
