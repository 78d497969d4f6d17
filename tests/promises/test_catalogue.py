"""The catalogue is whole: every kind of promise has its lint, its sentence, its enforcer, its proof, and a way to break it."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path
from typing import get_origin

import pytest

from tests.notices import with_shop
from tests.promises.breaks import BREAKS
from troth.bindings import BINDINGS, proves
from troth.evidence import catalogue
from troth.evidence.bearing import rests
from troth.evidence.catalogue import CATALOGUE
from troth.ledger import events
from troth.policy.kinds import KINDS, SECTIONS, keys_of
from troth.policy.lint import RULES
from troth.policy.model import Policy
from troth.policy.notice.compose import entry_at
from troth.policy.notice.language import LANGUAGES, language
from troth.policy.notice.topics import TOPICS
from troth.store.schema import data_tables, key_tables

ROOT = Path(__file__).parents[2]
SOURCES = {path: path.read_text(encoding="utf-8") for path in (ROOT / "src" / "troth").rglob("*.py")}


def test_every_kind_is_bound_by_a_room() -> None:
    assert list(CATALOGUE) == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_rules_that_the_linter_runs(kind: str) -> None:
    searches = [search for rule in RULES.values() for search in rule.searches]
    assert KINDS[kind].lint or KINDS[kind].no_lint
    assert [search for search in KINDS[kind].lint if search not in searches] == []


@pytest.mark.parametrize("tag", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_sentence_in_every_language(kind: str, tag: str) -> None:
    sentences = language(tag).tree["kinds"][kind]["say"]
    assert sentences
    assert all(str(sentence).strip() for sentence in sentences.values())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_enforcers_that_are_not_its_proof(kind: str) -> None:
    bound = CATALOGUE[kind]
    assert bound.enforced_by
    assert all(callable(enforcer) and enforcer is not bound.prove for enforcer in bound.enforced_by)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_proof_covers_are_keys_of_its_entries(kind: str) -> None:
    """A proof of something the policy cannot say would count for nothing."""
    sections = {promise.path[0] for policy in with_shop() for promise in policy.promises if promise.kind == kind}
    keys = {key for section in sections for key in keys_of(section)}
    assert sections
    assert CATALOGUE[kind].covers <= keys


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_proof_rests_on_are_tables_and_columns_that_are_there(kind: str) -> None:
    known = {**data_tables.tables, **key_tables.tables}
    said = [rests(policy, one) for policy in with_shop() for one in policy.promises if one.kind == kind]
    for table, column in (pair for tables in said for pair in tables.items()):
        assert table in known
        assert not column or column in known[table].c


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_broken_on_purpose(kind: str) -> None:
    assert [broken for broken in BREAKS if broken.kind == kind], f"add a way to break `{kind}` to a file breaks_*.py"


def test_every_proof_is_broken_on_purpose() -> None:
    """Two kinds may share a proof, but none has one that nobody saw fail."""
    failed = {CATALOGUE[broken.kind].prove for broken in BREAKS}
    assert {kind for kind, entry in CATALOGUE.items() if entry.prove not in failed} == set()


def test_every_kind_is_compiled_from_some_entry() -> None:
    assert {promise.kind for policy in with_shop() for promise in policy.promises} == set(KINDS)


def test_every_section_of_a_policy_belongs_to_exactly_one_kind() -> None:
    """Each has its weight, so that no change of it goes unjudged; owning one twice stops Troth from starting."""
    assert set(SECTIONS) == {info.alias or name for name, info in Policy.model_fields.items()}
    assert [key for key, entries in SECTIONS.items() if entries.many != (key in MANY)] == []


MANY = {info.alias or name for name, info in Policy.model_fields.items() if get_origin(info.annotation) is dict}


@pytest.mark.parametrize("section", SECTIONS)
def test_what_weighs_in_a_change_are_keys_of_that_section(section: str) -> None:
    weight = SECTIONS[section].weight
    assert {*weight.more, *weight.spans, *weight.wording, *weight.internal} <= set(keys_of(section))


@pytest.mark.parametrize("kind", KINDS)
def test_where_a_kind_stands_in_the_notice_is_a_place_that_every_language_names(kind: str) -> None:
    for promise in (promise for policy in with_shop() for promise in policy.promises if promise.kind == kind):
        entry = next(entry_at(one.policy, promise.path) for one in with_shop() if promise in one.promises)
        topic, group = KINDS[kind].placed(entry)
        assert group in TOPICS[topic]


def test_a_kind_that_no_room_binds_keeps_troth_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    without = {kind: bound for kind, bound in BINDINGS.items() if kind != "visit.expiry"}
    monkeypatch.setattr(catalogue, "BINDINGS", without)
    with pytest.raises(LookupError, match=r"no room enforces and proves visit\.expiry"):
        catalogue._gathered()


def test_a_kind_without_a_rule_of_the_linter_must_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = {**KINDS, "visit.expiry": replace(KINDS["visit.expiry"], lint=())}
    monkeypatch.setattr(catalogue, "KINDS", bare)
    with pytest.raises(LookupError, match=r"visit\.expiry"):
        catalogue._gathered()


def test_no_kind_can_be_bound_twice_or_to_nothing() -> None:
    with pytest.raises(ValueError, match="bound twice"):
        proves("visit.expiry", covers=(), enforced_by=(len,))(CATALOGUE["visit.expiry"].prove)
    with pytest.raises(ValueError, match="no kind of promise"):
        proves("visit.expirey", covers=(), enforced_by=(len,))(CATALOGUE["visit.expiry"].prove)


def test_no_proof_rests_on_a_test_that_ran_somewhere_else() -> None:
    """What is kept by construction is tried when it is shown."""
    assert {name for text in SOURCES.values() for name in re.findall(r'"(tests/[\w/]+\.py)"', text)} == set()


def test_events_are_named_once_and_written_by_their_names() -> None:
    """An event as a bare string would escape the list of events."""
    names = {value: name for name, value in vars(events).items() if name.isupper() and isinstance(value, str)}
    assert set(names) == set(events.EVENTS)
    bare = [
        f"{path.name}: {node.value}"
        for path, text in SOURCES.items()
        if path.name != "events.py"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and node.value in names
    ]
    assert bare == []


LATER = {
    "CONSOLE_OF_PEOPLE": ("PERSON_MERGED",),
    "BREACH": ("BREACH_",),
    "SYSTEMS": ("HOLDING_IMPORTED", "SYSTEM_"),
    "CONSOLE": (
        "PROOF_ATTESTED",
        "COOKIE_REFUSED",
        "VISIT_REFUSED",
        "KEY_MADE",
        "KEY_DESTROYED",
        "RELATIONSHIP_",
        "HOLD_REFUSED",
    ),
}
"""Events of rooms that are not built yet, by the first letters of their names; an event that is used must not be here."""
LISTS = frozenset(
    {"ledger/events.py", *(f"restoring/{name}.py" for name in ("erasures", "lost", "replay", "shut_out"))}
)
"""files that name events and write none: the list of all, and what becomes of each after a restore"""


def test_every_event_is_used_or_belongs_to_a_room_that_is_to_come() -> None:
    names = {name for name, value in vars(events).items() if name.isupper() and isinstance(value, str)}
    files = {path.relative_to(ROOT / "src" / "troth").as_posix(): text for path, text in SOURCES.items()}
    assert files.keys() >= LISTS and not any("ledger.append" in files[name] for name in LISTS)
    elsewhere = "\n".join(text for name, text in files.items() if name not in LISTS)
    used = {name for name in names if re.search(rf"\bevents\.{name}\b", elsewhere)}
    coming = tuple(start for starts in LATER.values() for start in starts)
    assert {name for name in names - used if not name.startswith(coming)} == set()
    assert {name for name in used if name.startswith(coming)} == set()
