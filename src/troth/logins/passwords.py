"""Passwords as Argon2id hashes (RFC 9106, OWASP's 19 MiB profile); checking one takes as long as checking nobody's."""

from __future__ import annotations

import os
from functools import cache

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

_MEMORY_KIB, _PASSES = 19 * 1024, 2


WIRED = f"$argon2id$v=19$m={_MEMORY_KIB},t={_PASSES},p=1$"
"""what every hash that is kept begins with"""


def hashed(password: str) -> str:
    """The hash to keep, in the PHC string format with its salt and parameters."""
    derive = Argon2id(salt=os.urandom(16), length=32, iterations=_PASSES, lanes=1, memory_cost=_MEMORY_KIB)
    return derive.derive_phc_encoded(password.encode())


def matches(password: str, kept: str | None) -> bool:
    """Whether ``password`` is the one behind ``kept``; against nobody's hash as well, so that time tells nothing."""
    try:
        Argon2id.verify_phc_encoded(password.encode(), kept or _nobodys())
    except InvalidKey:
        return False
    return kept is not None


@cache
def _nobodys() -> str:
    return hashed(os.urandom(16).hex())
