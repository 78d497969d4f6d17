"""The clauses of the five published policies: what each asks, and what is left to later work, read from the tables beside this.

``python -m troth.evidence.clauses`` writes ``docs/clauses.md``: each clause with the promise, the enforcer and the tests that
make it true. ``later.csv`` names the clauses that need a room which is not built yet, each with the day and the reason.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

SITES = ("ledinside", "optokingdom", "made-in-china", "infortrend", "ledflex")
BUILT = frozenset({"POL", "LINT", "FORM", "PURP", "CONS", "VISIT", "RET", "EVID", "ACCT", "RIGHTS", "CONTACT", "STAT"})
"""Capabilities whose clauses must have a test by now, or stand in ``later.csv``."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause. ``mode`` holds R (runs), T (a clock), H (a person decides) and D (shown only), a space between."""

    id: str
    site: str
    kind: str
    mode: str
    capabilities: frozenset[str]
    asks: str


@dataclass(frozen=True, slots=True)
class Later:
    """A clause that waits for a room: which, why, and the day this was noted."""

    id: str
    needs: str
    why: str
    noted: date


@cache
def clauses() -> tuple[Clause, ...]:
    """All clauses, in the order of the sites and of their policies."""
    return tuple(clause for site in SITES for clause in of_site(site))


@cache
def of_site(site: str) -> tuple[Clause, ...]:
    """The clauses of one site, in the order of its policy."""
    return tuple(
        Clause(row["id"], row["site"], row["kind"], row["mode"], frozenset(row["capabilities"].split()), row["asks"])
        for row in _rows(site)
    )


@cache
def later() -> dict[str, Later]:
    """What is left to later work, by clause."""
    rows = (Later(row["id"], row["needs"], row["why"], date.fromisoformat(row["noted"])) for row in _rows("later"))
    return {row.id: row for row in rows}


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files(__name__).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())
