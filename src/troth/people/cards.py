"""Card numbers: found wherever they hide, so that they are stored nowhere.

What could go wrong: a number typed with spaces, dots or full-width digits slips through into a note and from there into every
backup; or an order number is taken for a card and an honest customer is sent away. So digits of every script count and up to
three signs may stand between two of them; a find begins and ends where a group of digits does, and has a length and first
digits that some card network issues and the right check digit (Luhn). Of other numbers as long as a card's, about one in
fifty passes by chance: it is refused, and whoever typed it can say it otherwise.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping

from troth.errors import Refused

# What may stand between two digits of one number: spaces, dashes, dots and signs that nobody sees. Letters, commas, colons and
# line ends part numbers, or every table of figures would be full of cards.
_BETWEEN = (
    "[^\\S\\r\\n]|[-\u00ad\u200b-\u200f\u2010-\u2015\u2060\u2212\ufe58\ufe63\ufeff\uff0d.\u00b7\u2022\u30fb\uff0e/_+*]"
)
_RUN = re.compile(rf"\d(?:(?:{_BETWEEN}){{0,3}}\d){{12,}}")
_ESCAPED = re.compile(r"%(?:20|09|2[bdefBDEF])")  # the same signs in an address

# First digits and lengths that card networks issue (ISO/IEC 7812 issuer ranges in use).
_NETWORKS: tuple[tuple[int, int, frozenset[int]], ...] = (
    (4, 4, frozenset({13, 16, 18, 19})),  # Visa
    (51, 55, frozenset({16})),  # Mastercard
    (2221, 2720, frozenset({16})),  # Mastercard
    (34, 34, frozenset({15})),  # American Express
    (37, 37, frozenset({15})),
    (300, 305, frozenset({14, 16, 17, 18, 19})),  # Diners Club
    (3095, 3095, frozenset({14, 16, 17, 18, 19})),
    (36, 36, frozenset({14, 15, 16, 17, 18, 19})),
    (38, 39, frozenset({14, 16, 17, 18, 19})),
    (6011, 6011, frozenset({16, 17, 18, 19})),  # Discover
    (644, 659, frozenset({16, 17, 18, 19})),
    (622126, 622925, frozenset({16, 17, 18, 19})),
    (62, 62, frozenset({16, 17, 18, 19})),  # UnionPay
    (81, 81, frozenset({16, 17, 18, 19})),
    (3528, 3589, frozenset({16, 17, 18, 19})),  # JCB
    (50, 50, frozenset({13, 14, 15, 16, 17, 18, 19})),  # Maestro
    (56, 58, frozenset({13, 14, 15, 16, 17, 18, 19})),
    (6304, 6304, frozenset({13, 14, 15, 16, 17, 18, 19})),
    (6759, 6763, frozenset({13, 14, 15, 16, 17, 18, 19})),
    (2200, 2204, frozenset({16, 17, 18, 19})),  # Mir
    (60, 60, frozenset({16})),  # RuPay
)
LENGTHS = range(13, 20)


def may_hold_cards(text: str) -> bool:
    """Whether there are digits enough for a card number close together; False is certain, and quick for many lines at once."""
    return _RUN.search(_spaced(text)) is not None


def find_cards(text: str) -> list[str]:
    """The card numbers in ``text``, as plain digits."""
    return [digits for _, _, digits in _spans(text)]


def mask_cards(text: str) -> str:
    """``text`` with every card number replaced by ``[card]``."""
    for start, end, _ in reversed(list(_spans(text))):
        text = f"{text[:start]}[card]{text[end:]}"
    return text


def refuse_cards(values: Mapping[str, str]) -> None:
    """Raise ``Refused``, naming the fields and nothing of their values, when any holds a card number."""
    found = sorted(field for field, value in values.items() if find_cards(value))
    if found:
        raise Refused(f"There is a card number in: {', '.join(found)}.", "Card numbers are never stored; take it out.")


def _spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and digits of each find, from the left, none overlapping another."""
    for run in _RUN.finditer(_spaced(text)):
        places = [run.start() + place for place, sign in enumerate(run[0]) if sign.isdecimal()]
        digits = "".join(str(unicodedata.decimal(text[place])) for place in places)
        begins = [n == 0 or places[n - 1] + 1 < place for n, place in enumerate(places)] + [True]
        first = 0
        while first <= len(digits) - LENGTHS.start:
            length = _card_at(digits, first, begins) if begins[first] else 0
            if length:
                yield places[first], places[first + length - 1] + 1, digits[first : first + length]
            first += length or 1


def _spaced(text: str) -> str:
    return _ESCAPED.sub("   ", text) if "%" in text else text


def _card_at(digits: str, first: int, begins: list[bool]) -> int:
    """The length of the longest card number that begins here and ends where a group of digits does; 0 when none does."""
    for length in reversed(LENGTHS):
        one = digits[first : first + length]
        if len(one) == length and begins[first + length] and _issued(one) and luhn(one):
            return length
    return 0


def _issued(digits: str) -> bool:
    return any(
        low <= int(digits[: len(str(low))]) <= high and len(digits) in lengths for low, high, lengths in _NETWORKS
    )


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1)."""
    doubled = (int(d) * (1 + place % 2) for place, d in enumerate(reversed(digits)))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0
