"""The acting process of a rehearsal with faults: lives events and takes turns while its stores fail as they are told to."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, event, select

from troth.clock import MovedClock
from troth.rehearsal.acts import Acts
from troth.rehearsal.all_day import ALL_DAY
from troth.rehearsal.faults import Mishap, Place
from troth.rehearsal.stage import START, Props
from troth.rehearsal.tasks import Task
from troth.rehearsal.tripwires import Tripwires
from troth.store import versions
from troth.store.site import Site
from troth.store.tables import policy_version
from troth.work import Task as Work
from troth.work import Turn, turn

LOCK_WAIT_MS = 60
"""how long this process waits for a lock: nobody but a mishap holds one"""
NAME = "troth rehearsal"
"""what PostgreSQL calls its connections"""


@dataclass(frozen=True, slots=True)
class Armed:
    """An event to be lived, or the instant of a turn; and the mishap of the stores that is to happen meanwhile."""

    task: Task | datetime
    mishap: Mishap | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it, how often each place was met, and whether the mishap happened."""

    answer: Any
    met: Mapping[Place, int]
    sprung: bool


class Bothered:
    """An actor (see ``child``) whose stores fail as armed."""

    def __init__(self, site: Site, clock: MovedClock, seed: int) -> None:
        self._site, self._acts, self._wires = site, Acts(site, clock, seed), Tripwires(site)
        self._works = {name: self._part(name, work) for name, work in ALL_DAY.items()}

    def refresh(self) -> None:
        """Compile every version there is, so that no acting process has to."""
        with self._site.reading() as conn:
            for row in conn.execute(select(policy_version.c.policy, policy_version.c.decisions)):
                versions.compiled(row.policy, row.decisions)
        self._site.close()

    def detach(self) -> None:
        self._site.close()

    def do(self, armed: Armed) -> Done:
        """Live an event or take a turn, with the mishap armed."""
        self._wires.arm(armed.mishap)
        answer = self._acts.live(armed.task) if isinstance(armed.task, Task) else self._turn(armed.task)
        return Done(answer, dict(self._wires.met), self._wires.sprung)

    def _turn(self, at: datetime) -> Turn:
        self._acts.clock.at = at
        return turn(self._site, self._works)

    def _part(self, name: str, work: Work) -> Work:
        def within(site: Site) -> int:
            self._wires.part = name
            return work(site)

        return within


def bothered(props: Props, environment: Mapping[str, str], seed: int) -> Bothered:
    """The actor for a staged site; it tells of problems in its answers and logs none."""
    logging.disable()
    os.environ.update(environment)
    clock = MovedClock(START)
    site = props.open(clock)
    for engine in (site.engine, site.keys):
        _impatient(engine)
    return Bothered(site, clock, seed)


def _impatient(engine: Engine) -> None:
    """Let ``engine`` wait for locks only as long as a rehearsal has patience, and be known by name to its server."""
    sqlite = engine.dialect.name == "sqlite"

    @event.listens_for(engine, "connect")
    def _connect(raw: Any, _record: object) -> None:
        cursor = raw.cursor()
        if sqlite:
            cursor.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_MS}")
        else:
            cursor.execute(f"SET lock_timeout = {LOCK_WAIT_MS}")
            cursor.execute(f"SET application_name = '{NAME}'")
            raw.commit()
        cursor.close()
