"""What a password must be, and how often somebody may try. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

SHORTEST, LONGEST = 10, 200
"""characters of a password; NIST SP 800-63B asks for at least 8 and no rules about which"""
TRIES = 5
WITHIN = timedelta(minutes=15)
"""``TRIES`` failures in this time close the door to that name until the oldest of them has passed"""
_SAFE = 2
"""of the scores that zxcvbn gives: 2 and more are for what takes more than a million guesses"""
_LOOKED_AT = 72
"""characters of a password that are looked at for that, which bounds the time"""
EASY = "This password is too easy to guess."


def password_problem(password: str, known: Collection[str] = ()) -> str:
    """What is wrong with a chosen password; blank when nothing is. ``known`` are words it may not be, such as the name."""
    if len(password) < SHORTEST:
        return f"A password needs at least {SHORTEST} characters; a few words make a good one."
    if len(password) > LONGEST:
        return f"A password may have at most {LONGEST} characters."
    if password.casefold() in {word.casefold() for word in known} or _guessed(password, known):
        return EASY
    return ""


def _guessed(password: str, known: Collection[str]) -> bool:
    """Whether a million guesses find it: it is among those that many people have, or is made of such, of dates or of rows of
    keys (NIST SP 800-63B, 3.1.1.2)."""
    from zxcvbn import zxcvbn  # its lists take a moment to load, and few processes need them

    score: int = zxcvbn(password[:_LOOKED_AT], user_inputs=list(known))["score"]
    return score < _SAFE


def may_try(failures: Collection[datetime], now: datetime) -> bool:
    """Whether somebody with these ``failures`` may try again ``now``."""
    return sum(at > now - WITHIN for at in failures) < TRIES
