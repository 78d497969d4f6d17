"""What proofs say is plain, and said in every language of the notice."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.policies import SitePolicy
from troth.evidence.words import in_language, table
from troth.policy.notice.language import LANGUAGES, Speaker, language
from troth.proof import THINGS, Named, Some, words

SOURCE = Path(__file__).parents[2] / "src" / "troth"
OTHERS = [tag for tag in LANGUAGES if tag != "en"]
PLACES = {"say": (0,), "nothing_yet": (2,), "not_proven": (2, 3), "counted": (3,), "tried": (2,)}
"""Which arguments of a method of ``Proving`` are sentences."""


def sentences() -> set[str]:
    """Every sentence of a proof, read from the source: arguments, and tables whose names hold SAID."""
    files = [
        *SOURCE.rglob("proofs.py"),
        SOURCE / "proof.py",
        SOURCE / "retention" / "logs.py",
        SOURCE / "evidence" / "walks.py",
        SOURCE / "evidence" / "walked.py",
        SOURCE / "evidence" / "prove.py",
    ]
    return {sentence for file in files for sentence in _in(ast.parse(file.read_text(encoding="utf-8")))}


def _in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PLACES:
            yield from _text([node.args[place] for place in PLACES[node.func.attr] if place < len(node.args)])
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Dict):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and "SAID" in target.id:
                yield from _text(node.value.values)


def _text(nodes: list[ast.expr]) -> Iterator[str]:
    yield from (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def holes(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("tag", OTHERS)
def test_every_sentence_is_there_in_every_language_and_nothing_is_left_over(tag: str) -> None:
    assert set(table(tag)["sentences"]) == sentences()


@pytest.mark.parametrize("tag", OTHERS)
def test_a_translation_keeps_what_is_put_in(tag: str) -> None:
    assert {said for said, other in table(tag)["sentences"].items() if holes(said) != holes(other)} == set()
    used = {some for file in SOURCE.rglob("*.py") for some in re.findall(r'Some\([^"]*?"(\w+)"\)', file.read_text())}
    assert used <= set(table(tag)["things"]) <= set(THINGS)


def test_a_proof_says_the_same_in_both_languages() -> None:
    ledflex = SitePolicy("ledflex").policy
    speaker = Speaker(ledflex, language("en"))
    said = words(speaker, "only {fields}", fields=Named("fields", ("email", "first_name")))
    both = words(
        speaker, "{one}; {two}", one=words(speaker, "{wrong} not encrypted", wrong=Some(1, "record")), two=said
    )
    assert both == "1 record not encrypted; only e-mail address and first name"
    assert in_language(both, ledflex, "en") == both
    assert in_language(both, ledflex, "zh-Hant") == "1 筆資料未加密；僅限電子郵件地址和名字"
    assert in_language("a sentence of nobody", ledflex, "zh-Hant") == "a sentence of nobody"


NOT_FOR_VISITORS = re.compile(
    r"\b(ledger|canary|seal(ed)?|clocks?|dealings?|quarantine|vault|gate|checkpoints?|ending|of late)\b"
)
"""words of the program and its documentation; what a proof says stands on the notice, for people who know neither"""


def test_a_proof_speaks_no_language_of_the_program() -> None:
    said = {re.sub(r"\{\w+\}", "", one) for one in sentences() | set(THINGS) | set(THINGS.values())}
    assert {one for one in said if NOT_FOR_VISITORS.search(one)} == set()
