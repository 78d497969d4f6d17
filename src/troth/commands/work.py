"""``troth work``: a worker alone."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
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

    With --once it says what was done, and which jobs wait and why. --json has a count for every task.

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
    said = [SAID[task].format(count=f"{count:,}") for task, count in done.done.items() if count and task in SAID]
    typer.echo(f"{site.name}: done:" if said else f"{site.name}: nothing was due.")
    for line in (*said, *_left(site)):
        typer.echo(f"  {line}")
    for task, problem in done.problems.items():
        typer.secho(f"{task}: {problem}", fg="red", err=True)
    for one in standing:
        typer.secho(f"alarm: {one.kind}, since {iso(one.since)}: {one.words}", fg="red", err=True)


SAID: Mapping[str, str] = {
    "visits": "visit records past their time: {count} removed",
    "log-ins": "log-ins by which business goes on: {count} noted",
    "sweep": "records past their time: {count} taken out of use or destroyed",
    "destroy": "endings whose time had come: {count} destroyed",
    "mail in": "mails that came: {count} taken in",
    "requests": "requests: {count} moved on",
    "confirmations": "confirmations: {count} to be sent",
    "announcements": "versions that a page announced: {count} noted",
    "reminders": "reminders of a change: {count} to be sent",
    "accounts": "sessions, links and tries of members that were over: {count} removed",
    "staff": "sessions, links and rows of the log of the staff that were over: {count} removed",
    "agenda": "mails, deliveries and other jobs: {count} done",
    "orphans": "keys of nobody: {count} destroyed",
    "seal": "entries of the ledger: {count} sealed",
    "witness": "witnesses: {count} took the last checkpoint",
}
"""what an operator is told of a task that did something; the others are housekeeping, or are told as alarms"""
UNTOLD = frozenset({"mail that came", "protocols", "act keys", "stores", "alarms"})


def _left(site: Site) -> Iterator[str]:
    """What waits after the turn, and what keeps it from being done."""
    from troth.agenda.watch import problems, waiting

    with site.reading() as conn:
        left, why = waiting(conn, site.now()), problems(conn)
    jobs = left.due + left.taken + left.later
    if jobs:
        yield f"jobs that wait: {jobs:,}, of which {left.failing:,} failed when last tried"
    for problem, count in why:
        yield f"  {count:,}: {problem.partition(': ')[2] or f'a mistake in Troth ({problem})'}"


def _stopped_by_signal() -> Event:
    stop = Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    return stop
