"""``python -m tests.mutation``: change what enforces each clause, and say which changes no test of its clauses notices.

Exit code 0 when every change was noticed or is explained in ``survivors.yaml``, 1 when one was not, 2 when the tests fail as
they are or cannot be run. ``survivors.yaml`` has one sentence for each trial that it explains, or one for each clause of it.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import FunctionType
from zlib import crc32

import pytest
import yaml

from tests.mutation.clauses import ROOT, clauses_of_kind, enforcers
from tests.mutation.plugin import Mutating, Outcome, Trial
from tests.mutation.switches import OFF, changed, switched_off
from tests.mutation.targets import mutants_of, name_of, reached
from tests.mutation.weakened import WEAK

PAGE = ROOT / "docs" / "clauses.md"
SURVIVORS = Path(__file__).with_name("survivors.yaml")
Explained = Mapping[str, str | Mapping[str, str]]
"""why nothing notices a trial, by its id: one sentence for all of its clauses, or one for each clause that it names"""


def switches() -> list[Trial]:
    """What enforces each kind of promise, switched off: every clause that rests on it must notice."""
    return [
        Trial(f"switched off: {kind}", tuple(switched_off(kind)), clauses_of_kind(kind), each=True)
        for kind in sorted(OFF)
    ]


def weakened() -> list[Trial]:
    """What each clause of ``WEAK`` rests on, made a little weaker: every clause named there must notice."""
    return [
        Trial(f"weakened: {name}", tuple(changed(weak.changes)), frozenset(weak.clauses.split()), each=True)
        for name, weak in sorted(WEAK.items())
    ]


@cache
def trials() -> list[Trial]:
    """Every small mutant of every function that an enforcer reaches in its own module."""
    clauses: dict[str, set[str]] = defaultdict(set)
    functions: dict[str, FunctionType] = {}
    for clause, named in enforcers().items():
        for function in (one for enforcer in named for one in reached(enforcer)):
            functions[name_of(function)] = function
            clauses[name_of(function)].add(clause)
    return [
        Trial(mutant.id, ((function, mutant.code),), frozenset(clauses[name]), lines=mutant.lines)
        for name, function in sorted(functions.items())
        for mutant in mutants_of(function)
    ]


def of_clauses(number: int, seed: int) -> list[Trial]:
    """The switches and weakenings of so many clauses alone, chosen by ``seed``."""
    whole = [*switches(), *weakened()]
    chosen = set(random.Random(seed).sample(sorted({clause for trial in whole for clause in trial.clauses}), number))
    return [replace(trial, clauses=trial.clauses & chosen) for trial in whole if trial.clauses & chosen]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--sample", type=int, help="try so many mutants, chosen by --seed")
    parser.add_argument("--clauses", type=int, help="try what so many clauses rest on, switched off and weakened")
    parser.add_argument(
        "--seed", type=int, default=crc32(PAGE.read_bytes()), help="otherwise by what docs/clauses.md says"
    )
    parser.add_argument("--only", default="", help="mutants whose id matches this regular expression")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="list the mutants and try none")
    chosen = parser.parse_args(arguments)

    every = of_clauses(chosen.clauses, chosen.seed) if chosen.clauses else [*switches(), *weakened(), *trials()]
    wanted = [trial for trial in every if re.search(chosen.only, trial.id)]
    if chosen.sample is not None and chosen.sample < len(wanted):
        wanted = random.Random(chosen.seed).sample(wanted, chosen.sample)
    if chosen.list:
        for trial in wanted:
            print(trial.id)
        return 0
    plugin = Mutating(wanted, _tell, chosen.jobs)
    pytest.main(
        ["-q", "-m", "clause", "-p", "no:cacheprovider", "-p", "no:xdist", str(ROOT / "tests")], plugins=[plugin]
    )
    if len(plugin.outcomes) < len(wanted) and not plugin.failing:
        print("Pytest did not get as far as the mutants.")
        return 2
    if plugin.failing:
        print("These tests fail as they are:", *plugin.failing, sep="\n  ")
        return 2
    return _report(plugin.outcomes, explanations())


def _tell(number: int, total: int, outcome: Outcome) -> None:
    said = f": missed by {_few(outcome.missed)}" if outcome.missed else ""
    if said or sys.stderr.isatty():
        print(f"{number}/{total} {outcome.trial.id}{said}", file=sys.stderr, flush=True)


def explanations() -> Explained:
    """What ``survivors.yaml`` says."""
    return yaml.safe_load(SURVIVORS.read_text("utf-8")) or {}


def _report(outcomes: list[Outcome], explained: Explained) -> int:
    survived = [(one, left) for one in outcomes if (left := _unexplained(one, explained))]
    needless = [id_ for one in outcomes for id_ in _needless(one, explained)]
    for outcome, left in survived:
        ran = f"{outcome.tried} tests ran" if outcome.tried else "no test of its clauses runs it"
        print(f"survived: {outcome.trial.id} ({ran}; {', '.join(sorted(left))})")
    for id_ in needless:
        print(f"explained in {SURVIVORS.name}, and noticed all the same: {id_}")
    print(f"{len(outcomes)} mutants, {len(outcomes) - len(survived)} noticed or explained, {len(survived)} survived")
    return 1 if survived or needless else 0


def _unexplained(outcome: Outcome, explained: Explained) -> frozenset[str]:
    """The clauses that missed a change and of which nobody says why."""
    why = explained.get(outcome.trial.id, {})
    return frozenset() if isinstance(why, str) else outcome.missed - set(why)


def _needless(outcome: Outcome, explained: Explained) -> list[str]:
    """What is explained of a trial although it was noticed: the trial, or the clauses that did."""
    why = explained.get(outcome.trial.id, {})
    if isinstance(why, str):
        return [] if outcome.missed else [outcome.trial.id]
    return [f"{outcome.trial.id} ({clause})" for clause in sorted(outcome.trial.clauses & set(why) - outcome.missed)]


def _few(clauses: frozenset[str]) -> str:
    named = sorted(clauses)
    return ", ".join(named[:6]) + (f" and {len(named) - 6} more" if len(named) > 6 else "")


if __name__ == "__main__":
    sys.exit(main())
