"""Places that a policy names: countries, and the two unions that stand for their members. Pure.

Source: Articles 1 and 52 TEU for the European Union; Decision of the EEA Joint Committee No 154/2018 of 6 July 2018, which
takes the GDPR into the EEA agreement, for Iceland, Liechtenstein and Norway. As of 2026-11-30.
"""

from __future__ import annotations

from collections.abc import Iterable

from troth.policy import dpv

EU = frozenset(
    ("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
     "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK")
)  # fmt: skip
EEA = EU | {"IS", "LI", "NO"}
UNIONS = {"EU": EU, "EEA": EEA}


def places() -> tuple[str, ...]:
    """What a place can be called."""
    return (*UNIONS, *dpv.countries())


def within(country: str | None, named: Iterable[str]) -> bool:
    """Whether ``country`` is one of the places ``named``, or a member of one; a country that nobody named is nowhere."""
    return country is not None and any(country in UNIONS.get(place, {place}) for place in named)
