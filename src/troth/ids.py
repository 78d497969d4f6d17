"""Opaque identifiers: ordered by time so that indexes grow at one end, and with 80 random bits so that nobody guesses."""

from __future__ import annotations

import secrets
from datetime import datetime

from troth.clock import to_micros

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(at: datetime) -> str:
    """26 characters: 48 bits of milliseconds, then 80 random bits, in Crockford's base 32 (the ULID layout)."""
    number = ((to_micros(at) // 1000) & (2**48 - 1)) << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
