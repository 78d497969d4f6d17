"""How an address of somebody may be written, and how what reads like one may be meant. Pure.

What could go wrong: the address that is looked for stands there as a program wrote it, with ``%40`` or ``&#64;`` in place of
the sign, or a telephone number as people of its country write it, without the country. So a text is read plainly as well; and
a number without a country is taken for one of the operator's country, and of any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from urllib.parse import unquote

import phonenumbers

from troth.people.blind import normalised
from troth.policy.compile import Compiled

_SIGNS = {"40": "@", "2b": "+", "2e": "."}
_ESCAPED = re.compile(r"(?:=|\\u00|\\x)(40|2b|2e)", re.IGNORECASE)
"""as mail (quoted-printable) and programs write these signs"""
_TWICE = 3
"""times that a text may be written in place of another, one within the other"""
ENCODED = ("%#%40%", "%#%2540%", "%&##64;%", "%&##x40;%", "%&commat;%", "%=40%", "%\\u0040%")
"""what a text must be like to hold an e-mail address that is written so; ``#`` takes a sign as it is"""
_PHONE = "pd:TelephoneNumber"
_KEEP_ZERO = frozenset({39, 225, 241, 242, 378, 379})
"""countries whose numbers keep the zero that they begin with"""
_SHORTEST, _LONGEST = 7, 15
"""digits of a telephone number (E.164)"""
_NO_PHONE = re.compile(r"\d{4}-\d\d-\d\d\b|\d\d[./]\d\d[./]\d{4}\b|\d+\.\d+$")  # days and fractions


def plain(text: str) -> str:
    """``text`` without the ways in which addresses of pages, HTML, mail and JSON write signs."""
    for _ in range(_TWICE):
        before, text = text, _ESCAPED.sub(lambda match: _SIGNS[match[1].lower()], unescape(unquote(text)))
        if text == before:
            break
    return text


def meant(policy: Compiled, field: str, token: str) -> Iterator[str]:
    """How somebody who is known by ``field`` may be spelled, if ``token`` is they."""
    yield normalised(policy, field, token.strip("."))
    data = policy.policy.data.get(field)
    if data is not None and data.category == _PHONE and "@" not in token:
        yield from _numbers(token)


def _numbers(token: str) -> Iterator[str]:
    """The numbers, in E.164, that ``token`` may be: one whose plus is missing, or one of any country that it does not say.

    Of the second kind is only what is written as a telephone number: with a zero before it, or with something in between.
    """
    digits = "".join(sign for sign in token if sign.isdecimal())
    if token.lstrip("(").startswith("+") or not _SHORTEST <= len(digits) <= _LONGEST:
        return
    yield f"+{digits.removeprefix('00')}"
    if (digits.startswith("0") or len(digits) < len(token)) and not _NO_PHONE.match(token):
        for code in _codes():
            yield f"+{code}{digits if code in _KEEP_ZERO else digits.removeprefix('0')}"


@cache
def _codes() -> tuple[int, ...]:
    return tuple(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
