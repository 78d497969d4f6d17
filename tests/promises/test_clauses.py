"""Every clause of the five policies is cited, tested or knowingly left to later work; the page that says so is current."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import pytest

from tests.policies import NAMES, SITES
from troth.evidence.clauses import BUILT, clauses, later
from troth.evidence.clauses.page import cited, marks
from troth.policy.check import check

ROOT = Path(__file__).parents[2]


@cache
def marked() -> dict[str, tuple[str, ...]]:
    return marks(ROOT / "tests")


def test_there_are_218_clauses_each_once() -> None:
    ids = [clause.id for clause in clauses()]
    assert len(ids) == len(set(ids)) == 218
    assert {clause.site for clause in clauses()} == set(NAMES)


@pytest.mark.parametrize("site", NAMES)
def test_every_clause_is_cited_by_its_policy(site: str) -> None:
    found = cited(check(SITES / site))
    assert {clause.id for clause in clauses() if clause.site == site} == set(found)


def test_every_mark_names_a_clause_there_is() -> None:
    assert set(marked()) <= {clause.id for clause in clauses()}


def test_every_clause_that_is_due_has_a_test_or_waits_for_a_named_room() -> None:
    due = {clause.id for clause in clauses() if clause.capabilities & BUILT}
    assert due - set(marked()) - set(later()) == set()


def test_no_clause_waits_for_something_that_is_not_to_come() -> None:
    """What needs nothing but rooms that are built has no excuse."""
    waiting = [clause for clause in clauses() if clause.id in later()]
    assert len(waiting) == len(later()), "later.csv names a clause there is not"
    assert [clause.id for clause in waiting if clause.capabilities <= BUILT] == []
    assert all(one.why and one.needs and one.noted >= date(2026, 11, 1) for one in later().values())


def test_no_clause_is_tested_and_called_later_at_once() -> None:
    assert set(later()) & set(marked()) == set()


def test_marks_are_found_on_functions_on_classes_and_on_parameters(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text(
        "import pytest\n"
        "@pytest.mark.clause('L1', 'L2')\ndef test_a(): ...\n"
        "@pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.clause('F1'))])\ndef test_b(x): ...\n"
        "@pytest.mark.clause('O1')\nclass TestC: ...\n"
    )
    where = "test_sample.py::"
    assert marks(tmp_path) == {
        "L1": (f"{where}test_a",),
        "L2": (f"{where}test_a",),
        "F1": (f"{where}test_b",),
        "O1": (f"{where}TestC",),
    }
