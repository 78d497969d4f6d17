"""When a job that failed is tried again: soon at first, then less and less often, never less than hourly."""

from __future__ import annotations

from datetime import datetime, timedelta

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
_DOUBLINGS = 7  # 30 s doubled seven times is past the longest pause


def next_try(now: datetime, attempts: int) -> datetime:
    """When to try again after ``attempts`` failures (one or more): 30 s, 1 min, 2 min, ... up to an hour later."""
    return now + _pause(attempts)


def last_try(due: datetime, attempts: int) -> datetime:
    """When a job that failed ``attempts`` times and is tried again at ``due`` was tried last."""
    return due - _pause(attempts)


def _pause(attempts: int) -> timedelta:
    doublings = min(max(attempts - 1, 0), _DOUBLINGS)
    return min(LONGEST_PAUSE, FIRST_PAUSE * (1 << doublings))
