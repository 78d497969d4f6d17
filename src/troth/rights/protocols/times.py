"""Instants as others write them. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

LONGEST = 40


def read_instant(value: object) -> datetime | None:
    """``value`` as an instant in UTC, when it is ISO 8601 with date, time and zone and lies within the calendar; else None."""
    if not isinstance(value, str) or len(value) > LONGEST or not value.isascii() or value[10:11] not in ("T", "t", " "):
        return None
    try:
        at = datetime.fromisoformat(value.upper())
        return at.astimezone(UTC) if at.tzinfo and 1970 <= at.year < 9000 else None
    except (ValueError, OverflowError):
        return None
