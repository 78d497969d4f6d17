"""Opaque identifiers: ordered by time so that indexes grow at one end, and with 80 random bits so that nobody guesses.

Ids that one process makes for one millisecond come in the order in which they were made: a person who agrees and takes it back
in the same instant has taken it back.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from threading import Lock

from troth.clock import to_micros

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
SHAPE = "[0-7][0-9a-hjkmnp-tv-z]{25}"
"""what an id looks like, as a regular expression"""
is_id = re.compile(SHAPE).fullmatch
"""whether a text is one; what stands in an address may hold anything"""
_STEP_BITS = 64  # of the distance to the next id of one millisecond: as hard to guess as anything needs to be
_REMEMBERED = 1000  # milliseconds: clocks of several sites may run side by side
_last: dict[int, int] = {}
_lock = Lock()


def new_id(at: datetime) -> str:
    """26 characters: 48 bits of milliseconds, then 80 random bits, in Crockford's base 32 (the ULID layout)."""
    millis = (to_micros(at) // 1000) & (2**48 - 1)
    number = millis << 80 | _random(millis)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def _random(millis: int) -> int:
    with _lock:
        before = _last.pop(millis, None)
        made = secrets.randbits(79) if before is None else before + 1 + secrets.randbits(_STEP_BITS)
        if len(_last) >= _REMEMBERED:
            del _last[next(iter(_last))]
        _last[millis] = made
    return made
