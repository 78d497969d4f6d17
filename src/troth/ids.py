"""Opaque identifiers: ordered by time so that indexes grow at one end, and random enough that nobody guesses one.

Within a process the ids of one millisecond count upwards in random steps, so that of two things that happened in the same
instant (a consent and its withdrawal, under a clock that stands still) the later one sorts later.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from threading import Lock

from troth.clock import to_micros

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_STEP = 2**56  # at most; eight million ids fit into a millisecond
_lock = Lock()
_last = [-1, 0]  # the millisecond of the youngest id, and its random part


def new_id(at: datetime) -> str:
    """26 characters: 48 bits of milliseconds, then 80 random bits, in Crockford's base 32 (the ULID layout)."""
    millis = (to_micros(at) // 1000) & (2**48 - 1)
    with _lock:
        same = millis == _last[0] and _last[1] < 2**80 - _STEP
        chance = _last[1] + 1 + secrets.randbelow(_STEP - 1) if same else secrets.randbits(79)
        _last[:] = [millis, chance]
    number = millis << 80 | chance
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
