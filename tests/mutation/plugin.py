"""Runs the tests of clauses again and again in forked processes, each with one mutant in place.

First every test runs once as it is, which also says how long it takes and which functions it calls: a test that never calls a
function cannot notice its mutants. Then each mutant runs in a process of its own, against the tests of the clauses that its
enforcer enforces, the quickest first, until one fails. A test that takes many times as long as it should has noticed; so has
whatever ends the process, or is not done after all the time that there is.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from types import CodeType, FrameType, FunctionType

import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.targets import forget, in_place

AT_LEAST_S, MANY = 10.0, 20
"""seconds that a test may take with a mutant in place, and how many times as long as without, if that is more"""
LONGEST_S = 1_200
"""seconds that all tests of one mutant may take"""


class Hangs(BaseException):
    """A test takes too long; no handler of what is tested stops it."""


@dataclass(frozen=True)
class Trial:
    """What to try: functions with the code to put in their place, and the clauses whose tests should notice."""

    id: str
    changes: tuple[tuple[FunctionType, CodeType], ...]
    clauses: frozenset[str]
    each: bool = False
    """whether a test of every one of the clauses must notice, not of any"""


@dataclass
class Outcome:
    """``noticed`` names the first test that failed for each clause; ``tried`` counts the tests that ran."""

    trial: Trial
    noticed: dict[str, str] = field(default_factory=dict)
    tried: int = 0
    ended: bool = True

    @property
    def missed(self) -> frozenset[str]:
        """The clauses none of whose tests failed, where one should have."""
        if not self.ended or (self.noticed and not self.trial.each):
            return frozenset()
        return self.trial.clauses - set(self.noticed)


class Mutating:
    """A plugin of pytest. Of all tests it runs those whose clauses ``trials`` are about; ``tell`` hears of each outcome."""

    def __init__(self, trials: Sequence[Trial], tell: Callable[[int, int, Outcome], None], jobs: int) -> None:
        self._trials, self._tell, self._jobs = trials, tell, jobs
        self.calls: dict[str, set[CodeType]] = {}
        self.seconds: dict[str, float] = {}
        self.failing: list[str] = []
        self.outcomes: list[Outcome] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        about = frozenset[str]().union(*(trial.clauses for trial in self._trials))
        items[:] = [
            item for item in items if clauses_of(item) & about and "postgresql" not in item.name and not _browser(item)
        ]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = session.items
        for number, item in enumerate(items):
            self._as_it_is(item, items[number + 1] if number + 1 < len(items) else items[0])
        if not self.failing:
            for number, outcome in enumerate(self._tried(items, self._trials), start=1):
                self.outcomes.append(outcome)
                self._tell(number, len(self._trials), outcome)
        return True

    def _as_it_is(self, item: pytest.Item, following: pytest.Item) -> None:
        called: set[CodeType] = set()

        def hear(frame: FrameType, event: str, _argument: object) -> None:
            if event == "call":
                called.add(frame.f_code)

        forget()  # what was worked out for the test before would not be worked out again
        started = perf_counter()
        threading.setprofile(hear)
        sys.setprofile(hear)
        try:
            reports = runtestprotocol(item, log=False, nextitem=following)
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
        self.seconds[item.nodeid] = perf_counter() - started
        self.calls[item.nodeid] = called
        if any(report.failed for report in reports):
            self.failing.append(item.nodeid)

    def _tried(self, items: Sequence[pytest.Item], trials: Sequence[Trial]) -> Iterator[Outcome]:
        by_clause = defaultdict(list)
        for item in items:
            for clause in clauses_of(item):
                by_clause[clause].append(item)
        waiting, running = list(reversed(trials)), dict[int, tuple[int, Outcome, float]]()
        while waiting or running:
            while waiting and len(running) < self._jobs:
                trial = waiting.pop()
                chosen = self._chosen(trial, by_clause)
                if not chosen:
                    yield Outcome(trial)
                    continue
                child, pipe = self._forked(trial, chosen)
                running[pipe] = child, Outcome(trial, tried=len(chosen)), perf_counter()
            yield from _ended(running)

    def _chosen(self, trial: Trial, by_clause: Mapping[str, list[pytest.Item]]) -> list[pytest.Item]:
        mine = {item.nodeid: item for clause in trial.clauses for item in by_clause[clause]}
        codes = {function.__code__ for function, _ in trial.changes}
        calling = [item for item in mine.values() if codes & self.calls[item.nodeid]]
        return sorted(calling, key=lambda item: self.seconds[item.nodeid])

    def _forked(self, trial: Trial, items: Sequence[pytest.Item]) -> tuple[int, int]:
        reading, writing = os.pipe()
        child = os.fork()
        if child:
            os.close(writing)
            return child, reading
        try:
            with in_place(trial.changes), os.fdopen(writing, "wb") as out:
                pickle.dump(_noticed(trial, items, self.seconds), out)
        finally:
            os._exit(0)


def _noticed(trial: Trial, items: Sequence[pytest.Item], seconds: Mapping[str, float]) -> dict[str, str]:
    """The first test of each clause that fails; one is enough, unless each clause must notice."""
    found: dict[str, str] = {}
    for item in items:
        new = (clauses_of(item) & trial.clauses) - set(found)
        if new and _fails(item, max(AT_LEAST_S, MANY * seconds[item.nodeid])):
            found |= dict.fromkeys(new, item.nodeid)
            if not trial.each:
                break
    return found


def _fails(item: pytest.Item, within: float) -> bool:
    """Whether a test fails, or is not done ``within`` so many seconds."""

    def late(_signal: int, _frame: FrameType | None) -> None:
        raise Hangs

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, within, 1)
    try:
        return any(report.failed for report in runtestprotocol(item, log=False, nextitem=item))
    except Hangs:
        return True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _ended(running: dict[int, tuple[int, Outcome, float]]) -> Iterator[Outcome]:
    ready, _, _ = select.select(list(running), [], [], 1)
    late = [pipe for pipe, (_, _, began) in running.items() if perf_counter() - began > LONGEST_S + 10]
    for pipe in {*ready, *late}:
        child, outcome, _ = running.pop(pipe)
        if pipe in late:
            os.kill(child, signal.SIGKILL)
        with os.fdopen(pipe, "rb") as told:
            said = told.read() if pipe not in late else b""
        os.waitpid(child, 0)
        outcome.ended = bool(said)
        outcome.noticed = pickle.loads(said) if said else {}
        yield outcome


def clauses_of(item: pytest.Item) -> set[str]:
    """The clauses that a test is marked with."""
    return {str(clause) for mark in item.iter_markers("clause") for clause in mark.args}


def _browser(item: pytest.Item) -> bool:
    return "browser" in getattr(item, "fixturenames", ())
