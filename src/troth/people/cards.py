"""Card numbers: found wherever they hide, so that they are stored nowhere."""

from __future__ import annotations

import re
from collections.abc import Mapping

from troth.errors import Refused

_RUN = re.compile(r"(?<!\d)\d(?:[ .\-]?\d){12,18}(?!\d)")


def find_cards(text: str) -> list[str]:
    """The card numbers in ``text``, digits only."""
    runs = (re.sub(r"\D", "", match[0]) for match in _RUN.finditer(text))
    return [digits for digits in runs if _luhn(digits)]


def refuse_cards(values: Mapping[str, str]) -> None:
    """Raise ``Refused``, naming the fields and nothing of their values, when any holds a card number."""
    found = sorted(field for field, value in values.items() if find_cards(value))
    if found:
        raise Refused(f"There is a card number in: {', '.join(found)}.", "Card numbers are never stored; take it out.")


def _luhn(digits: str) -> bool:
    doubled = (int(d) * (1 + place % 2) for place, d in enumerate(reversed(digits)))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0
