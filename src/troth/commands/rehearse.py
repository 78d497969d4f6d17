"""``troth rehearse``: a year of a site's life in minutes, on made-up people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from troth.commands.asking import Folder, Json
from troth.commands.saying import NO, as_json, aside, progress, write
from troth.errors import TrothError

if TYPE_CHECKING:
    from troth.rehearsal.asked import Asked
    from troth.rehearsal.report import Lived

DAYS, PEOPLE, SEED = 400, 2000, 7


def rehearse(
    site: Folder,
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="how long: 400, or what the events of --events take")
    ] = None,
    people: Annotated[int, typer.Option("--people", min=1, help="how many people come")] = PEOPLE,
    seed: Annotated[int, typer.Option("--seed", help="the same number, the same life; another, another")] = SEED,
    faults: Annotated[
        bool, typer.Option("--faults", help="kill the process, let stores fail and clocks go wrong")
    ] = False,
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy", metavar="DRAFT", help="also live it under this policy.yaml, and say what differs", exists=True
        ),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option("--events", metavar="FILE", help="live the events in FILE, as a rehearsal wrote it", exists=True),
    ] = None,
    json_: Json = False,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="write a page with the picture of the year")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="DIR", help="leave the site and its stores in this empty folder")
    ] = None,
    database: Annotated[
        str | None, typer.Option("--database", metavar="URL", help="an empty database instead of a file")
    ] = None,
    keys: Annotated[str | None, typer.Option("--keys", metavar="URL", help="another one, for the keys")] = None,
) -> None:
    """Live a year of a site's life in minutes, on made-up people, and check every day that all promises hold.

    Visits, forms, orders, choices, erasures, imports, amendments and hostile input follow from the policy alone. All of it
    happens in a copy: the site's own data is not touched. What goes wrong is brought about again with as few events as can
    be found; a file keeps them for --events.

    \b
    Example: troth rehearse my-shop --days 90 --people 200 --report year.html
    Exit: 0 all promises held; 1 something went wrong, or an error is unsettled; 2 it could not be rehearsed.
    """
    from troth.rehearsal.asked import Asked
    from troth.rehearsal.reproduce import read_events

    read = read_events(events) if events else ()
    lasts = days or (max((event.day for event in read), default=0) + 1 if events else DAYS)
    stores = {"database": database, "keys": keys}
    asked = Asked(site, lasts, people, seed, faults, policy, policy is not None, read, events, **stores)
    _refuse_what_cannot_be(asked)
    _tell(asked, keep, report, json_)


def _tell(asked: Asked, keep: Path | None, report: Path | None, json_: bool) -> None:
    """Live it, and answer in each form that was asked for."""
    from troth.commands.rehearsed import show
    from troth.rehearsal.report import document, picture

    lived, draft = _lived(asked, keep, report)
    made = document(lived.compiled.policy.operator.name or lived.life.site, lived, asked.command, draft)
    if report is not None:
        from troth.web.rehearsal_page import render_rehearsal

        write(render_rehearsal(made, picture(lived), picture(draft, "draft") if draft else None), report)
    if json_:
        as_json(made.model_dump(by_alias=True))
    else:
        show(made)
    if not made.held:
        raise typer.Exit(NO)


def _refuse_what_cannot_be(asked: Asked) -> None:
    """Before anything is lived. Raises ``TrothError``."""
    if (asked.database is None) != (asked.keys is None):
        raise TrothError(
            "Data and keys are kept apart, so --database and --keys go together.", "Name both, or neither."
        )
    if asked.policy and asked.database:
        raise TrothError("With --policy two lives are lived, and one database holds one.", "Leave --database out.")
    if asked.policy and asked.policy.is_dir():
        raise TrothError(f"{asked.policy} is a folder.", f"Name the draft itself: {asked.policy}/policy.yaml")


def _lived(asked: Asked, keep: Path | None, report: Path | None) -> tuple[Lived, Lived | None]:
    """Live what was asked for, and look for the shortest ways to what went wrong."""
    from troth.people.logs import guard_logs
    from troth.rehearsal.asked import compiled_of, live, live_draft, refuse_full, scratch, with_ways

    guard_logs()
    compiled_of(asked.site)
    if asked.policy:
        compiled_of(asked.site, asked.policy)
    for url in filter(None, (asked.database, asked.keys)):
        refuse_full(url)
    published, draft = replace(asked, policy=None), None
    beside = keep or (report.parent if report else Path())
    with scratch(keep) as folder:
        with progress("the published policy" if asked.policy else "rehearsing") as step:
            lived = live(published, folder, step)
        if asked.policy:
            with progress("the draft") as step:
                draft = live_draft(asked, folder, step)
        if lived.life.violations or (draft and draft.life.violations):
            with progress("the shortest way to what went wrong") as step:
                lived = with_ways(published, lived, beside, step)
                draft = with_ways(asked, draft, beside, step) if draft else None
    if keep:
        aside(f"The site and its stores are in {keep}.")
    return lived, draft
