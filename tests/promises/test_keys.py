"""Every key of the policy counts for something, and for what its kind says.

What the language itself reads is changed, and the rules, the clocks, the notice or a finding must change with it. What a room
reads is named by the room (``troth.bindings.proves``), and the code of that function must hold the key's name.
"""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from typing import Any

import pytest

from tests.keys import effects
from tests.keys.read import read_by
from tests.keys.walk import KEYS, Path, dotted
from tests.notices import ROOT
from troth.evidence.catalogue import CATALOGUE
from troth.policy import compile as compiling
from troth.policy.clocks import clocks
from troth.policy.kind import EXPORT, INTERNAL, NOTICE, OF_EVERY_ENTRY, PROOF, ROOM, STATEMENT, WEIGHT, Claim
from troth.policy.kinds import KINDS, SECTIONS
from troth.policy.law import profiles_of
from troth.policy.lint import RULES
from troth.policy.rules import rules

SEARCHES = frozenset(search for rule in RULES.values() for search in rule.searches)


@cache
def claims() -> dict[str, Claim]:
    """For what each key counts, as its kind says it."""
    named = {f"{section}.{key}": claim for section, one in SECTIONS.items() for key, claim in one.keys.items()}
    common = {dotted(key): OF_EVERY_ENTRY[key[-1]] for key in KEYS if key[-1] in OF_EVERY_ENTRY}
    return {**common, **named}


def claimed(*what: object) -> list[Path]:
    return [key for key in KEYS if any(claims().get(dotted(key)) is one for one in what)]


def ids(key: Path) -> str:
    return dotted(key)


def test_every_key_counts_for_something() -> None:
    known = {dotted(key) for key in KEYS}
    assert known - set(claims()) == set(), "claim these in their kinds, or take them out of the language"
    assert set(claims()) - known == set(), "these are no keys of the policy any more"


@pytest.mark.parametrize("key", claimed(rules), ids=ids)
def test_a_key_that_counts_in_a_rule_changes_what_is_allowed(key: Path) -> None:
    assert effects.has(effects.of_rules, key)


@pytest.mark.parametrize("key", claimed(clocks), ids=ids)
def test_a_key_that_counts_in_a_clock_changes_what_is_destroyed_and_when(key: Path) -> None:
    assert effects.has(effects.of_clocks, key)


@pytest.mark.parametrize("key", claimed(NOTICE, STATEMENT), ids=ids)
def test_a_key_that_counts_in_the_notice_changes_what_people_read(key: Path) -> None:
    assert effects.has(effects.of_notice, key)


@pytest.mark.parametrize("key", claimed(STATEMENT), ids=ids)
def test_a_statement_changes_nothing_that_is_done(key: Path) -> None:
    assert not effects.has(effects.of_rules, key)
    assert not effects.has(effects.of_clocks, key)


@pytest.mark.parametrize("key", claimed(EXPORT), ids=ids)
def test_a_key_for_other_programs_changes_what_they_read(key: Path) -> None:
    assert effects.has(effects.of_export, key)


@pytest.mark.parametrize("key", claimed(WEIGHT), ids=ids)
def test_a_key_that_weighs_changes_what_is_significant(key: Path) -> None:
    assert effects.has(effects.of_weight, key)


@pytest.mark.parametrize("key", claimed(*SEARCHES), ids=ids)
def test_a_key_for_the_linter_changes_what_it_finds(key: Path) -> None:
    search: Any = claims()[dotted(key)]
    assert effects.has(effects.of_lint(search), key)


def test_every_claim_is_one_that_this_file_tries() -> None:
    tried = [rules, clocks, profiles_of, NOTICE, STATEMENT, EXPORT, WEIGHT, ROOM, PROOF, INTERNAL, *SEARCHES]
    assert [key for key, claim in claims().items() if not any(claim is one for one in tried)] == []


def in_rooms() -> dict[str, Any]:
    """For each key that a room reads, what reads it."""
    return {key: reader for bound in CATALOGUE.values() for key, reader in bound.keys.items()}


def test_a_key_is_read_by_a_room_exactly_when_its_kind_says_so() -> None:
    named = Counter(key for bound in CATALOGUE.values() for key in bound.keys)
    bound_twice = {id(bound.keys): bound for bound in CATALOGUE.values()}.values()
    once = Counter(key for bound in bound_twice for key in bound.keys)
    assert {key for key, count in once.items() if count > 1} == set(), "claimed by two rooms"
    assert set(named) == {dotted(key) for key in claimed(ROOM)}


@pytest.mark.parametrize("key", claimed(ROOM), ids=ids)
def test_what_a_room_names_reads_the_key(key: Path) -> None:
    reader = in_rooms()[dotted(key)]
    assert names_of(key) & read_by(reader), f"{reader} does not read {dotted(key)}"


@pytest.mark.parametrize("key", claimed(PROOF), ids=ids)
def test_a_proof_that_goes_by_a_key_reads_it(key: Path) -> None:
    kinds = [kind.id for kind in KINDS.values() if kind.entries and kind.entries.section == key[0]]
    assert any(names_of(key) & read_by(CATALOGUE[kind].prove) for kind in kinds)


def names_of(key: Path) -> frozenset[str]:
    """What code calls a key: its field, and what a compiled policy makes of it."""
    field = key[-1].replace(" ", "_")
    fields = {field, f"{field}_"}
    return frozenset(fields | {name for name, read in made_of().items() if read & fields})


@cache
def made_of() -> dict[str, set[str]]:
    """The names that a compiled policy gives to what it makes of the entries, and which of their fields it reads."""
    assert compiling.__file__ is not None
    tree = ast.parse((ROOT / "src" / "troth" / "policy" / "compile.py").read_text("utf-8"))
    made = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {node.name: {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)} for node in made}


INTERNAL_KEYS = [key for key in KEYS if key[-1] in SECTIONS[key[0]].weight.internal]


@pytest.mark.parametrize("key", INTERNAL_KEYS, ids=ids)
def test_a_change_that_is_called_internal_is_one_that_nobody_outside_can_notice(key: Path) -> None:
    assert not effects.has(effects.of_rules, key)
    assert not effects.has(effects.of_notice, key)
