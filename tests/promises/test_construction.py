"""What Troth is built not to be able to do: the walk over its own source that proofs by construction carry out."""

from __future__ import annotations

import ast
from functools import cache

import pytest

from troth.source import RULES, read, walk

NOW = read()


@cache
def parsed(module: str) -> ast.Module:
    return ast.parse(NOW.texts[module])


@pytest.mark.parametrize("name", RULES)
def test_no_other_way_exists(name: str) -> None:
    assert walk(name, NOW).offenders == ()


@pytest.mark.parametrize("name", RULES)
def test_another_way_would_be_found(name: str) -> None:
    rule = RULES[name]
    assert rule.offence(ast.parse(rule.sample))
    assert list(rule.offenders({"troth.new": rule.sample})) == ["troth.new"]


@pytest.mark.parametrize("name", RULES)
def test_every_exception_is_needed(name: str) -> None:
    """An exception that nobody uses any more is a door left open."""
    using = list(RULES[name].offenders(NOW.texts))
    unused = [one for one in RULES[name].allowed if not any(f"{user}.".startswith(f"{one}.") for user in using)]
    assert unused == []


@pytest.mark.parametrize("name", RULES)
def test_what_is_looked_for_in_a_text_first_leaves_no_offender_out(name: str) -> None:
    rule = RULES[name]
    passed_over = [one for one, text in NOW.texts.items() if not rule.words.search(text)]
    assert [one for one in passed_over if rule.offence(parsed(one))] == []
