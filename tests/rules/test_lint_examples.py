"""Every lint rule, shown on small policies: what it must find word for word, and what it must let pass.

``TROTH_WRITE_GOLDEN=1 pytest tests/rules/test_lint_examples.py`` writes the expected findings anew; read the difference.
"""

import os
from datetime import date
from pathlib import Path

import pytest

from troth.policy.document import read_document
from troth.policy.findings import Finding
from troth.policy.lint import in_order, lint
from troth.policy.parse import read_policy

HERE = Path(__file__).parent / "lint"
TODAY = date(2026, 11, 20)
INVALID = sorted(HERE.glob("*/invalid-*.yaml"))
VALID = sorted(HERE.glob("*/valid-*.yaml"))


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def _findings(path: Path) -> list[Finding]:
    reading = read_policy(read_document(path))
    assert reading.policy is not None, [finding.line() for finding in reading.findings]
    assert reading.findings == ()
    return [f for f in lint(reading.policy, reading.document, TODAY) if f.rule == path.parent.name]


@pytest.mark.parametrize("path", INVALID, ids=_name)
def test_a_defect_is_found_where_it_stands_and_says_what_to_write(path: Path) -> None:
    shown = "".join(f"{f.line()} {' '.join(f.cites)}".rstrip() + "\n" for f in _findings(path))
    golden = path.with_suffix(".txt")
    if os.environ.get("TROTH_WRITE_GOLDEN"):
        golden.write_text(shown, encoding="utf-8")
    assert shown, "an invalid example has a finding"
    assert shown == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", VALID, ids=_name)
def test_what_is_written_well_is_not_found(path: Path) -> None:
    assert [finding.line() for finding in _findings(path)] == []


@pytest.mark.parametrize("path", INVALID, ids=_name)
def test_every_finding_has_a_place_in_the_file_and_a_hint(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    for finding in _findings(path):
        assert 1 <= finding.place.line <= lines
        assert finding.hint


@pytest.mark.parametrize("rule", in_order(), ids=lambda rule: rule.id)
def test_every_rule_has_an_example_of_each_kind_and_searches_for_something(rule) -> None:
    assert list(HERE.glob(f"{rule.id}/valid-*.yaml"))
    assert list(HERE.glob(f"{rule.id}/invalid-*.yaml"))
    assert rule.searches


def test_every_example_belongs_to_a_rule() -> None:
    assert {path.name for path in HERE.iterdir() if path.is_dir()} == {rule.id for rule in in_order()}


def test_all_defects_of_part_e_have_a_rule() -> None:
    assert {f"E-{number:02}" for number in range(1, 27)} <= {rule.id for rule in in_order()}


def test_every_search_of_every_rule_finds_something_in_the_examples() -> None:
    idle = []
    for rule in in_order():
        readings = [read_policy(read_document(path)) for path in INVALID if path.parent.name == rule.id]
        for search in rule.searches:
            if not any(_heard(search, reading) for reading in readings):
                idle.append(f"{rule.id} {search.__name__}")
    assert idle == []


def _heard(search, reading) -> bool:
    from troth.policy.lint.registry import context_of

    return bool(list(search(reading.policy, context_of(reading.policy, reading.document, TODAY))))
