"""How an instant is written on a page: the day as the language writes it, or in figures at the desk; then the time in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from troth.policy.notice.language import Speaker


def moment(speaker: Speaker, at: datetime) -> str:
    """``at`` to the minute, with its zone."""
    there = at.astimezone(UTC)
    return f"{speaker.date(there.date())} {there:%H:%M} UTC"


def stamp(at: datetime | None) -> str:
    """``at`` to the minute in figures, which line up in a list; blank for none."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else ""
