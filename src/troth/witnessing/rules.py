"""When a witness is to be asked, and since when it is silent. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from troth.clock import AHEAD

AGAIN = timedelta(minutes=10)
"""after which one that did not answer is asked again"""
GRACE = timedelta(hours=1)
"""that an answer may come after its time before it is an alarm; no more than the period itself"""


def due(now: datetime, every: timedelta, answered: datetime | None, asked: datetime | None) -> bool:
    """Whether a witness is to be asked now. A clock that was set back counts as due."""
    if asked is not None and asked <= now < asked + min(AGAIN, every):
        return False
    return answered is None or not answered <= now < answered + every


def silent_since(now: datetime, every: timedelta, answered: datetime | None, asked: datetime | None) -> datetime | None:
    """Since when a witness did not answer in time: its last answer, or the last time that one that never did was asked.

    An answer that is dated ahead is none, and nobody was asked later than now.
    """
    if answered is not None and answered <= now + AHEAD:
        return answered if now >= answered + every + min(GRACE, every) else None
    return min(now, asked or now) if asked or answered else None
