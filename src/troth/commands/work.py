"""``troth work``: a worker alone."""

from __future__ import annotations

import signal
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from troth.commands.asking import Folder, Json
from troth.commands.saying import NO, as_json, aside

if TYPE_CHECKING:
    from troth.store.site import Site
    from troth.work import Turn


def work(
    site: Folder,
    once: Annotated[bool, typer.Option("--once", help="one turn: all that is due now, then stop")] = False,
    every: Annotated[float, typer.Option(metavar="SECONDS", min=0.1, help="time between two turns")] = 60.0,
    json_: Json = False,
) -> None:
    """Do what is due: expire, sweep, destroy, send, seal; again and again, until stopped.

    Several workers may run for one site, on several hosts.

    \b
    Example: troth work my-shop --once
    Exit: 0 done; 1 a task of the turn failed.
    """
    from troth.commands.opening import opened
    from troth.work import turn
    from troth.work import work as working

    with opened(site) as site_:
        site_.policy()
        if not once:
            stop = _stopped_by_signal()
            aside(f"{site_.name}: working every {every:g} s; Ctrl-C stops after the turn.")
            return working(site_, stop, every)
        done = turn(site_)
    _show(site_, done, json_)
    if done.problems:
        raise typer.Exit(NO)
    return None


def _show(site: Site, done: Turn, json_: bool) -> None:
    if json_:
        as_json({"site": site.name, "done": dict(done.done), "problems": dict(done.problems)})
        return
    for task, count in done.done.items():
        typer.echo(f"{task}: {count:,}")
    for task, problem in done.problems.items():
        typer.secho(f"{task}: {problem}", fg="red", err=True)


def _stopped_by_signal() -> Event:
    stop = Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    return stop
