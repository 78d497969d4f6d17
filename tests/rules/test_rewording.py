"""The words that changed are marked, those that did not are not, and nothing of either sentence is lost."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.policy.rewording import Piece, reworded


def changed(pieces: tuple[Piece, ...]) -> list[str]:
    return [text.strip() for text, marked in pieces if marked]


def left(pieces: tuple[Piece, ...]) -> list[str]:
    """The words that are not marked."""
    return [word for text, marked in pieces if not marked for word in re.findall(r"\w+", text)]


@pytest.mark.parametrize(
    ("before", "after", "gone", "new"),
    [
        ("We keep this 30 days.", "We keep this 90 days.", ["30"], ["90"]),
        ("Kept 30 days after your order.", "Kept 1 year after your visit.", ["30 days", "order"], ["1 year", "visit"]),
        ("Your name and e-mail address.", "Your name, telephone number and e-mail address.", [], [", telephone number"]),
        ("保存三十天後銷毀。", "保存九十天後銷毀。", ["三"], ["九"]),
        ("The same.", "The same.", [], []),
        ("One, two, three.", "Red, green, three.", ["One, two"], ["Red, green"]),
        ("Nothing alike here", "完全不同", ["Nothing alike here"], ["完全不同"]),
    ],
)  # fmt: skip
def test_only_the_words_that_changed_are_marked(before: str, after: str, gone: list[str], new: list[str]) -> None:
    had, has = reworded(before, after)
    assert (changed(had), changed(has)) == (gone, new)


words = st.lists(st.sampled_from(["we", "keep", "30", "days", ",", ".", " ", "  ", "保", "存", "é", "\n", "–"])).map(
    " ".join
)


@given(words | st.text(), words | st.text())
def test_the_pieces_make_up_both_sentences_and_what_is_not_marked_is_the_same(before: str, after: str) -> None:
    had, has = reworded(before, after)
    assert ("".join(text for text, _ in had), "".join(text for text, _ in has)) == (before, after)
    if before == after:
        assert changed(had) == changed(has) == []
    assert all(one[1] != other[1] for one, other in pairwise(had))
    assert left(had) == left(has)
