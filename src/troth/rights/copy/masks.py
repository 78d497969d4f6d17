"""What would tell a person about somebody else is left out of their copy, not their copy refused. Pure.

Staff decide what is masked: a field of a record, or a stretch of its text. ``suggest`` finds for them what looks like another
person's address or telephone number in what was written freely; it decides nothing, and a name has no form that it could find.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from troth.people.vault import Held
from troth.policy.model import Policy
from troth.policy.terms import terms

FREE_FAMILIES = frozenset({"words", "orders", "choices"})
FREE_TERMS = frozenset({"pd:ProfessionalEvaluation", "pd:EmploymentHistory", "pd:Behavioural"})
"""families and categories of data that people write in their own words"""
_EMAIL = re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_PHONE = re.compile(r"(?<![\w.+/-])(?:\+|00)?\(?\d[\d ()./-]{5,18}\d(?!\w)")
_A_DAY = re.compile(r"\d{4}-\d\d-\d\d$|\d{1,2}[./]\d{1,2}[./]\d{2,4}$")


@dataclass(frozen=True, slots=True)
class Span:
    """Signs ``start`` to ``end`` (not included) of a field of a record, whose whole text was then ``seen`` (see ``mark``)."""

    holding: str
    field: str
    start: int
    end: int
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A stretch that staff should look at, with what it looks like: ``email`` or ``telephone``."""

    span: Span
    looks_like: str


@dataclass(frozen=True, slots=True)
class Masks:
    """What staff decided to leave out: ``fields`` as (id of the record, field), whole, and stretches of others."""

    fields: frozenset[tuple[str, str]] = frozenset()
    spans: frozenset[Span] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.fields or self.spans)

    def of(self, held: Held, words: str) -> tuple[Mapping[str, str], frozenset[str]]:
        """The values of a record with ``words`` in the place of what is masked, and which fields that touched."""
        mine = [span for span in self.spans if span.holding == held.id]
        touched = {field for holding, field in self.fields if holding == held.id}
        # Where the text was changed since, nobody knows any more which stretch was meant: all of it stays out.
        touched |= {one.field for one in mine if one.seen and one.seen != mark(held.fields.get(one.field, ""))}
        parts: dict[str, list[Span]] = {}
        for span in mine:
            if span.field not in touched:
                parts.setdefault(span.field, []).append(span)
        masked = (touched | parts.keys()) & held.fields.keys()
        if not masked:
            return held.fields, frozenset()
        cut = {field: _cut(held.fields[field], parts.get(field), words) for field in masked}
        return {**held.fields, **cut}, frozenset(masked)


NONE = Masks()


def mark(text: str) -> str:
    """What tells whether a text is the one that staff saw."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _cut(value: str, spans: list[Span] | None, words: str) -> str:
    if spans is None:
        return words
    kept, at = [], 0
    for start, end in _joined(spans):
        kept += [value[at : max(start, at)], words]
        at = max(end, at)
    return "".join([*kept, value[at:]])


def _joined(spans: Iterable[Span]) -> list[tuple[int, int]]:
    """The stretches in order, those that touch as one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted((max(span.start, 0), span.end) for span in spans if span.end > max(span.start, 0)):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def suggest(policy: Policy, records: Iterable[Held]) -> Iterator[Suggestion]:
    """What looks like somebody else's e-mail address or telephone number where people write freely.

    What the person gave as their own, in any record, is theirs and not suggested; so the records are gone through before
    anything is suggested, and only texts are kept of them.
    """
    own: set[str] = set()
    texts: list[tuple[str, str, str]] = []
    for held in records:
        for field, value in held.fields.items():
            if _is_free(policy, field):
                texts.append((held.id, field, value))
            else:
                own |= {_plain_email(value), _plain_phone(value)}
    for holding, field, value in texts:
        yield from _in_text(holding, field, value, own - {""})


def _is_free(policy: Policy, field: str) -> bool:
    data = policy.data.get(field)
    if data is None or data.category in FREE_TERMS:
        return True
    return terms().get(data.category, {}).get("family") in FREE_FAMILIES


def _in_text(holding: str, field: str, value: str, own: set[str]) -> Iterator[Suggestion]:
    seen = mark(value)
    for found in _EMAIL.finditer(value):
        if _plain_email(found[0]) not in own:
            yield Suggestion(Span(holding, field, *found.span(), seen), "email")
    for found in _PHONE.finditer(value):
        digits = _plain_phone(found[0])
        if 7 <= len(digits) <= 15 and not _A_DAY.match(found[0]) and not _same_number(digits, own):
            yield Suggestion(Span(holding, field, *found.span(), seen), "telephone")


def _plain_email(value: str) -> str:
    return value.strip().casefold() if "@" in value else ""


def _plain_phone(value: str) -> str:
    return "".join(sign for sign in value if sign.isdecimal())


def _same_number(digits: str, own: set[str]) -> bool:
    """Whether it is one of ``own``, with or without a country's code before it."""
    return any(digits[-7:] == other[-7:] for other in own if "@" not in other and len(other) >= 7)
