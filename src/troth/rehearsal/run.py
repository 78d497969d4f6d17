"""``rehearse``: a site's life, day by day: the events are made, lived through the real doors, heard by the model, and checked.

What could go wrong: a rehearsal that agrees with whatever it finds. So what must be so comes from a model that shares no
decision with Troth, and what is so comes from the store; neither hears of the other. Whoever lives the events (``Hands``) may
be another process that is killed; the model, the checks and the clock stay here.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Protocol

from troth.clock import DAY, MovedClock
from troth.errors import TrothError
from troth.evidence.doors import MakeDoor
from troth.evidence.prove import Prover, Report
from troth.messages.mailbox import Mailbox
from troth.policy.compile import Compiled
from troth.rehearsal.acts import Acts
from troth.rehearsal.checks import OPENED_AT_THE_END, Checks
from troth.rehearsal.events import Event
from troth.rehearsal.generate import generate
from troth.rehearsal.model import Model, Wrong
from troth.rehearsal.remote import FaultyMailbox, FaultyStandIns
from troth.rehearsal.result import DayCount, Outcome, Rehearsal, Violation, Watch
from troth.rehearsal.stage import staged
from troth.rehearsal.stand_in import StandIns
from troth.rehearsal.tasks import Task
from troth.rehearsal.trouble import troubled
from troth.store import versions
from troth.store.site import Site
from troth.work import Turn

PROOFS_EVERY = 100
"""days between two full proofs; the last day has one anyway"""
MOST = 200
"""violations that are kept; who finds so many needs no more"""


class Hands(Protocol):
    """Whoever carries events out and takes the worker's turns."""

    def live(self, task: Task) -> Outcome:
        """What came of ``task``."""

    def turn(self, day: int, at: datetime) -> Turn | None:
        """What the worker did at ``at``, the end of ``day``; None when it stayed away."""

    def clock_error(self, day: int) -> timedelta:
        """How far the clock is from the truth from noon of ``day`` on, unless an event says otherwise."""

    def noticed(self) -> Sequence[Wrong]:
        """What they saw go wrong since they were last asked."""


@dataclass
class Life:
    """One site's life: what is asked of its hands, and what is looked at after each day.

    ``spent`` counts seconds by part, ``happened`` events by act and outcome.
    """

    site: Site
    clock: MovedClock
    hands: Hands
    model: Model
    checks: Checks
    start: datetime
    watch: Watch | None = None
    proofs_every: int = PROOFS_EVERY
    happened: Counter[str] = field(default_factory=Counter)
    spent: Counter[str] = field(default_factory=Counter)
    events: int = 0
    days: list[DayCount] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.prover = Prover(self.site)

    def day(self, day: int, events: Iterable[Event]) -> None:
        """Live ``events`` and end the day with a worker's turn and a look at everything."""
        wrong_by, error = timedelta(0), self.hands.clock_error(day)
        for event in events:
            if event.act == "jump":
                wrong_by = timedelta(hours=float(event.details["hours"]))
            self._live(event, self.start + event.after + (wrong_by or (error if event.part >= 0.5 else wrong_by)))
        ends = self.clock.at = self.start + (day + 1) * DAY
        with self._timed("checking"):
            self._found(day, ends, self.checks.ledger())
        with self._timed("the worker"):
            turned = self.hands.turn(day, ends)
        self._found(day, ends, self.hands.noticed())
        if turned is None:
            self.checks.skip()
            return
        self.happened.update({f"worker: {task}": number for task, number in turned.done.items() if number})
        self.clock.at = ends
        with self._timed("checking"):
            self._look(day, ends, turned)
        if (day + 1) % self.proofs_every == 0:
            self.prove(day, ends)

    def _live(self, event: Event, at: datetime) -> None:
        task = self.model.task(event, at)
        outcome = Outcome("passed over")
        if task is not None:
            with self._timed(_PARTS.get(event.act, "other acts")):
                try:
                    outcome = self.hands.live(task)
                except TrothError as error:
                    self._found(event.day, at, [Wrong("failed", event.act, f"`{event.act}` failed: {error}")])
                    return
            with self._timed("the model"):
                self._found(event.day, at, self.model.happened(task, outcome))
                if event.act == "amend" and outcome.effective is not None:
                    self.model.amended(outcome.effective, _published(self.site))
        self._count(event, task, outcome)
        if self.watch:
            self.watch.happened(event, outcome)

    def _count(self, event: Event, task: Task | None, outcome: Outcome) -> None:
        """Each visit and each person on a list is an event of its own."""
        number = 1 if task is None else event.count
        if task is not None and event.act == "read" and event.who is None:
            number = len(task.people)
            self.happened["read: refused"] += number - len(outcome.opened)
            self.happened["read: done"] += len(outcome.opened)
        else:
            self.happened[f"{event.act}: {outcome.result}"] += number
        self.events += number

    def _look(self, day: int, at: datetime, turned: Turn) -> None:
        self._found(day, at, self.checks.turn(turned))
        self.model.turn(at)
        count, over, wrong = self.checks.stores(day, at)
        self._found(day, at, wrong)
        self._found(day, at, self.checks.opened())
        self.days.append(count)
        if self.watch:
            for one in over:
                self.watch.went(one.part.who, one.part.point, one.part.given, at, one.part.fields)
            self.watch.day(count)

    def told(self, seed: int, people: int, *, door: MakeDoor | None) -> Rehearsal:
        """The whole life, after a last look at more people than on any day before, and a last proof."""
        day, at = max(len(self.days) - 1, 0), self.clock.at
        with self._timed("checking"):
            self._found(day, at, self.checks.opened(OPENED_AT_THE_END))
        report = self.prove(day, at, whole=True, door=door)
        return Rehearsal(
            site=self.site.name,
            store=self.site.engine.dialect.name,
            seed=seed,
            people=people,
            started=self.start,
            ended=at,
            events=self.events,
            happened=dict(sorted(self.happened.items())),
            days=tuple(self.days),
            report=report,
            violations=tuple(self.violations),
            spent=dict(self.spent),
        )

    def prove(self, day: int, at: datetime, *, whole: bool = False, door: MakeDoor | None = None) -> Report:
        """Every proof, over what is new on the ledger; over all of it again when ``whole``, after a walk through the doors."""
        with self._timed("proving"):
            prover = Prover(self.site) if whole else self.prover
            report = prover.prove(door=door)
        wrong = (Wrong("promise", one.promise.id, f"{one.sentence} {one.proof.measured}") for one in report.broken)
        self._found(day, at, wrong)
        return report

    def _found(self, day: int, at: datetime, wrong: Iterable[Wrong]) -> None:
        self.violations += self.checks.said(day, at, wrong)[: max(0, MOST - len(self.violations))]

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        began = perf_counter()
        try:
            yield
        finally:
            self.spent[part] += perf_counter() - began  # type: ignore[assignment]


