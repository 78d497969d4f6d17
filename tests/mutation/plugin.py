"""Runs the tests of clauses again and again in forked processes, each with one mutant in place.

First every test runs once as it is, which also says how long it takes and which lines of which functions it runs: a test that
never runs a line cannot notice what is changed there. Then each runs once in a process that changes nothing: one that fails
there could say nothing. Then each mutant runs in a process of its own, against the tests of the clauses that its enforcer
enforces, the quickest first, until one fails. A test that takes many times as long as it should has noticed; so has whatever
ends the process, or is not done after all the time that there is.
"""

from __future__ import annotations

import builtins
import os
import pickle
import select
import signal
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO
from itertools import groupby
from time import perf_counter
from types import CodeType, FrameType, FunctionType
from typing import Any, cast

import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.targets import NOTE, forget, in_place, name_of, noted

AT_LEAST_S, MANY = 10.0, 20
"""seconds that a test may take with a mutant in place, and how many times as long as without, if that is more"""
LONGEST_S = 1_200
"""seconds that all tests of one mutant may take"""
Place = tuple[str, int]
"""a function's name and one of the lines of its file"""
CALLED = 0
"""the line that stands for the whole of a function: it was called"""


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
    lines: range = range(0)
    """the lines of the one function one of which runs whenever what is changed does; none where all of it is changed"""

    def is_run_by(self, ran: frozenset[Place]) -> bool:
        """Whether a test that runs so much as ``ran`` runs what is changed."""
        return any((name_of(function), line) in ran for function, _ in self.changes for line in self.lines or (CALLED,))


@dataclass(frozen=True)
class AsItIs:
    """A test without any mutant: how much of the trials' functions it ran, the seconds it took, and whether it failed."""

    ran: frozenset[Place]
    seconds: float
    failed: bool


@dataclass
class Outcome:
    """``noticed`` names the first test that failed for each clause; ``tried`` counts the tests that ran."""

    trial: Trial
    noticed: dict[str, str] = field(default_factory=dict)
    tried: int = 0

    @property
    def missed(self) -> frozenset[str]:
        """The clauses none of whose tests failed, where one should have."""
        if self.noticed and not self.trial.each:
            return frozenset()
        return self.trial.clauses - set(self.noticed)


class Mutating:
    """A plugin of pytest. Of all tests it runs those whose clauses ``trials`` are about; ``tell`` hears of each outcome."""

    def __init__(self, trials: Sequence[Trial], tell: Callable[[int, int, Outcome], None], jobs: int) -> None:
        self._trials, self._tell, self._jobs = trials, tell, jobs
        self.ran: dict[str, AsItIs] = {}
        self.failing: list[str] = []
        self.outcomes: list[Outcome] = []
        self._setting_up = False
        self._ran, self._set_up = set[Place](), set[Place]()
        """what the test that runs now runs, and what the fixtures of its file ran"""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        about = frozenset[str]().union(*(trial.clauses for trial in self._trials))
        items[:] = [
            item for item in items if clauses_of(item) & about and "postgresql" not in item.name and not _browser(item)
        ]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._all_as_they_are(session.items)
        self.failing = self.failing or self._failing_again(session.items)
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
        helpers = [_a_child(lambda say: say(self._share(files, reading))) for _ in range(self._jobs - 1)]
        shares = [self._share(files, reading), *(said for helper in helpers for said in _all_of(*helper))]
        self.ran = {nodeid: ran for share in shares for nodeid, ran in share.items()}
        self.failing = [item.nodeid for item in items if self.ran[item.nodeid].failed]

    def _failing_again(self, items: Sequence[pytest.Item]) -> list[str]:
        """The tests that fail in a process that changes nothing: each would seem to notice whatever is changed."""

        def tried(mine: Sequence[pytest.Item], say: Callable[[object], None]) -> None:
            with in_place(()):
                say([item.nodeid for item in mine if _fails(item, self._patience(item))])

        shares = [items[start :: self._jobs] for start in range(self._jobs)]
        children = [_a_child(partial(tried, share)) for share in shares]
        return sorted(nodeid for child in children for said in _all_of(*child) for nodeid in said)

    def _patience(self, item: pytest.Item) -> float:
        return max(AT_LEAST_S, MANY * self.ran[item.nodeid].seconds)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Iterator[None]:
        self._setting_up = True
        try:
            return (yield)
        finally:
            self._setting_up = False

    def _share(self, files: Sequence[Sequence[pytest.Item]], waiting: int) -> dict[str, AsItIs]:
        done: dict[str, AsItIs] = {}
        setattr(builtins, NOTE, self._note)
        changed = {name_of(function): function for trial in self._trials for function, _ in trial.changes}
        with in_place([(function, code) for function in changed.values() if (code := noted(function))]):
            while number := os.read(waiting, 1):
                file = files[number[0]]
                self._set_up = set()
                for item, following in zip(file, [*file[1:], None], strict=True):
                    done[item.nodeid] = self._as_it_is(item, following)
                for item in file:  # what the first of them set up for all is set up by any that is run alone
                    done[item.nodeid] = replace(done[item.nodeid], ran=done[item.nodeid].ran | self._set_up)
        return done

    def _note(self, name: str, line: int) -> None:
        places = self._set_up if self._setting_up else self._ran
        places.add((name, line))
        places.add((name, CALLED))

    def _as_it_is(self, item: pytest.Item, following: pytest.Item | None) -> AsItIs:
        self._ran = set()
        forget()  # what was worked out for the test before would not be worked out again
        started = perf_counter()
        failed = _failed(item, following)
        return AsItIs(frozenset(self._ran), perf_counter() - started, failed)

    def _tried(self, items: Sequence[pytest.Item], trials: Sequence[Trial]) -> Iterator[Outcome]:
        by_clause = defaultdict(list)
        for item in items:
            for clause in clauses_of(item):
                by_clause[clause].append(item)
        waiting, running = list(reversed(trials)), list[_Run]()
        while waiting or running:
            while waiting and len(running) < self._jobs:
                trial = waiting.pop()
                chosen = self._chosen(trial, by_clause)
                if chosen:
                    running.append(_Run(Outcome(trial, tried=len(chosen)), chosen, self._patience))
                else:
                    yield Outcome(trial)
            select.select([one.pipe for one in running], [], [], 1)
            ended = [one for one in running if one.is_over()]
            running = [one for one in running if one not in ended]
            yield from (one.outcome for one in ended)

    def _chosen(self, trial: Trial, by_clause: Mapping[str, list[pytest.Item]]) -> list[pytest.Item]:
        mine = {item.nodeid: item for clause in trial.clauses for item in by_clause[clause]}
        running = [item for item in mine.values() if trial.is_run_by(self.ran[item.nodeid].ran)]
        return sorted(running, key=lambda item: self.ran[item.nodeid].seconds)


