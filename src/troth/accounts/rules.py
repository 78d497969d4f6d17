"""What a password must be, how often somebody may try, and when a link or a session is still good. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from troth.policy.compile import Compiled
from troth.policy.model import Policy

SHORTEST, LONGEST = 10, 200
"""characters of a password; NIST SP 800-63B asks for at least 8 and no rules about which"""
TRIES = 5
WITHIN = timedelta(minutes=15)
"""``TRIES`` failures in this time close the door to that address until the oldest of them has passed"""
LINK_LASTS = timedelta(hours=24)
RESET_LASTS = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class LogIn:
    """The cookie of the policy that keeps people logged in: its id, its purpose and how long it lives."""

    cookie: str
    life: timedelta


def password_problem(password: str, known: Collection[str] = ()) -> str:
    """What is wrong with a chosen password; blank when nothing is. ``known`` are words it may not be, such as the address."""
    if len(password) < SHORTEST:
        return f"A password needs at least {SHORTEST} characters; a few words make a good one."
    if len(password) > LONGEST:
        return f"A password may have at most {LONGEST} characters."
    if len(set(password)) < 4 or password.casefold() in {word.casefold() for word in known}:
        return "This password is too easy to guess."
    return ""


def may_try(failures: Collection[datetime], now: datetime) -> bool:
    """Whether somebody with these ``failures`` may try again ``now``."""
    return sum(at > now - WITHIN for at in failures) < TRIES


def registers(policy: Policy, point: str) -> bool:
    """Whether an account is opened at the collection point ``point``."""
    return point in policy.collection and policy.collection[point].kind == "account"


def log_in_cookie(compiled: Compiled) -> LogIn | None:
    """The cookie that a log-in may use: an essential one of the operator's own, with an end; None when none is declared."""
    own = ((key, one) for key, one in compiled.policy.cookies.items() if one.essential and one.set_by == "itself")
    return next((LogIn(key, one.life) for key, one in own if one.life is not None), None)
