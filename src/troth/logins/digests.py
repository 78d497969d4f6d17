"""Secrets that somebody carries and the store only recognises: of sessions, of links that are good for once."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Session:
    """A fresh session: the secret for the cookie, which nobody sees again, and when it ends."""

    secret: str
    ends_at: datetime


def new_secret() -> str:
    """256 random bits, spelt for a cookie or an address."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> bytes:
    """What is kept of a secret: SHA-256, which needs no salt over 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()
