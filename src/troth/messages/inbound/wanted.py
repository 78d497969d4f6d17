"""What somebody wants, guessed from their words. Pure; the words are data (``wanted.yaml``).

What could go wrong: a letter that says what its writer does *not* want is carried out; one wish is heard where two were made;
whoever only asks loses an account. So what follows a denial or a "how do I" counts as not said, and unless exactly one thing is
asked for the answer is ``question``, which means that a person reads it. A guess opens a request and does nothing else:
whatever needs showing who one is needs it afterwards, too.

Anybody writes letters, so no pattern here may have two ways to read the same characters: a word takes its apostrophes, a gap
takes nothing of a word, and what either took it keeps (``++``). Else a row of apostrophes costs days.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

QUESTION = "question"
MOST = 6_000
"""characters that are looked at: what somebody wants stands at the beginning"""
_REPLY = re.compile(r"^\s*(re|aw|sv|回覆|回复|答覆)\s*[:：]", re.IGNORECASE)
_NEAR = {"en": re.compile(r"(?:\s+[^\s,:()]+){0,5}"), "zh-Hant": re.compile(r"[^，,：:（）()]{0,8}")}
"""what stands before a phrase, read backwards from it"""
_SENTENCES = r"[.!?;。！？；\n]++(?=\s|$|[^\x00-\x7f])|[。！？；，\n]+"


@dataclass(frozen=True, slots=True)
class _Words:
    """The phrases, ready to be looked for."""

    rights: tuple[tuple[str, str, re.Pattern[str]], ...]
    covers: Mapping[str, tuple[str, ...]]
    denied: Mapping[str, re.Pattern[str]]
    polite: re.Pattern[str]
    clauses: re.Pattern[str]


def wanted(subject: str, text: str) -> str:
    """One of the words of ``policy.model.Right.right``, or ``question``: for nothing, for two things, for anything unclear."""
    said = "" if _REPLY.match(subject) else subject  # the subject of an answer is ours
    own = "\n".join(line for line in text[:MOST].split("\n") if not line.lstrip().startswith((">", "＞")))
    found = set()
    for clause in _clauses(f"{said}\n{own}"):
        found |= _asked(clause)
    for whole, parts in _words().covers.items():
        if whole in found:
            found -= set(parts)
    return found.pop() if len(found) == 1 else QUESTION


def _clauses(text: str) -> Iterator[str]:
    plain = unicodedata.normalize("NFKC", text.replace("，", "。")).casefold().replace("’", "'").replace("`", "'")
    plain = re.sub(r"[-‐‑–]", " ", plain)
    for sentence in re.split(_SENTENCES, _words().polite.sub(" ", plain)):
        yield from (" ".join(clause.split()) for clause in _words().clauses.split(sentence) if clause.strip())


def _asked(clause: str) -> set[str]:
    """What one clause asks for: of phrases that share words the longest is meant."""
    spans = [
        (found.start(), found.end(1), right)
        for right, language, phrase in _words().rights
        for found in phrase.finditer(clause)
        if not _denied(clause[: found.start()], language)
    ]
    return {one[2] for one in spans if not any(_gives_way(one, other) for other in spans)}


def _gives_way(one: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    shared = one[0] < other[1] and other[0] < one[1]
    return shared and other[1] - other[0] > one[1] - one[0]


def _denied(before: str, language: str) -> bool:
    near = _NEAR[language].match(before[::-1])
    return near is not None and bool(_words().denied[language].search(near[0][::-1]))


# --- The phrases ---------------------------------------------------------------------------------------------------------


@cache
def _words() -> _Words:
    told: Any = YAML(typ="safe").load(files(__package__).joinpath("wanted.yaml").read_text(encoding="utf-8"))
    rights = tuple(
        (right, language, _phrase(phrase, language, told["joins"][language]))
        for right, languages in told["rights"].items()
        for language, phrases in languages.items()
        for phrase in phrases
    )
    clauses = "|".join([rf"\b(?:{_any(told['clauses']['en'])})\b", _any(told["clauses"]["zh-Hant"])])
    return _Words(
        rights=rights,
        covers={whole: tuple(parts) for whole, parts in told["covers"].items()},
        denied={
            "en": re.compile(rf"\b(?:{_any(told['denied']['en'])})\b"),
            "zh-Hant": re.compile(_any(told["denied"]["zh-Hant"])),
        },
        polite=re.compile(_any(told["polite"])),
        clauses=re.compile(clauses),
    )


def _any(words: Iterable[str]) -> str:
    return "|".join(sorted((re.escape(word.casefold()) for word in words), key=len, reverse=True))


def _phrase(phrase: str, language: str, joins: Iterable[str]) -> re.Pattern[str]:
    """A phrase of the file as a pattern that is found wherever it begins, also within itself; ``..`` is as short as can be."""
    words = [part if part == ".." else f"(?:{_any(part.split('/'))})" for part in phrase.split()]
    if language == "en":
        between = r"\W++"
        gap = rf"(?:\W++(?!(?:{_any(joins)})\b)\w++(?:'\w++)*+){{0,7}}?\W++"
        whole = between.join(rf"\b{word}\b" if word != ".." else ".." for word in words)
        whole = whole.replace(f"{between}..{between}", gap).replace("_", between)
    else:
        gap = rf"(?:(?!{_any(joins)}).){{0,10}}?"
        whole = "".join(gap if word == ".." else word for word in words)
    return re.compile(f"(?=({whole}))")
