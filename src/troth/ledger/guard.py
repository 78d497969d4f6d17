"""What may be written into the ledger: names, opaque ids, numbers, dates, digests, and nothing that a person could be known by.

The ledger outlives the people it speaks of, so a personal value in it could never be erased. A body is therefore not searched
for what is forbidden but made of what is allowed: lists and objects of numbers, booleans and short strings in one of a few
shapes. Free text, e-mail addresses, telephone and card numbers and addresses of machines fit none of them. What a shape cannot
tell is whether a lower-case word is the name of a purpose or of a person: bodies hold words of the policy and of the program.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, date, datetime
from functools import lru_cache

from troth.errors import TrothError
from troth.ids import SHAPE

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]

LONGEST = 160  # characters of a string
LARGEST = (
    1_000_000_000  # a number this large could be a telephone number; counts stay below, instants are written as dates
)
DEEPEST = 6
PARTS = 4  # of a compound such as `consent:@mailchimp`; an IPv6 address has more

_WORD = re.compile(r"@?[a-z][a-z0-9]*(?:[_./-][a-z0-9]+)*")
_SHORT = re.compile(
    r"[A-Z]{2}|[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-[A-Z]{2})?|[A-Z]-[0-9]{2}|-?[0-9]{1,6}(?:\.[0-9]{1,6})?|\*"
)
_FINDING = re.compile(r"[A-Z]-[0-9]{2} ([a-z].*)")
_OPAQUE = re.compile(SHAPE + r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGEST = re.compile(r"[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z")
_MANY_DIGITS = re.compile(r"[0-9](?:[^a-z]?[0-9]){6}")  # seven digits with at most a sign between: a telephone number


class NotForTheLedger(TrothError):
    """A body holds something that might be a personal value; the message names its place, never the value."""


def plain(body: Mapping[str, object]) -> dict[str, Plain]:
    """``body`` as JSON, with instants and dates as ISO 8601 and sets as sorted lists.

    Raises:
        NotForTheLedger: when a key or value fits none of the allowed shapes.
    """
    return _object(body, "body", 0)


def instant(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds and ``Z``: how the ledger writes instants.

    Raises:
        ValueError: when ``at`` has no time zone.
    """
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _value(value: object, place: str, depth: int) -> Plain:
    if isinstance(value, str):  # nearly always
        return _string(value, place)
    match value:
        case None | bool() | int() | float() | date():
            return _single(value, place)
        case Mapping():
            return _object(value, place, depth + 1)
        case Set():
            return _list(sorted(value, key=str), place, depth + 1)
        case list() | tuple():
            return _list(value, place, depth + 1)
    raise _refused(place, f"a {type(value).__name__}")


def _single(value: bool | float | date | None, place: str) -> Plain:
    match value:
        case None | bool():
            return value
        case datetime():
            return instant(value)
        case date():
            return value.isoformat()
    return _number(value, place)


def _object(body: Mapping[str, object], place: str, depth: int) -> dict[str, Plain]:
    _deep_enough(place, depth)
    return {_string(key, f"a key of {place}"): _value(value, f"{place}.{key}", depth) for key, value in body.items()}


def _list(values: Sequence[object], place: str, depth: int) -> list[Plain]:
    _deep_enough(place, depth)
    return [_value(value, place, depth) for value in values]


def _deep_enough(place: str, depth: int) -> None:
    if depth > DEEPEST:
        raise _refused(place, "too many levels")


def _number(value: float, place: str) -> Plain:
    if -LARGEST < value < LARGEST:
        return value
    raise _refused(place, "a number so large that it might be a telephone or card number")


def _string(value: object, place: str) -> str:
    if isinstance(value, str) and fits(value):
        return str(value)
    raise _refused(place, "something that is no name, opaque id, number, date or digest")


def fits(text: str) -> bool:
    """Whether a string has one of the allowed shapes."""
    try:
        return text.isascii() and len(text) <= LONGEST and _fitting(text)
    except ValueError:
        return False


@lru_cache(maxsize=4096)
def _fitting(text: str) -> bool:
    """True, remembered; raises ``ValueError`` for what does not fit, so that nothing personal is ever remembered."""
    if not _fits_anew(text):
        raise ValueError
    return True


def _fits_anew(text: str) -> bool:
    if _INSTANT.fullmatch(text) or not text:
        return True
    finding = _FINDING.fullmatch(text)
    parts = (finding[1] if finding else text).split(":")
    if len(parts) > PARTS or (len(parts) > 1 and not (_WORD.fullmatch(parts[0]) or _OPAQUE.fullmatch(parts[0]))):
        return False
    open_parts = [part for part in parts if not _opaque(part)]
    return all(map(_named, open_parts)) and not _MANY_DIGITS.search(":".join(open_parts))


def _named(part: str) -> bool:
    return bool(_WORD.fullmatch(part) or _SHORT.fullmatch(part))


def _opaque(part: str) -> bool:
    if _OPAQUE.fullmatch(part):
        return True
    return bool(_DIGEST.fullmatch(part)) and not (part.isdigit() and _luhn(part))


def _luhn(digits: str) -> bool:
    doubled = (int(d) * (1 + place % 2) for place, d in enumerate(reversed(digits)))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _refused(place: str, what: str) -> NotForTheLedger:
    shown = place if len(place) <= LONGEST and place.isascii() and not _MANY_DIGITS.search(place) else "the body"
    message = f"The ledger may not hold what stands at `{shown}`: {what}."
    return NotForTheLedger(message, "Write an id, a name of the policy, a count or a digest instead.")
