"""Recovery codes: ten on paper, each good once, for whoever lost their second factor."""

from __future__ import annotations

import secrets

from troth.logins.digests import digest_of

CODES = 10
_GROUPS, _LETTERS = 4, "abcdefghijkmnpqrstuvwxyz23456789"  # 32 of them, none that looks like another


def new_codes() -> tuple[str, ...]:
    """Ten codes to show once and keep as digests: 80 random bits each, in groups of four letters."""
    return tuple("-".join(_group() for _ in range(_GROUPS)) for _ in range(CODES))


def _group() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(4))


def digest_of_code(code: str) -> bytes:
    """What is kept of a code: its SHA-256 (80 random bits are beyond guessing), however it is spaced and capitalised."""
    return digest_of("".join(sign for sign in code.casefold() if sign.isalnum()))
