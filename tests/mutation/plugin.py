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
from itertools import groupby
from time import perf_counter
from types import CodeType, FrameType, FunctionType
from typing import cast

import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.targets import forget, in_place, name_of

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


@dataclass(frozen=True)
class AsItIs:
    """A test without any mutant: which functions of the trials it called, the seconds it took, and whether it failed."""

    called: frozenset[str]
    seconds: float
    failed: bool


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
        self.ran: dict[str, AsItIs] = {}
        self.failing: list[str] = []
        self.outcomes: list[Outcome] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        about = frozenset[str]().union(*(trial.clauses for trial in self._trials))
        items[:] = [
            item for item in items if clauses_of(item) & about and "postgresql" not in item.name and not _browser(item)
        ]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._all_as_they_are(session.items)
        if not self.failing:
            for number, outcome in enumerate(self._tried(session.items, self._trials), start=1):
                self.outcomes.append(outcome)
                self._tell(number, len(self._trials), outcome)
        return True

    def _all_as_they_are(self, items: Sequence[pytest.Item]) -> None:
        """Every test once: this process and its helpers each take the next file, until none is left."""
        files = [list(group) for _, group in groupby(items, key=lambda item: item.path)]
        reading, writing = os.pipe()
        os.write(writing, bytes(range(len(files))))
        os.close(writing)
        helpers = [_told_by_a_child(lambda: self._share(files, reading)) for _ in range(self._jobs - 1)]
        shares = [self._share(files, reading)]
        for child, pipe in helpers:
            with os.fdopen(pipe, "rb") as told:
                shares.append(pickle.load(told))
            os.waitpid(child, 0)
        self.ran = {nodeid: ran for share in shares for nodeid, ran in share.items()}
        self.failing = [item.nodeid for item in items if self.ran[item.nodeid].failed]

    def _share(self, files: Sequence[Sequence[pytest.Item]], waiting: int) -> dict[str, AsItIs]:
        codes = {function.__code__: name_of(function) for trial in self._trials for function, _ in trial.changes}
        done: dict[str, AsItIs] = {}
        while number := os.read(waiting, 1):
            file = files[number[0]]
            for item, following in zip(file, [*file[1:], None], strict=True):
                done[item.nodeid] = _as_it_is(item, following, codes)
        return done

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
        names = {name_of(function) for function, _ in trial.changes}
        calling = [item for item in mine.values() if names & self.ran[item.nodeid].called]
        return sorted(calling, key=lambda item: self.ran[item.nodeid].seconds)

    def _forked(self, trial: Trial, items: Sequence[pytest.Item]) -> tuple[int, int]:
        def tried() -> dict[str, str]:
            with in_place(trial.changes):
                return _noticed(trial, items, {item.nodeid: self.ran[item.nodeid].seconds for item in items})

        return _told_by_a_child(tried)


def _told_by_a_child(work: Callable[[], object]) -> tuple[int, int]:
    """A process that does ``work`` and the pipe that says what came of it; nothing at all when the process ended early."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    try:
        with os.fdopen(writing, "wb") as out:
            pickle.dump(work(), out)
    finally:
        os._exit(0)


def _as_it_is(item: pytest.Item, following: pytest.Item | None, codes: Mapping[CodeType, str]) -> AsItIs:
    called: set[str] = set()

    def hear(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code in codes:
            called.add(codes[frame.f_code])

    forget()  # what was worked out for the test before would not be worked out again
    started = perf_counter()
    threading.setprofile(hear)
    sys.setprofile(hear)
    try:
        failed = _failed(item, following)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return AsItIs(frozenset(called), perf_counter() - started, failed)


def _failed(item: pytest.Item, following: pytest.Item | None = None) -> bool:
    """Whether a test fails. After it all is put away that ``following`` does not use: everything but the session without one.

    Pytest calls whatever runs before that is done a failure.
    """
    next_ = cast(pytest.Item, following or item.session)
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=next_))


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
        return _failed(item)
    except Hangs:
        item.session._setupstate.teardown_exact(cast(pytest.Item, item.session))
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
