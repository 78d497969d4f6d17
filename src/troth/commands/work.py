"""``troth work``: a worker alone."""

from __future__ import annotations

import signal
from dataclasses import asdict
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from troth.clock import iso
from troth.commands.asking import Folder, Json
from troth.commands.saying import NO, as_json, aside

if TYPE_CHECKING:
    from troth.retention.alarms import Alarm
    from troth.store.site import Site
    from troth.work import Turn


def work(
    site: Folder,
    once: Annotated[bool, typer.Option("--once", help="one turn: all that is due now, then stop")] = False,
    every: Annotated[float, typer.Option(metavar="SECONDS", min=0.1, help="time between two turns")] = 60.0,
    json_: Json = False,
) -> None:
    """Do what is due: expire, sweep, destroy, send, seal; again and again, until stopped.

    Several workers may run for one site, on several hosts. A site whose files have unsettled errors is refused.

    \b
    Example: troth work my-shop --once
    Exit: 0 done; 1 a task of the turn failed, an alarm stands, or an error is unsettled; 2 nothing is published.
    """
    from troth.commands.opening import opened, settled
    from troth.commands.serve import mail_taken_in
    from troth.work import standing, turn
    from troth.work import work as working

    settled(site, "worked for")
    with opened(site) as site_:
        site_.policy()
        if not once:
            stop = _stopped_by_signal()
            aside(f"{site_.name}: working every {every:g} s; Ctrl-C stops after the turn.")
            with mail_taken_in([site_]):
                return working(site_, stop, every)
        done = turn(site_)
        alarms = standing(site_)
    _show(site_, done, alarms, json_)
    if done.problems or alarms:
        raise typer.Exit(NO)
    return None


def _show(site: Site, done: Turn, standing: list[Alarm], json_: bool) -> None:
    if json_:
        told = [{**asdict(one), "since": iso(one.since)} for one in standing]
        as_json({"site": site.name, "done": dict(done.done), "problems": dict(done.problems), "alarms": told})
        return
    for task, count in done.done.items():
        typer.echo(f"{task}: {count:,}")
    for task, problem in done.problems.items():
        typer.secho(f"{task}: {problem}", fg="red", err=True)
    for one in standing:
        typer.secho(f"alarm: {one.kind}, since {iso(one.since)}: {one.words}", fg="red", err=True)


def _stopped_by_signal() -> Event:
    stop = Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    return stop
