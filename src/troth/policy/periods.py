"""Periods as a policy writes them, and when they end: ``24 months`` are 24 months of the calendar and never 720 days.

What could go wrong: a tax archive destroyed days early because years were counted as 365 days; an answer that is late because a
month was counted as 30 days; one rule for the end of a single record and another for the sweep that looks for all of them. So
there is one rule, in both directions, and everything that counts a period of a policy asks it:

- Minutes, hours, days and weeks are lengths of time; a day counts 24 hours. They end to the microsecond.
- Months and years go by the calendar, from date to date, in the operator's time zone. A date that the last month does not have
  is its last day (31 January and one month: 28 or 29 February).
- A *ceiling* (destroyed, answered, told within) is rounded down: it is over when its last date begins.
- A *floor* (an archive, a legal minimum, kept at least) is rounded up: it is over when its last date has passed.
- A period that counts from the end of a year (``years``) counts from the last date of the year that its start lies in, and one
  of minutes to weeks from the midnight after it.

Because both count dates, an earlier start never ends later, so that what is due can be found with one comparison: a start is
due at ``now`` exactly when it lies at or before ``cutoff(now, period)``.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from troth.policy.years import YearEnd

Unit = Literal["minute", "hour", "day", "week", "month", "year"]
UNITS: tuple[Unit, ...] = get_args(Unit)
PATTERN = r"^([0-9]{1,6}) (minute|hour|day|week|month|year)s?$"
LONGEST_YEARS = 100
_WRITTEN = re.compile(PATTERN)
_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)
_LENGTHS: dict[str, timedelta] = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": _DAY,
    "week": timedelta(weeks=1),
    "month": timedelta(days=365.2425) / 12,
    "year": timedelta(days=365.2425),
}
_MONTHS = {"month": 1, "year": 12}
_DAYS = {"day": 1, "week": 7}


class Period:
    """A whole number of one unit, as written: ``24 months`` and ``2 years`` are equally long and not the same words.

    No dataclass, since pydantic would take one apart when it dumps a policy.
    """

    __slots__ = ("number", "unit")
    number: int
    unit: Unit

    def __init__(self, number: int, unit: Unit) -> None:
        object.__setattr__(self, "number", number)
        object.__setattr__(self, "unit", unit)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a period does not change")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Period) and (self.number, self.unit) == (other.number, other.unit)

    def __hash__(self) -> int:
        return hash((self.number, self.unit))

    def __repr__(self) -> str:
        return f"Period({self.number}, {self.unit!r})"

    @property
    def months(self) -> int:
        """How many months of the calendar it is; 0 for what is a length of time."""
        return self.number * _MONTHS.get(self.unit, 0)

    @property
    def length(self) -> timedelta:
        """Its length, for months and years on average: to compare and to draw periods, never to count one."""
        return self.number * _LENGTHS[self.unit]

    @property
    def iso(self) -> str:
        """As an ``xsd:duration``, which has no weeks: ``P24M``, ``P30D``, ``PT12H``."""
        if self.unit in _DAYS:
            return f"P{self.number * _DAYS[self.unit]}D"
        return f"{'P' if self.months else 'PT'}{self.number}{self.unit[0].upper()}"

    def __str__(self) -> str:
        return f"{self.number} {self.unit}{'' if self.number == 1 else 's'}"

    def __lt__(self, other: Period) -> bool:
        return self.length < other.length

    def __le__(self, other: Period) -> bool:
        return self.length <= other.length

    def __gt__(self, other: Period) -> bool:
        return self.length > other.length

    def __ge__(self, other: Period) -> bool:
        return self.length >= other.length

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        in_json = core_schema.plain_serializer_function_ser_schema(str, when_used="json")
        return core_schema.no_info_plain_validator_function(read_period, serialization=in_json)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": PATTERN, "examples": ["30 days", "1 month"]}


def read_period(value: object) -> Period:
    """``"30 days"`` as a period.

    Raises:
        ValueError: for anything but a whole positive number of a known unit, up to 100 years.
    """
    if isinstance(value, Period):
        return value
    match = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"`{value}` is not a duration; write a whole number and a unit, such as `30 days`")
    found = Period(int(match[1]), next(unit for unit in UNITS if unit == match[2]))
    if not timedelta(0) < found.length <= Period(LONGEST_YEARS, "year").length:
        raise ValueError(f"`{value}` is not a sensible duration; it must be more than nothing and at most 100 years")
    return found


@dataclass(frozen=True, slots=True)
class Calendar:
    """When periods end for an operator whose days begin at midnight in ``zone``."""

    zone: tzinfo = UTC

    def end(self, start: datetime, period: Period, *, floor: bool = False, year: YearEnd | None = None) -> datetime:
        """When ``period`` from ``start``, or from the end of its ``year``, is over: at the latest, or with ``floor`` at the
        earliest."""
        if year is None and not period.months:
            return start + period.length
        begun = year.of(self.day(start)) if year else self.day(start)
        if not period.months:
            return self.begins(begun + _DAY) + period.length
        last = add_months(begun, period.months)
        return self.begins(last + _DAY if floor else last)

    def cutoff(self, now: datetime, period: Period, *, floor: bool = False, year: YearEnd | None = None) -> datetime:
        """The latest start of which ``period`` is over at ``now``: what began then or before is due, and nothing else."""
        if not period.months:
            start = now - period.length
            return self._last_of(year.last(self.day(start) - _DAY)) if year else start
        today = self.day(now)
        begun = last_start(today - _DAY if floor else today, period.months)
        return self._last_of(year.last(begun) if year else begun)

    def day(self, at: datetime) -> date:
        """The date of an instant, where the operator is."""
        return at.astimezone(self.zone).date()

    def begins(self, day: date) -> datetime:
        """When a date begins, where the operator is."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def _last_of(self, day: date) -> datetime:
        return self.begins(day + _DAY) - _INSTANT


def later(at: datetime, period: Period) -> datetime:
    """The same time of day, ``period`` later, in UTC: when something has been so for that long, with nothing rounded."""
    if not period.months:
        return at + period.length
    there = at.astimezone(UTC)
    return datetime.combine(add_months(there.date(), period.months), there.timetz())


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    """The names of time zones that are places, and `UTC`, as the IANA's data has them; the same list on every machine."""
    names = files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return ("UTC", *sorted(name for name in names if "/" in name and not name.startswith(("Etc/", "SystemV/"))))


def add_months(day: date, months: int) -> date:
    """The date ``months`` later, or the last one of that month where it has no such date."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def last_start(day: date, months: int) -> date:
    """The latest date from which ``months`` are over on ``day``: on a month's last day all that have to end in it are."""
    found = add_months(day, -months)
    if day.day < calendar.monthrange(day.year, day.month)[1]:
        return found
    return found.replace(day=calendar.monthrange(found.year, found.month)[1])
