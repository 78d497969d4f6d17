"""Cells that no program takes for a formula, and words that say the same in every language."""

import csv
import io
import string
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.rights.copy.as_csv import guarded, unguarded
from troth.rights.copy.words import LANGUAGES, words

CELLS = st.text(max_size=30) | st.builds(str.__add__, st.sampled_from("=+-@\t\r\n'\""), st.text(max_size=20))


@settings(deadline=None)
@given(CELLS)
def test_no_cell_begins_like_a_formula_and_each_can_be_read_back(cell: str) -> None:
    shown = guarded(cell)
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert unguarded(shown) == cell


@settings(deadline=None)
@given(st.lists(st.lists(CELLS.filter(lambda cell: "\x00" not in cell), min_size=2, max_size=2), max_size=4))
def test_a_table_is_read_back_as_it_was_written(rows: list[list[str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows([guarded(cell) for cell in row] for row in rows)
    read = list(csv.reader(io.StringIO(out.getvalue(), newline="")))
    assert [[unguarded(cell) for cell in row] for row in read] == rows


@pytest.mark.parametrize("cell", ["=1+1", "+44 20 7946 0958", "-5", "@SUM(A1)", "\t=1", "\r=1", "'=1", "\n=1"])
def test_what_spreadsheets_carry_out_is_guarded(cell: str) -> None:
    assert guarded(cell) == f"'{cell}"


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", str(value)


def _said(tag: str) -> dict[str, set[str]]:
    found = dict(_leaves(words(tag)))
    return {key: {name for _, name, _, _ in string.Formatter().parse(value) if name} for key, value in found.items()}


def test_each_language_says_the_same_with_the_same_terms() -> None:
    first, *others = LANGUAGES
    for other in others:
        assert _said(other) == _said(first)
