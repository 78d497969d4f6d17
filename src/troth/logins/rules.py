"""What a password must be, and how often somebody may try. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

SHORTEST, LONGEST = 10, 200
"""characters of a password; NIST SP 800-63B asks for at least 8 and no rules about which"""
TRIES = 5
WITHIN = timedelta(minutes=15)
"""``TRIES`` failures in this time close the door to that name until the oldest of them has passed"""
EASY = "This password is too easy to guess."


def password_problem(password: str, known: Collection[str] = ()) -> str:
    """What is wrong with a chosen password; blank when nothing is. ``known`` are words it may not be, such as the name."""
    if len(password) < SHORTEST:
        return f"A password needs at least {SHORTEST} characters; a few words make a good one."
    if len(password) > LONGEST:
        return f"A password may have at most {LONGEST} characters."
    if len(set(password)) < 4 or password.casefold() in {word.casefold() for word in known}:
        return EASY
    return ""


def may_try(failures: Collection[datetime], now: datetime) -> bool:
    """Whether somebody with these ``failures`` may try again ``now``."""
    return sum(at > now - WITHIN for at in failures) < TRIES
