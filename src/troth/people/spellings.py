"""How an e-mail address or a telephone number of somebody may be written, and how what reads like one may be meant. Pure.

What could go wrong: the address that is looked for stands there as a program wrote it, with ``%40`` or ``&#64;`` in place of
the sign, or a telephone number as people of its country write it, without the country. So a text is read plainly as well; and
a number without a country is taken for one of the operator's country, and of any other. Whoever masks addresses, looks for
them or tries whether they are found asks here, so that what one of them knows no other misses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from urllib.parse import quote, unquote

import phonenumbers

from troth.people.blind import normalised
from troth.policy.compile import Compiled

# --- how programs write signs -----------------------------------------------------------------------------------------------

_SIGNS = {"40": "@", "2b": "+", "2e": "."}
_ESCAPED = re.compile(r"(?:=|\\u00|\\x)(40|2[bB]|2[eE])")
"""as mail (quoted-printable) and programs write these signs"""
_LAYERS = 3
"""ways of writing, one within the other, that are undone"""
TRACES = ("@", "%", "&", "=40", "\\u0040", "\\x40")
"""of these a text has one or more if it holds an e-mail address in any way that ``plain`` undoes"""


def plain(text: str) -> str:
    """``text`` without the ways in which addresses of pages, HTML, mail and JSON write signs."""
    for _ in range(_LAYERS):
        before, text = text, _ESCAPED.sub(lambda match: _SIGNS[match[1].lower()], unescape(unquote(text)))
        if text == before:
            break
    return text


def written(value: str) -> Iterator[str]:
    """How ``value`` may stand somewhere: as it is, as programs write it; a number without its country."""
    yield value
    if "@" in value:
        yield from (quote(value), *(value.replace("@", sign) for sign in ("&#64;", "=40", "\\u0040")))
    if value.startswith("+"):
        try:
            number = phonenumbers.parse(value)
        except phonenumbers.NumberParseException:
            return
        apart = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL).partition(" ")[2]
        yield from (phonenumbers.national_significant_number(number), apart, quote(apart), apart.replace(" ", "-"))


# --- what reads like an address ---------------------------------------------------------------------------------------------


def _escaped(hexadecimal: str, decimal: int, name: str) -> str:
    """The pattern for a sign as JSON, programs and HTML write it: none begins as a part of an address may."""
    return rf"\\u00{hexadecimal}|\\x{hexadecimal}|&(?:#0*{decimal}|#x0*{hexadecimal}|{name});"


_PART = r"[^\s@<>\"'(),:;/?=&\[\]\\|{}]"
_LAST = r"[^\s@<>\"'(),:;/?=&.\[\]\\|{}]"
"""a sign of an e-mail address; of what follows its last dot"""
_DOT = rf"(?:\.|%(?:25)*2e|=2e|{_escaped('2e', 46, 'period')})"
_PARTS = rf"{_PART}+(?:(?:=2[be]|{_escaped('2e', 46, 'period')}|{_escaped('2b', 43, 'plus')}){_PART}*)*"
_AT = rf"(?:@|%(?:25)*40|{_escaped('40', 64, 'commat')}|=40(?={_PART}*{_DOT}[^\W\d]))"
"""the sign between the parts; in a number, as in ``took=401.5``, it is none"""
E_MAIL = re.compile(rf"(?<!{_PART}){_PARTS}{_AT}{_PARTS}{_DOT}{_LAST}{{2,}}", re.IGNORECASE)
"""an e-mail address, plain or as a program wrote it once; it begins where its first part does, so that none is tried twice"""
_PLAIN_E_MAIL = re.compile(rf"{_PART}@{_PART}+\.[^\W\d]{_LAST}")


_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"


def _days(sign: str) -> str:
    """The pattern for a day with ``sign`` between its numbers, the year first or last."""
    either = rf"(?:{_DAY}{sign}{_MONTH}|{_MONTH}{sign}{_DAY})"
    return rf"{_YEAR}{sign}{_MONTH}{sign}{_DAY}|{either}{sign}{_YEAR}"


_ENDS = r"(?!\d)(?![./-]\d)"
_DAYS = "|".join(map(_days, ("-", r"\.", "/")))
_WITHIN = rf"{_OCTET}(?:\.{_OCTET}){{3}}(?!\.?\d)|(?:{_DAYS}){_ENDS}"
_APART = r"(?<![\d+])(?<![\d)][./-])(?<!\)[ ])" + "".join(
    rf"(?<!{plus}{code}[ ])" for plus in (r"\+", "00") for code in (r"\d", r"\d\d", r"\d\d\d")
)
"""not a part of a number that goes on, or that says its country"""
_OTHER = rf"(?:{_WITHIN}|(?:{_days(' ')}){_ENDS})"
_ANOTHER = rf"{_APART}(?:{_WITHIN})"
"""an IPv4 address, or a day: never a telephone number, and no part of one"""


def _phone(plus: str, between: str) -> str:
    return rf"(?<![\w.+/-])(?!{_OTHER})(?:{plus}|00?)?\(?\d(?:(?!{_ANOTHER}){between}){{5,18}}\d(?!\w)"


PHONE = re.compile(_phone(r"\+|%2[Bb]", r"(?:[\d ()./-]|%20)"))
"""what may be a telephone number, plain or as addresses of pages write it"""
TOKEN = re.compile(rf"{_PART}{{1,64}}@{_PART}{{1,255}}\.{_LAST}{{2,63}}|" + _phone(r"\+", r"[\d ()./-]"))
"""what reads like an e-mail address or a telephone number in a text that is written plainly"""
_SHORTEST, _LONGEST = 7, 15
"""digits of a telephone number (E.164)"""
_NO_PHONE = re.compile(rf"{_OTHER}|(?:0|[1-9]\d*)\.\d+$|{_YEAR}[-/]\d{{5,}}$")
"""what begins with an address or a day; a fraction; what was numbered within a year"""
_DOTTED = re.compile(r"[1-9][\d.]*")
_DOTTED_PHONE = re.compile(r"(?=(?:\.?\d){9,}$)\d{1,3}(?:\.\d{2,4})+")
"""of what has dots alone and no zero before it, a telephone number; anything else so written is a version"""
_LONGEST_AT_HOME = 11
"""digits of a telephone number without the code of its country"""


def may_hold_e_mail(text: str) -> bool:
    """Whether ``text`` has one of the traces of an e-mail address."""
    return any(trace in text for trace in TRACES)


def hides_e_mail(text: str) -> bool:
    """Whether ``text``, without the e-mail addresses that ``E_MAIL`` finds, still holds one when it is read plainly."""
    return may_hold_e_mail(text) and _PLAIN_E_MAIL.search(plain(text)) is not None


def is_phone(token: str) -> bool:
    """Whether what ``PHONE`` found is written as a telephone number: with a sign or a zero before it, or signs in between."""
    text = unquote(token)
    digits = sum(sign.isdecimal() for sign in text)
    marked = text.startswith(("+", "0", "(")) or digits < len(text)
    return _SHORTEST <= digits <= _LONGEST and marked and not _numbers_something_else(text)


def _numbers_something_else(text: str) -> bool:
    """Whether ``text`` is an address of a computer, a day, a fraction or a version, or has more digits than a telephone number
    has that says no country that there is."""
    if _NO_PHONE.match(text) or (_DOTTED.fullmatch(text) and not _DOTTED_PHONE.fullmatch(text)):
        return True
    digits = "".join(sign for sign in text if sign.isdecimal())
    abroad = digits.startswith("00") or (len(digits) > _LONGEST_AT_HOME and not digits.startswith("0"))
    return abroad and not text.startswith("+") and not _somewhere(digits.removeprefix("00"))


def _somewhere(digits: str) -> bool:
    """Whether ``digits`` are a telephone number once a plus stands before them."""
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(f"+{digits}"))
    except phonenumbers.NumberParseException:
        return False


# --- whom it may mean -------------------------------------------------------------------------------------------------------

_PHONE_NUMBER = "pd:TelephoneNumber"
_KEEP_ZERO = frozenset({39, 225, 241, 242, 378, 379})
"""countries whose numbers keep the zero that they begin with"""


def meant(policy: Compiled, field: str, token: str) -> Iterator[str]:
    """How somebody who is known by ``field`` may be spelled, if ``token`` is they."""
    data = policy.policy.data.get(field)
    phone = data is not None and data.category == _PHONE_NUMBER
    if phone and _NO_PHONE.match(token):
        return
    yield normalised(policy, field, token.strip("."))
    if phone and "@" not in token:
        yield from _numbers(token)


def _numbers(token: str) -> Iterator[str]:
    """The numbers, in E.164, that ``token`` may be: one whose plus is missing, or one of any country that it does not say.

    Of the second kind is only what is written as a telephone number.
    """
    digits = "".join(sign for sign in token if sign.isdecimal())
    if token.lstrip("(").startswith("+") or not _SHORTEST <= len(digits) <= _LONGEST:
        return
    yield f"+{digits.removeprefix('00')}"
    if is_phone(token):
        for code in _codes():
            yield f"+{code}{digits if code in _KEEP_ZERO else digits.removeprefix('0')}"


@cache
def _codes() -> tuple[int, ...]:
    return tuple(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
