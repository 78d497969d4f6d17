"""Which words of a sentence are said otherwise. A reader looks for them; a sentence that is struck whole hides them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import groupby
from operator import itemgetter

Piece = tuple[str, bool]
"""a stretch of a sentence, and whether it is said otherwise in the other one"""

_TOKEN = re.compile(r"(?:[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+|[^\w\s])\s*|\s+")
"""a word, a sign of punctuation or a Chinese character, with the blank after it"""


def reworded(before: str, after: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Both sentences in pieces, the changed ones marked. The pieces of each make up the whole sentence."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    matcher = SequenceMatcher(None, [one.strip() for one in old], [one.strip() for one in new], autojunk=False)
    had: list[Piece] = []
    has: list[Piece] = []
    for what, start, end, new_start, new_end in matcher.get_opcodes():
        had.append(("".join(old[start:end]), what != "equal"))
        has.append(("".join(new[new_start:new_end]), what != "equal"))
    return tuple(_joined(had)), tuple(_joined(has))


def _joined(pieces: list[Piece]) -> Iterator[Piece]:
    """Without empty pieces; one mark over changed words that only punctuation stands between, and none over the blank after."""
    there = [one for one in pieces if one[0]]
    last = len(there) - 1
    marks = (
        changed or (0 < place < last and not re.search(r"\w", text)) for place, (text, changed) in enumerate(there)
    )
    parts = (part for (text, _), marked in zip(there, marks, strict=True) for part in _apart(text, marked))
    for marked, group in groupby(_bridged(list(parts)), key=itemgetter(1)):
        yield "".join(text for text, _ in group), marked


def _apart(text: str, marked: bool) -> Iterator[Piece]:
    """``text``, and apart from it the blank at its end where it is marked."""
    word = text.rstrip() if marked else text
    yield from ((part, mark) for part, mark in ((word, marked), (text[len(word) :], False)) if part)


def _bridged(parts: list[Piece]) -> Iterator[Piece]:
    """As ``parts``, with a blank between two marked ones marked too."""
    for place, (text, marked) in enumerate(parts):
        between = 0 < place < len(parts) - 1 and not text.strip() and parts[place - 1][1] and parts[place + 1][1]
        yield text, marked or between
