"""Running a workload against a backend: how long each operation took, whether every answer was right, and the end state."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import quantiles
from time import perf_counter
from typing import Any, Protocol

from benchmarks.gdprbench.model import Meta, Model, Op
from benchmarks.gdprbench.workloads import Step

SAMPLE = 300
"""records whose end state is looked at"""


class Backend(Protocol):
    """What runs operations: Troth, the plain table, or one that is wrong on purpose."""

    def run(self, ops: Iterable[Op]) -> Iterator[tuple[Any, float]]:
        """The answer to each operation and the seconds it took."""

    def finish(self) -> None:
        """Whatever the operations left to be done."""

    def state(self, key: str) -> tuple[Meta, str] | None:
        """A record's metadata and data; None when it is gone."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one workload on one backend; times in seconds."""

    seconds: float
    finishing: float
    p50: float
    p99: float
    right: int
    checked: int
    first_wrong: str

    @property
    def correct(self) -> float:
        """The share of right answers and end states, of one."""
        return self.right / self.checked


def run(backend: Backend, steps: Sequence[Step], end: Model, seed: int = 7) -> Run:
    """Do all ``steps`` and compare each answer, and a sample of what is there afterwards, with the model."""
    began = perf_counter()
    done = list(backend.run(op for op, _ in steps))
    seconds = perf_counter() - began
    began = perf_counter()
    backend.finish()
    finishing = perf_counter() - began
    wrong = [
        f"{op.name}: {answer!r} instead of {expected!r}"
        for (op, expected), (answer, _) in zip(steps, done, strict=True)
        if answer != expected
    ]
    keys = _sample(steps, end, seed)
    wrong += [f"{key} at the end: {found!r}" for key in keys if (found := backend.state(key)) != _expected(end, key)]
    checked = len(steps) + len(keys)
    cuts = quantiles([took for _, took in done], n=100)
    return Run(seconds, finishing, cuts[49], cuts[98], checked - len(wrong), checked, wrong[0] if wrong else "")


def _sample(steps: Sequence[Step], end: Model, seed: int) -> list[str]:
    """Records that were touched and others, those that are gone too."""
    rng = random.Random(seed)  # noqa: S311
    touched = sorted({op.key for op, _ in steps if op.key})
    there = sorted(end.records)
    return rng.sample(touched, min(SAMPLE, len(touched))) + rng.sample(there, min(SAMPLE, len(there)))


def _expected(end: Model, key: str) -> tuple[Meta, str] | None:
    return (end.meta(key), end.records[key].data) if key in end.records else None
