"""Lives events in spite of everything: what was not confirmed is done again, until it is.

The parent's half: it chooses the mishap, plays the other side, and decides by the answer alone. An answer confirms a task. No
answer, or a store that says no, confirms nothing: what was asked has happened whole or not at all, and is asked for again at
the same instant, under the same keys. Whether it happened once, and whole, is then for the model to see.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event as Waiting
from typing import cast

from sqlalchemy import Connection, Engine, inspect, text

from troth.errors import StoreError
from troth.rehearsal.bothered import NAME, Armed, Done, bothered
from troth.rehearsal.child import Child, Killed
from troth.rehearsal.events import Act
from troth.rehearsal.faults import TRIES, Mishap, Plan, Where
from troth.rehearsal.model import Wrong
from troth.rehearsal.remote import FaultyMailbox, FaultyStandIns, disagreements
from troth.rehearsal.result import Outcome
from troth.rehearsal.stage import Stage
from troth.rehearsal.tasks import Task
from troth.retention.alarms import alarms
from troth.store import engines
from troth.visits.sweep import overdue
from troth.work import Turn

BETWEEN_TURNS = timedelta(minutes=15)
"""after a turn that went wrong the worker takes the next one; longer than any lease"""
TOO_LONG = 3
"""days without the worker after which there must be an alarm"""
_WHOLE = 25
"""each so many times it is the actor itself that is killed and no double, which costs more"""
_FIRST = 5
_LEAVES: Mapping[Act, set[Where]] = {"disclose": {"recipient"}, "submit": {"mail"}, "import": {"mail"}}
"""where something may arrive in the turn after an event"""


class Trouble:
    """``Hands`` for a rehearsal of ``days``: lives and works on ``stage`` in a process that is killed now and then.

    ``caused`` counts the faults that happened, by name; ``again`` how often something was done again.
    """

    def __init__(self, stage: Stage, seed: int, days: int, mailbox: FaultyMailbox, stand_ins: FaultyStandIns) -> None:
        self.caused: Counter[str] = Counter()
        self.again = 0
        self._plan, self._deadly = Plan(seed), 0
        self._absent = {day + n: n + 1 for day, missed in self._plan.absences(days).items() for n in range(missed)}
        self._site, self._stand_ins, self._mailbox = stage.site, stand_ins, mailbox
        self._desks = (stand_ins.desk, mailbox.desk)
        self._child = Child(bothered, stage.props, dict(os.environ), seed)
        self._wrong: list[Wrong] = []
        self._leaves: set[Where] = set()
        for desk in self._desks:
            desk.kill = self._child.kill

    def live(self, task: Task) -> Outcome:
        """Live an event, until it is known that it happened.

        Raises:
            Exception: whatever goes wrong that was not made to.
        """
        attempt = 0
        while True:
            mishap = self._plan.mishap("event", task.event.act, task.event.number, attempt)
            done = self._tried(task.event.act, task, mishap)
            if done is not None:
                self._leaves |= _LEAVES.get(task.event.act, set()) if done.answer.result == "done" else set()
                return replace(done.answer, again=True) if attempt else cast(Outcome, done.answer)
            attempt, task = attempt + 1, replace(task, again=True)

    def turn(self, day: int, at: datetime) -> Turn | None:
        """A turn of the worker; those before it that did not come to their end were a little earlier."""
        if day in self._absent:
            self._stays_away(day)
            return None
        leaves, self._leaves = self._leaves, set()
        mishaps = [self._plan.mishap("turn", "turn", day, attempt, leaves) for attempt in range(TRIES)]
        bad = [mishap for mishap in mishaps if mishap is not None]
        apart = self._apart(at)
        for left, mishap in zip(range(len(bad), 0, -1), bad, strict=True):
            done = self._tried("turn", at - left * apart, mishap)
            self._wrong += _mistakes(done.answer) if done else []
        last = self._tried("turn", at, None)
        self._wrong += [
            Wrong("lost", "deliveries", says) for says in disagreements(self._site, self._stand_ins, self._mailbox)
        ]
        return cast(Turn, last.answer) if last else None

    def _apart(self, at: datetime) -> timedelta:
        """Between turns up to ``at``; none where a version takes effect: what goes before that keeps its own deadline."""
        same = self._site.policy(at=at).version == self._site.policy(at=at - TRIES * BETWEEN_TURNS).version
        return BETWEEN_TURNS if same else timedelta(0)

    def clock_error(self, day: int) -> timedelta:
        """How far the clock is from the truth from noon of ``day`` on."""
        error = self._plan.wrong_clock(day)
        if error:
            self.caused["the clock was put forward" if error > timedelta(0) else "the clock was put back"] += 1
        return error

    def noticed(self) -> Sequence[Wrong]:
        """Where the other side has something else than the records say, and alarms that were not raised; each once."""
        wrong, self._wrong = self._wrong, []
        return wrong

    def close(self) -> None:
        """End the other processes."""
        self._child.close()

    def _stays_away(self, day: int) -> None:
        missed = self._absent[day]
        if missed == 1:
            self.caused["the worker stayed away"] += 1
        raised = {one.kind for one in alarms(self._site, overdue(self._site))}
        if missed >= TOO_LONG:
            self.caused["the worker stayed away for too long"] += missed == TOO_LONG
            if "sweeper stopped" not in raised:
                self._wrong.append(Wrong("failed", "alarms", "the worker was away for days, and no alarm says so"))

    def _tried(self, name: str, task: Task | datetime, mishap: Mishap | None) -> Done | None:
        """One attempt; None when it was not confirmed."""
        for desk in self._desks:
            desk.arm(mishap)
        armed = mishap if mishap is not None and mishap.stored and mishap.kind != "locked" else None
        deadly = mishap is not None and mishap.kind in {"killed before", "killed after"}
        self._deadly += deadly
        try:
            with self._locked(mishap):
                done: Done = self._child.do(Armed(task, armed), double=deadly and self._deadly % _WHOLE != _FIRST)
        except Killed:
            self._settle()
        except StoreError as error:
            if mishap is None:
                raise StoreError(error.message, " ".join((error.hint, *getattr(error, "__notes__", ())))) from None
        else:
            return self._met(name, done, mishap)
        self._count(mishap)
        self.again += 1
        return None

    def _met(self, name: str, done: Done, mishap: Mishap | None) -> Done:
        remote = {desk.place: desk.met for desk in self._desks if desk.met}
        self._plan.learn(name, {**done.met, **remote})
        if done.sprung or any(desk.sprung for desk in self._desks):
            self._count(mishap)
        return done

    def _count(self, mishap: Mishap | None) -> None:
        if mishap is None:
            raise RuntimeError("the acting process died without being told to")
        self.caused[mishap.name] += 1

    @contextmanager
    def _locked(self, mishap: Mishap | None) -> Iterator[None]:
        """Hold the store's lock all the while, when that is the mishap."""
        with ExitStack() as held:
            if mishap is not None and mishap.kind == "locked":
                engine = self._site.engine if mishap.place.where == "data" else self._site.keys
                conn = held.enter_context(engines.writing(engine))
                _lock_all(conn)
            yield

    def _settle(self) -> None:
        """Wait until the server has noticed that the killed process is gone, and has taken back what it had begun."""
        for engine in (self._site.engine, self._site.keys):
            while engine.dialect.name == "postgresql" and _lingering(engine):
                Waiting().wait(0.002)


def _mistakes(turned: Turn) -> list[Wrong]:
    """Tasks that a mishap ended with something else than a sentence about the store."""
    words = turned.problems.items()
    return [
        Wrong("failed", task, f"`{task}` ended with {said} when a store failed") for task, said in words if _bare(said)
    ]


def _bare(said: str) -> bool:
    return said.isidentifier()


def _lock_all(conn: Connection) -> None:
    """On SQLite a writer has everything; on PostgreSQL each table is locked against writing."""
    if conn.dialect.name == "postgresql":
        names = ", ".join(f'"{name}"' for name in sorted(inspect(conn).get_table_names()))
        conn.execute(text(f"LOCK TABLE {names} IN SHARE MODE"))


def _lingering(engine: Engine) -> int:
    mine = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = :name"
    with engines.reading(engine) as conn:
        return int(conn.execute(text(mine), {"name": NAME}).scalar_one())


@contextmanager
def troubled(
    stage: Stage, seed: int, days: int, mailbox: FaultyMailbox, stand_ins: FaultyStandIns
) -> Iterator[Trouble]:
    """Trouble for a staged site, until the end of the block."""
    trouble = Trouble(stage, seed, days, mailbox, stand_ins)
    try:
        yield trouble
    finally:
        trouble.close()
