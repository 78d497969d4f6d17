"""The catalogue is whole: every kind of promise has its lint, its sentence, its enforcer, its proof, and a way to break it."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

from tests.promises.breaks import BREAKS
from troth.evidence.catalogue import CATALOGUE
from troth.ledger import events
from troth.policy.lint import RULES
from troth.policy.notice.language import LANGUAGES, language
from troth.policy.promises import KINDS

ROOT = Path(__file__).parents[2]
SOURCES = {path: path.read_text(encoding="utf-8") for path in (ROOT / "src" / "troth").rglob("*.py")}


def test_every_kind_has_an_entry_and_every_entry_a_kind() -> None:
    assert set(CATALOGUE) == set(KINDS)
    assert len(KINDS) == len(set(KINDS))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_rules_that_the_linter_knows(kind: str) -> None:
    assert CATALOGUE[kind].lint
    assert set(CATALOGUE[kind].lint) <= set(RULES)


@pytest.mark.parametrize("tag", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_sentence_in_every_language(kind: str, tag: str) -> None:
    sentences = language(tag).tree["kinds"][kind]["say"]
    assert sentences
    assert all(str(sentence).strip() for sentence in sentences.values())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_an_enforcer_that_can_be_imported(kind: str) -> None:
    module, _, name = CATALOGUE[kind].enforcer.partition(":")
    assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_broken_on_purpose(kind: str) -> None:
    assert [broken for broken in BREAKS if broken.kind == kind], f"add a way to break `{kind}` to breaks.py"


def test_every_proof_is_broken_on_purpose() -> None:
    """Two kinds may share a proof, but none has one that nobody saw fail."""
    failed = {CATALOGUE[broken.kind].prove for broken in BREAKS}
    assert {kind for kind, entry in CATALOGUE.items() if entry.prove not in failed} == set()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_compiled_from_some_entry(kind: str) -> None:
    compiled = SOURCES[ROOT / "src" / "troth" / "policy" / "promises.py"]
    listed, _, makers = compiled.partition("@dataclass")
    assert f'"{kind}"' in listed
    assert f'"{kind}"' in makers


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
    "STATISTICS": ("COUNT_REFUSED",),
    "SYSTEMS": ("HOLDING_IMPORTED", "SYSTEM_"),
    "CONSOLE": (
        "PROOF_ATTESTED",
        "COOKIE_REFUSED",
        "VISIT_REFUSED",
        "POLICY_TOLD",
        "KEY_MADE",
        "KEY_DESTROYED",
        "RELATIONSHIP_",
        "HOLD_REFUSED",
    ),
}
"""Events of rooms that are not built yet, by the first letters of their names; an event that is used must not be here."""


def test_every_event_is_used_or_belongs_to_a_room_that_is_to_come() -> None:
    names = {name for name, value in vars(events).items() if name.isupper() and isinstance(value, str)}
    elsewhere = "\n".join(text for path, text in SOURCES.items() if path.name != "events.py")
    used = {name for name in names if re.search(rf"\bevents\.{name}\b", elsewhere)}
    coming = tuple(start for starts in LATER.values() for start in starts)
    assert {name for name in names - used if not name.startswith(coming)} == set()
    assert {name for name in used if name.startswith(coming)} == set()
