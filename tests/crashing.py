"""Processes of their own that are killed, with no chance to tidy up, at a point that the test names."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, text

from tests.bare import open_bare
from troth.agenda import Job, run_due
from troth.clock import MovedClock
from troth.ledger import seal
from troth.store.site import Site

KILLED = -signal.SIGKILL

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(
    [f"tests.{one}_crashes" for one in ("change", "collection", "key", "reading", "request")]
)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def exit_of(target: Callable[..., None], *args: Any) -> int | None:
    """Run ``target`` in a process of its own and say how it ended: ``KILLED``, 0, or another number."""
    process = _processes.Process(target=target, args=args)
    process.start()
    process.join(60)
    ended = process.exitcode
    process.kill()
    return ended


def die_at_statement(site: Site, words: str, nth: int = 1) -> None:
    """Die just before the ``nth`` statement that holds ``words`` reaches the database."""
    met = 0

    @event.listens_for(site.engine, "before_cursor_execute")
    def _before(_c: Connection, _k: Any, statement: str, _p: Any, _x: Any, _m: bool) -> None:
        nonlocal met
        met += words in statement
        if met == nth:
            die()


def die_at_commit_after(site: Site, words: str, nth: int = 1) -> None:
    """Die after the ``nth`` statement that holds ``words`` was carried out, just before its transaction commits."""
    met = 0

    @event.listens_for(site.engine, "after_cursor_execute")
    def _after(_c: Connection, _k: Any, statement: str, _p: Any, _x: Any, _m: bool) -> None:
        nonlocal met
        met += words in statement

    @event.listens_for(site.engine, "commit")
    def _commit(_c: Connection) -> None:
        if met == nth:
            die()


def effect(site: Site, job: Job) -> None:
    """An idempotent act: one row for a key however often it runs; ``runs`` counts how often that was."""
    with site.writing() as conn:
        conn.execute(text("INSERT INTO effect (key) VALUES (:key) ON CONFLICT DO NOTHING"), {"key": job.ref})
        conn.execute(text("INSERT INTO runs (key) VALUES (:key)"), {"key": job.ref})


def work_and_die(folder: str, database: str, at: datetime, point: str, nth: int) -> None:
    """Run due jobs and die at ``point`` of the ``nth`` job."""
    site = open_bare(Path(folder), database, MovedClock(at))
    begun = 0

    def handler(_site: Site, job: Job) -> None:
        nonlocal begun
        begun += 1
        if point == "before the act" and begun == nth:
            die()
        effect(site, job)
        if point == "after the act" and begun == nth:
            die()

    if point == "after taking":
        die_at_commit_after(site, "UPDATE job SET due_at")
    if point == "before marking":
        die_at_statement(site, "SET lease_until=", nth)
    if point == "while marking":
        die_at_commit_after(site, "done_at=", nth)
    run_due(site, {"act": handler}, limit=7)


def seal_and_die(folder: str, database: str, at: datetime, point: str, nth: int) -> None:
    """Seal in batches of 10 and die at ``point`` of the ``nth`` batch."""
    site = open_bare(Path(folder), database, MovedClock(at))
    if point == "before placing":
        die_at_statement(site, "UPDATE ledger_entry", nth)
    if point == "before signing":
        die_at_statement(site, "INSERT INTO ledger_checkpoint", nth)
    if point == "before commit":
        die_at_commit_after(site, "INSERT INTO ledger_checkpoint", nth)
    seal(site, batch=10)
