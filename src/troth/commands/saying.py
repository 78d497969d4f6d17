"""How commands speak: answers on stdout, everything else on stderr; plain words when it goes wrong, never a traceback."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn, TextIO

import typer
from typer.core import TyperGroup

from troth.errors import InvalidInput, NotAllowed, TrothError

YES, NO, CANNOT, MISTAKE = 0, 1, 2, 3

Step = Callable[[int, int, str], None]
"""Called with how much is done, how much there is, and what was done last."""


class Commands(TyperGroup):
    """The commands, with every error turned into one clear line on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except TrothError as error:
            fail(error)
            raise typer.Exit(NO if isinstance(error, NotAllowed) else CANNOT) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        except BrokenPipeError:
            _close_stdout()
            raise typer.Exit(YES) from None
        except Exception as mistake:
            if ctx.find_root().params.get("debug") or _for_typer(mistake):
                raise
            _mistake(mistake)


class OrDefault(TyperGroup):
    """A command with commands below it: ``troth restore SITE DIR`` beside ``troth restore release SITE``."""

    DEFAULT = "site"
    """the name of what is meant when the first word names no command"""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands:
            args = [self.DEFAULT, *args]
        return super().resolve_command(ctx, args)


def _for_typer(error: Exception) -> bool:
    """Whether typer itself says it to the user: wrong use, an exit, an interrupt."""
    return type(error).__module__.startswith("typer")


def _close_stdout() -> None:
    """Whoever read us went away; without this Python complains once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(error: TrothError) -> None:
    """What happened, in red, and what to do about it."""
    typer.secho(f"troth: {error.message}", fg="red", err=True)
    for name, words in error.problems.items() if isinstance(error, InvalidInput) else ():
        typer.echo(f"  {name}: {words}", err=True)
    if error.hint:
        typer.echo(f"  {error.hint}", err=True)


def _mistake(mistake: Exception) -> NoReturn:
    log = _log_file()
    where = f"{log} says where" if _noted(log, mistake) else "--debug shows where"
    typer.secho(f"troth: a mistake in Troth ({type(mistake).__name__}); {where}.", fg="red", err=True)
    typer.echo("  `troth --debug ...` shows all of it.", err=True)
    raise typer.Exit(MISTAKE) from None


def _log_file() -> Path:
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "troth" / "mistakes.log"


def _noted(log: Path, mistake: Exception) -> bool:
    """Where it happened goes to the log; what it said does not, since it may quote somebody's data."""
    frames = "".join(traceback.format_tb(mistake.__traceback__))
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{type(mistake).__name__}\n{frames}\n")
    except OSError:
        return False
    return True


def as_json(value: object) -> None:
    """``value`` for programs, on stdout."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def aside(words: str) -> None:
    """Something for the person at the terminal that is no part of the answer."""
    typer.echo(words, err=True)


@contextlib.contextmanager
def writing(out: Path | None) -> Iterator[TextIO]:
    """The file ``out``, or stdout, to write an answer to. Raises ``TrothError`` when it cannot be written."""
    if out is None:
        yield sys.stdout
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("w", encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise TrothError(f"{out} cannot be written: {error.strerror}.", "Name another file with --out.") from None
    aside(f"Wrote {out}.")


def write(text: str, out: Path | None) -> None:
    """``text`` into the file ``out``, or on stdout. Raises ``TrothError`` when it cannot be written."""
    with writing(out) as file:
        file.write(text if text.endswith("\n") else f"{text}\n")


@contextlib.contextmanager
def progress(title: str) -> Iterator[Step]:
    """A bar on stderr that grows with each step; only where somebody looks at a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    named, last = TextColumn("{task.description}"), TextColumn("{task.fields[what]}")
    columns = (named, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), last)
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None, what="")

        def step(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, what=what)

        yield step
