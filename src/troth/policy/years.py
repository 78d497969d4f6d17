"""Ends of years that periods count from: of the calendar's, and of the operator's financial year. Pure.

A date lies in the year that ends on the first such end at or after it, so an event on the last day of a year belongs to it. A
year that ends in February ends on its last day, whether 28 or 29 is written.
"""

from __future__ import annotations

import calendar
import re
from datetime import date
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

MONTHS = tuple(calendar.month_name)[1:]
PATTERN = rf"^([1-9]|[12][0-9]|3[01]) ({'|'.join(MONTHS)})$"
_WRITTEN = re.compile(PATTERN)
_LONGEST = 2024
"""a year in which every month has all the days it can have"""


class YearEnd:
    """The last day of a year, as written: ``31 March``. No dataclass, since pydantic would take one apart."""

    __slots__ = ("day", "month")
    day: int
    month: int

    def __init__(self, day: int, month: int) -> None:
        object.__setattr__(self, "day", day)
        object.__setattr__(self, "month", month)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("the end of a year does not change")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, YearEnd) and (self.day, self.month) == (other.day, other.month)

    def __hash__(self) -> int:
        return hash((self.day, self.month))

    def __repr__(self) -> str:
        return f"YearEnd({self.day}, {self.month})"

    def __str__(self) -> str:
        return f"{self.day} {MONTHS[self.month - 1]}"

    def in_year(self, year: int) -> date:
        """The day on which the year that ends in ``year`` does."""
        last = calendar.monthrange(year, self.month)[1]
        return date(year, self.month, last if self.month == 2 and self.day >= 28 else self.day)

    def of(self, day: date) -> date:
        """The last day of the year that ``day`` lies in."""
        this = self.in_year(day.year)
        return this if day <= this else self.in_year(day.year + 1)

    def last(self, day: date) -> date:
        """The latest end of a year at or before ``day``."""
        this = self.in_year(day.year)
        return this if this <= day else self.in_year(day.year - 1)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        in_json = core_schema.plain_serializer_function_ser_schema(str, when_used="json")
        return core_schema.no_info_plain_validator_function(read_year_end, serialization=in_json)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": PATTERN, "examples": ["31 March", "31 December"]}


CALENDAR_YEAR = YearEnd(31, 12)


def read_year_end(value: object) -> YearEnd:
    """``"31 March"`` as the end of a year.

    Raises:
        ValueError: for anything but a day that its month has.
    """
    if isinstance(value, YearEnd):
        return value
    match = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"`{value}` is not the end of a year; write a day and a month, such as `31 March`")
    day, month = int(match[1]), MONTHS.index(match[2]) + 1
    if day > calendar.monthrange(_LONGEST, month)[1]:
        raise ValueError(f"`{value}` is no day; {match[2]} is shorter")
    return YearEnd(day, month)
