"""The words of the pages: the same in every language, and the language the reader wants."""

import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import troth.collection
from troth.web.words import LANGUAGES, chosen, words


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", str(value)


def _said(tag: str) -> dict[str, set[str]]:
    """Each key with the terms that its words take."""
    found = {key: value for key, value in _leaves(words(tag)) if not key.startswith("problems.")}
    return {key: {name for _, name, _, _ in string.Formatter().parse(value) if name} for key, value in found.items()}


def test_each_language_says_the_same_with_the_same_terms() -> None:
    first, *others = LANGUAGES
    for other in others:
        assert _said(other) == _said(first)


def test_each_complaint_about_an_answer_is_translated() -> None:
    source = Path(str(troth.collection.__path__[0])).joinpath("rules.py").read_text(encoding="utf-8")
    said = re.findall(r'(?:yield [^"\n]*, |return f?)"([A-Z][^"]+\.)"', source)
    complaints = {line.replace("{LONGEST:,}", "10,000") for line in said}
    assert len(complaints) >= 9
    assert complaints <= set(words("zh-Hant")["problems"])


@pytest.mark.parametrize(
    ("asked", "accepted", "expected"),
    [
        (None, None, "en"),
        ("zh-TW", None, "zh-Hant"),
        (None, "de, zh-HK;q=0.3", "zh-Hant"),
        (None, "en;q=0, zh;q=0.1", "zh-Hant"),
        ("de", "zh", "zh-Hant"),
        (None, ";;;q=,,x;q=2;", "en"),
    ],
)
def test_the_wish_that_can_be_met_is_met(asked: str | None, accepted: str | None, expected: str) -> None:
    assert chosen(asked, accepted, LANGUAGES) == expected
