"""How an instant is written on a page: the day as the language writes it, or in figures at the desk; then the time in UTC.

And how a day that somebody picked on a page is read.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from troth.policy.notice.language import Speaker

_FIRST_TO_BEGIN = timedelta(hours=14)
"""by how much a day begins earlier than in UTC where it begins first (the Line Islands)"""


def moment(speaker: Speaker, at: datetime) -> str:
    """``at`` to the minute, with its zone."""
    there = at.astimezone(UTC)
    return f"{speaker.date(there.date())} {there:%H:%M} UTC"


def stamp(at: datetime | None) -> str:
    """``at`` to the minute in figures, which line up in a list; blank for none."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else ""


def day(written: str) -> datetime:
    """The first minute of a day in UTC; before all days for what is none."""
    try:
        return datetime.combine(date.fromisoformat(written), time(), UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def past_day(written: str, now: datetime) -> datetime | None:
    """The day on which something happened, from its first minute on; None for today, which begins earlier in the east."""
    at = day(written)
    if not written or written == now.date().isoformat() or now < at <= now + _FIRST_TO_BEGIN:
        return None
    return at
