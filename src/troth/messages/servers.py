"""What it takes to speak to a mail server of others: which certificates are trusted, and what we log in with."""

from __future__ import annotations

import os
import ssl
from functools import cache

from troth.errors import TrothError


@cache
def trusted() -> ssl.SSLContext:
    """One for all: making one reads every root certificate."""
    return ssl.create_default_context()


def secret(name: str | None) -> str:
    """What the environment variable ``name`` of ``site.yaml`` holds. Raises ``TrothError`` when it is not set, or not named."""
    found = os.environ.get(name or "")
    if not found:
        told = f"The environment variable {name}, named in site.yaml, is not set."
        raise TrothError(told if name else "`mail` in site.yaml names a user, and no variable with the password.")
    return found
