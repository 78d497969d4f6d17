"""How an instant is written on a page: the day as the language writes it, then the time in UTC, the same everywhere."""

from __future__ import annotations

from datetime import UTC, datetime

from troth.policy.notice.language import Speaker


def moment(speaker: Speaker, at: datetime) -> str:
    """``at`` to the minute, with its zone."""
    there = at.astimezone(UTC)
    return f"{speaker.date(there.date())} {there:%H:%M} UTC"
