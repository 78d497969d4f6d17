"""A clean policy is silent, and each defect that is planted into it is found by the rules that should, and by no other.

The clean policies are the starter, filled in, and the same shop in London, San Francisco and Taipei, so that what only one law
asks for is planted where that law holds. ``lint-planted.yaml`` lists the defects.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.terminal import filled_in
from troth.policy.check import check_texts
from troth.policy.lint import RULES

TODAY = date(2026, 11, 20)
FILE = yaml.safe_load((Path(__file__).parent / "lint-planted.yaml").read_text(encoding="utf-8"))
CLEAN: dict[str, dict[str, Any]] = FILE["at"]
PLANTS: list[dict[str, Any]] = FILE["plants"]


def _policy(*layers: dict[str, Any]) -> str:
    tree = yaml.safe_load(filled_in())
    for layer in layers:
        for dotted, value in layer.items():
            _put(tree, dotted.split("."), deepcopy(value))
    return yaml.safe_dump(_without_blanks(tree), sort_keys=False, allow_unicode=True)


def _put(tree: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    tree[path[-1]] = value


def _without_blanks(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _without_blanks(value) for key, value in tree.items() if value is not None}
    return tree


def _planted(plant: dict[str, Any]) -> str:
    fragments = [FILE["fragments"][name] for name in plant.get("with", ())]
    return _policy(CLEAN[plant.get("at", "dublin")], *fragments, plant.get("sets", {}))


@pytest.mark.parametrize("at", CLEAN)
def test_a_clean_policy_is_silent(at: str) -> None:
    assert [finding.line() for finding in check_texts(_policy(CLEAN[at]), today=TODAY).findings] == []


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant["defect"])
def test_a_planted_defect_is_found_by_the_rules_for_it_and_by_no_other(plant: dict[str, Any]) -> None:
    findings = check_texts(_planted(plant), today=TODAY).findings
    assert {finding.rule for finding in findings} == set(plant["found by"]), [f.line() for f in findings]
    assert all(finding.hint and finding.place.line for finding in findings)


def test_each_plant_has_a_name_of_its_own_and_there_are_many() -> None:
    assert len({plant["defect"] for plant in PLANTS}) == len(PLANTS) >= 80


BY_HAND = {"E-08", "E-09", "E-10", "E-11", "E-23", "E-27"}
"""about words alone: the examples beside the rules show them"""


def test_every_rule_finds_a_planted_defect() -> None:
    assert {rule for plant in PLANTS for rule in plant["found by"]} == set(RULES) - BY_HAND
