"""How much goes in one transaction: as much as is done in a short time, so that other writers wait no longer than that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

from sqlalchemy import Engine

SQLITE_S, POSTGRES_S = 0.35, 2.0
"""seconds a transaction should take; SQLite lets one writer in at a time, PostgreSQL locks the rows alone"""
FIRST, LEAST, MOST, GROWTH = 2_000, 100, 1_000_000, 4.0


@dataclass
class Pace:
    """``rows`` for the next transaction, from what the last one took; ``goal`` seconds is what it should take."""

    rows: int
    goal: float | None

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Carry out one transaction of ``rows`` rows and learn from it."""
        began = perf_counter()
        yield
        if self.goal is not None:
            took = max(perf_counter() - began, 1e-6)
            self.rows = round(min(max(self.rows * min(self.goal / took, GROWTH), LEAST), MOST))


def pace_of(engine: Engine, batch: int | None = None) -> Pace:
    """A pace for the database behind ``engine``, or always ``batch`` rows."""
    if batch is not None:
        return Pace(batch, None)
    return Pace(FIRST, POSTGRES_S if engine.dialect.name == "postgresql" else SQLITE_S)
