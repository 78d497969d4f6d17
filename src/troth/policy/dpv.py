"""The names of the Data Privacy Vocabulary 2.3 that a policy may use, and what follows from where a term stands in it.

The shipped file has names and broader terms alone; ``dpv-terms.txt`` says where they come from. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

PERSONAL_DATA = "dpv:PersonalData"
PURPOSE = "dpv:Purpose"
SPECIAL = "dpv:SpecialCategoryPersonalData"


@cache
def broader() -> Mapping[str, str]:
    """Each term of the vocabulary and the one above it; blank for a term at the top."""
    text = files("troth.policy").joinpath("dpv-terms.txt").read_text(encoding="utf-8")
    lines = (line.partition(" < ") for line in text.splitlines() if not line.startswith("#"))
    return {term: above for term, _, above in lines}


def above(term: str) -> Iterator[str]:
    """``term`` and every term that it is a kind of, the closest first."""
    seen: set[str] = set()
    while term in broader() and term not in seen:
        yield term
        seen.add(term)
        term = broader()[term]


def is_special(term: str) -> bool:
    """Whether ``term`` is, or is a kind of, a special category of personal data (GDPR Art. 9(1)): `pd:BloodType` is."""
    return SPECIAL in above(term)


@cache
def data_terms() -> tuple[str, ...]:
    """What a field of data can be called: every kind of personal data, without the word for all of it."""
    return _below(PERSONAL_DATA)


@cache
def purpose_terms() -> tuple[str, ...]:
    """What a purpose can be called."""
    return _below(PURPOSE)


@cache
def countries() -> tuple[str, ...]:
    """The countries, as ISO 3166-1 alpha-2."""
    return tuple(sorted(term.removeprefix("loc:") for term in broader() if term.startswith("loc:")))


def _below(top: str) -> tuple[str, ...]:
    return tuple(sorted(term for term in broader() if term != top and top in above(term)))