_PARTS: Mapping[str, str] = {
    "visits": "visits",
    "submit": "submissions",
    "import": "submissions",
    "hostile": "submissions",
    "read": "reads",
    "disclose": "disclosures",
}


def rehearse(
    source: Path,
    *,
    days: int = 400,
    people: int = 2000,
    seed: int = 7,
    policy: Path | None = None,
    faults: bool = False,
    database: str | None = None,
    keys: str | None = None,
    folder: Path | None = None,
    events: Iterable[Event] | None = None,
    watch: Watch | None = None,
    progress: Callable[[int, int], None] | None = None,
    door: MakeDoor | None = None,
) -> Rehearsal:
    """Live ``days`` days of the site in ``source``, in which ``people`` come, and say what went wrong.

    Args:
        source: a site folder; it is copied to ``folder`` (else a temporary one) and left as it is.
        policy: a draft that takes the place of the site's ``policy.yaml``.
        faults: the acting process is killed and the stores fail now and then.
        database: URL of an empty database for the data, and ``keys`` of one for the keys; else SQLite files in ``folder``.
        events: live exactly these instead of generating any; ``days`` still says when it ends.
        progress: called with how many days are over, and how many there are.
        door: opens the site's web application, through which a made-up person walks at the end.

    Raises:
        PolicyError: when the policy does not hold together.
    """
    began = perf_counter()
    with ExitStack() as stack:
        below = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="troth-rehearsal-")))
        faulty = (FaultyMailbox(), FaultyStandIns()) if faults else None
        mailbox, stand_ins = faulty or (Mailbox(), StandIns())
        stage = stack.enter_context(
            staged(source, below, mailbox, stand_ins, policy=policy, database=database, keys=keys)
        )
        compiled = stage.site.policy()
        trouble = stack.enter_context(troubled(stage, seed, days, *faulty)) if faulty else None
        life = begin(stage.site, stage.clock, trouble or Acts(stage.site, stage.clock, seed), seed, watch)
        if events is None:
            events = generate(compiled, days=days, people=people, seed=seed, partners=stage.site.wiring.partners)
        live(life, events, days, progress)
        lived = life.told(seed, people, door=door)
        faults_caused = dict(sorted(trouble.caused.items())) if trouble else {}
        return replace(lived, faults=faults_caused, seconds=perf_counter() - began)


def begin(site: Site, clock: MovedClock, hands: Hands, seed: int, watch: Watch | None = None) -> Life:
    """A life on ``site`` before its first day, which begins now; its policy is in force, and nobody is in it yet."""
    model = Model(site.policy(), seed, site.wiring.partners, clock.at, site.wiring.margin)
    return Life(site, clock, hands, model, Checks(site, model), clock.at, watch)


def live(life: Life, events: Iterable[Event], days: int, progress: Callable[[int, int], None] | None = None) -> None:
    """Live ``days`` days with these events, which come in order."""
    for day, its in by_day(events, days):
        life.day(day, its)
        if progress:
            progress(day + 1, days)


def by_day(events: Iterable[Event], days: int) -> Iterator[tuple[int, list[Event]]]:
    """Each of ``days`` days with its events, which come in order; what lies outside is left out."""
    rest = iter(events)
    event = next(rest, None)
    for day in range(days):
        its = []
        while event is not None and event.day <= day:
            its += [event] if event.day == day else []
            event = next(rest, None)
        yield day, its


def _published(site: Site) -> Compiled:
    """The version that stands in the site's folder."""
    decisions = site.folder / "decisions.yaml"
    text = decisions.read_text("utf-8") if decisions.exists() else ""
    return versions.compiled((site.folder / "policy.yaml").read_text("utf-8"), text)