Say = Callable[[object], None]


def _a_child(work: Callable[[Say], None]) -> tuple[int, int]:
    """A process that does ``work`` and a pipe with all that it says, as far as it comes."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    try:
        with os.fdopen(writing, "wb", buffering=0) as out:
            work(lambda said: cast(None, out.write(pickle.dumps(said))))
    finally:
        os._exit(0)


def _all_of(child: int, pipe: int) -> list[Any]:
    """All that a process says, once it has ended."""
    with os.fdopen(pipe, "rb") as told:
        said = told.read()
    os.waitpid(child, 0)
    return list(_said(said))


def _said(told: bytes) -> Iterator[Any]:
    reading = BytesIO(told)
    while reading.tell() < len(told):
        yield pickle.load(reading)


@dataclass(eq=False)
class _Run:
    """The tests of one trial in a process of their own. Where it ends early, the test that was running has noticed, and the
    others go on in another process."""

    outcome: Outcome
    items: list[pytest.Item]
    patience: Callable[[pytest.Item], float]
    child: int = 0
    pipe: int = 0
    began: float = 0.0
    told: bytes = b""

    def __post_init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.told, self.began = b"", perf_counter()
        self.child, self.pipe = _a_child(self._tried)

    def _tried(self, say: Say) -> None:
        trial, found = self.outcome.trial, dict(self.outcome.noticed)
        with in_place(trial.changes):
            for item in self.items:
                new = (clauses_of(item) & trial.clauses) - set(found)
                if not new:
                    continue
                say(item.nodeid)
                if _fails(item, self.patience(item)):
                    found |= dict.fromkeys(new, item.nodeid)
                    say((item.nodeid, new))
                    if not trial.each:
                        break
        say(None)

    def is_over(self) -> bool:
        """Take in what the process says; True when its trial is done with."""
        if perf_counter() - self.began > LONGEST_S + 10:
            os.kill(self.child, signal.SIGKILL)
        elif not select.select([self.pipe], [], [], 0)[0]:
            return False
        new = os.read(self.pipe, 65_536)
        self.told += new
        if new:
            return False
        os.close(self.pipe)
        os.waitpid(self.child, 0)
        return self._has_ended()

    def _has_ended(self) -> bool:
        trial, running = self.outcome.trial, ""
        for said in _said(self.told):
            if said is None:
                return True
            if isinstance(said, str):
                running = said
            else:
                self.outcome.noticed |= dict.fromkeys(said[1], said[0])
        place = next((n for n, item in enumerate(self.items) if item.nodeid == running), -1)
        if place >= 0:
            new = (clauses_of(self.items[place]) & trial.clauses) - set(self.outcome.noticed)
            self.outcome.noticed |= dict.fromkeys(new, running)
        self.items = self.items[place + 1 :]
        if not self.items or (self.outcome.noticed and not trial.each):
            return True
        self._begin()
        return False


def _failed(item: pytest.Item, following: pytest.Item | None = None) -> bool:
    """Whether a test fails. After it all is put away that ``following`` does not use: everything but the session without one.

    Pytest calls whatever runs before that is done a failure.
    """
    next_ = cast(pytest.Item, following or item.session)
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=next_))


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


def clauses_of(item: pytest.Item) -> set[str]:
    """The clauses that a test is marked with."""
    return {str(clause) for mark in item.iter_markers("clause") for clause in mark.args}


def _browser(item: pytest.Item) -> bool:
    return "browser" in getattr(item, "fixturenames", ())
