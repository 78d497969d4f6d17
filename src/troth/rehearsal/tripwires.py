"""Where a store goes wrong while a site acts, by the number of the statement: counted, not timed, so that a seed replays it.

Every statement and every commit of both stores passes here on its way to the driver. A mishap is armed for one task; when its
statement comes, the process dies before or after it, or the store fails as it really would: a connection that the server ends,
a disk that cannot be written, a commit whose answer never arrives. The errors are the driver's own, raised where the driver
raises them.
"""

from __future__ import annotations

import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from threading import Event as Waiting
from typing import Any

import psycopg
from sqlalchemy import Engine, event

from troth.rehearsal.faults import COMMIT, STATEMENT, Mishap, Place, Step, Where
from troth.store.site import Site

LATE_S = 0.02
_EXECUTING = ("do_execute", "do_executemany", "do_execute_no_params")


class Tripwires:
    """Counts what both stores of a site are asked, and lets an armed mishap happen. ``part`` names what is being done."""

    def __init__(self, site: Site) -> None:
        self.part = ""
        self.met: Counter[Place] = Counter()
        """how many statements and commits there were since the mishap was armed"""
        self.sprung = False
        self._mishap: Mishap | None = None
        stores: tuple[tuple[Where, Engine], ...] = (("data", site.engine), ("keys", site.keys))
        for store, engine in stores:
            event.listen(engine, "before_cursor_execute", _let_all_pass)
            for name in _EXECUTING:
                self._wire(engine, store, STATEMENT, name)
            self._wire(engine, store, COMMIT, "do_commit")

    def arm(self, mishap: Mishap | None) -> None:
        """Begin to count anew, and let ``mishap`` happen when its place is reached."""
        self.part, self._mishap, self.sprung = "", mishap, False
        self.met.clear()

    def _wire(self, engine: Engine, store: Where, step: Step, name: str) -> None:
        """Let ``engine`` do what its dialect calls ``name`` through here."""
        original = getattr(engine.dialect, name)

        def wired(first: Any, *rest: Any) -> Any:
            raw = first.driver_connection if step == COMMIT else first.connection
            return self._pass(Place(store, step, self.part), engine, raw, lambda: original(first, *rest))

        setattr(engine.dialect, name, wired)

    def _pass(self, place: Place, engine: Engine, raw: Any, carry_out: Callable[[], Any]) -> Any:
        self.met[place] += 1
        mishap = self._mishap
        if mishap is None or mishap.place != place or mishap.nth != self.met[place]:
            return carry_out()
        self._mishap, self.sprung = None, True
        if mishap.kind == "killed before":
            die()
        if mishap.kind == "late":
            Waiting().wait(LATE_S)
        if mishap.kind == "failed":
            _fail(engine, raw)
        done = carry_out()
        if mishap.kind == "killed after":
            die()
        if mishap.kind == "answer lost":
            _lose(engine, raw)
        return done


def _let_all_pass(*_statement: object) -> None:
    """Nothing is handed past SQLAlchemy while anybody listens (see ``store.prepared``)."""


def die() -> None:
    """End this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def _fail(engine: Engine, raw: Any) -> None:
    """Let the store fail before it does what it is asked: PostgreSQL ends the connection, SQLite's disk cannot be read."""
    if engine.dialect.name == "sqlite":
        raise sqlite3.OperationalError("disk I/O error")
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as side:
        side.execute("SELECT pg_terminate_backend(%s, 5000)", (raw.info.backend_pid,))


def _lose(engine: Engine, raw: Any) -> None:
    """Let the answer get lost after it was done: the connection is closed under the client, who cannot know."""
    if engine.dialect.name == "sqlite":
        raise sqlite3.OperationalError("disk I/O error")
    raw.close()
    raise psycopg.OperationalError("server closed the connection unexpectedly")
