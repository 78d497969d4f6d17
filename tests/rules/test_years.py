"""Periods that count from the end of a year, where the operator is; compared with dateutil and with days looked up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from troth.clock import utc
from troth.policy.clocks import Clock
from troth.policy.periods import Calendar, Period
from troth.policy.years import CALENDAR_YEAR, YearEnd, read_year_end

DAY = timedelta(days=1)
LONDON, TAIPEI, UNTIL_MARCH = ZoneInfo("Europe/London"), ZoneInfo("Asia/Taipei"), YearEnd(31, 3)
YEARS = Period(6, "year")


@pytest.mark.parametrize(
    ("event", "year", "ends"),
    [
        (utc(2026, 3, 31, 12), UNTIL_MARCH, utc(2032, 3, 30, 23)),  # its last day belongs to it; British Summer Time
        (utc(2026, 3, 31, 22, 59), UNTIL_MARCH, utc(2032, 3, 30, 23)),
        (utc(2026, 3, 31, 23), UNTIL_MARCH, utc(2033, 3, 30, 23)),  # midnight in London: the next year
        (utc(2026, 4, 1, 12), UNTIL_MARCH, utc(2033, 3, 30, 23)),
        (utc(2026, 7, 1), CALENDAR_YEAR, utc(2032, 12, 31)),
        (utc(2026, 12, 31, 23, 59), CALENDAR_YEAR, utc(2032, 12, 31)),
        (utc(2027, 1, 1), CALENDAR_YEAR, utc(2033, 12, 31)),
        (utc(2024, 2, 29, 12), YearEnd(28, 2), utc(2030, 2, 28)),  # a year that ends in February ends on its last day
        (utc(2025, 3, 1), YearEnd(29, 2), utc(2032, 2, 28)),
    ],
)
def test_years_after_the_end_of_a_year_end_where_they_should(event: datetime, year: YearEnd, ends: datetime) -> None:
    assert Calendar(LONDON).end(event, YEARS, year=year) == ends


def test_a_floor_waits_until_the_last_day_is_over_and_a_ceiling_does_not() -> None:
    """Six years after the end of the financial year that ended on 31 March 2026: tax papers may not go before 1 April 2032."""
    ordered = utc(2025, 11, 20)
    assert Calendar(LONDON).end(ordered, YEARS, year=UNTIL_MARCH, floor=True) == utc(2032, 3, 31, 23)
    assert Calendar(LONDON).end(ordered, YEARS, year=UNTIL_MARCH) == utc(2032, 3, 30, 23)


def test_the_year_ends_at_the_operators_midnight() -> None:
    at = utc(2026, 12, 31, 17)  # 1 January in Taipei
    assert Calendar(TAIPEI).end(at, Period(1, "year"), year=CALENDAR_YEAR) == utc(2028, 12, 30, 16)
    assert Calendar(UTC).end(at, Period(1, "year"), year=CALENDAR_YEAR) == utc(2027, 12, 31)


def test_days_and_hours_count_from_the_midnight_after_the_year() -> None:
    assert Calendar(LONDON).end(utc(2026, 5, 5), Period(30, "day"), year=CALENDAR_YEAR) == utc(2027, 1, 31)
    assert Calendar(LONDON).end(utc(2026, 5, 5), Period(12, "hour"), year=UNTIL_MARCH) == utc(2027, 4, 1, 11)


@pytest.mark.parametrize(
    "words", ["31 march", "0 March", "31 June", "30 February", "March 31", "31-03", "31 March 2026"]
)
def test_what_is_no_day_is_no_end_of_a_year(words: str) -> None:
    with pytest.raises(ValueError, match="is n"):
        read_year_end(words)


def test_an_end_of_a_year_is_read_and_written_alike() -> None:
    assert [str(read_year_end(words)) for words in ("31 March", "1 January")] == ["31 March", "1 January"]


INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2050, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
PERIODS = st.builds(Period, st.integers(1, 40), st.sampled_from(["hour", "day", "week", "month", "year"]))
ENDS = st.dates(date(2024, 1, 1), date(2024, 12, 31)).map(lambda day: YearEnd(day.day, day.month))
ZONES = st.sampled_from([UTC, TAIPEI, LONDON, ZoneInfo("America/Los_Angeles")])


def _year_of(day: date, end: YearEnd) -> date:
    """By trying one day after the other; dateutil cuts what a year does not have."""
    whole = (end.month, 31 if end.month == 2 and end.day >= 28 else end.day)
    tries = [date(day.year + more, 1, 1) + relativedelta(month=whole[0], day=whole[1]) for more in (0, 1)]
    return next(one for one in tries if one >= day)


@given(INSTANTS, PERIODS, ENDS, ZONES, st.booleans())
def test_a_period_after_a_year_is_what_dateutil_counts(
    start: datetime, period: Period, year: YearEnd, zone: ZoneInfo, floor: bool
) -> None:
    last = _year_of(start.astimezone(zone).date(), year)
    if period.months:
        day = last + relativedelta(months=period.months) + (DAY if floor else timedelta(0))
        expected = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    else:
        after = last + DAY
        expected = datetime(after.year, after.month, after.day, tzinfo=zone).astimezone(UTC) + period.length
    assert Calendar(zone).end(start, period, year=year, floor=floor) == expected


@given(INSTANTS, INSTANTS, PERIODS, ENDS, ZONES, st.booleans())
def test_what_counts_from_the_end_of_a_year_is_due_exactly_at_or_before_the_cutoff(
    start: datetime, now: datetime, period: Period, year: YearEnd, zone: ZoneInfo, floor: bool
) -> None:
    calendar = Calendar(zone)
    cutoff = calendar.cutoff(now, period, year=year, floor=floor)
    assert (calendar.end(start, period, year=year, floor=floor) <= now) == (start <= cutoff)
    assert calendar.end(cutoff, period, year=year, floor=floor) <= now
    assert calendar.end(cutoff + timedelta(microseconds=1), period, year=year, floor=floor) > now


A, B = utc(2026, 1, 1), utc(2026, 2, 1)


@pytest.mark.parametrize(
    ("later", "happened", "counts"),
    [
        (True, {"a": A, "b": B}, B),
        (True, {"a": A, "b": None}, None),
        (True, {"a": A}, None),
        (False, {"a": A, "b": B}, A),
        (False, {"a": None, "b": B}, B),
        (False, {}, None),
    ],
)
def test_of_several_events_the_first_or_the_last_counts(
    later: bool, happened: dict[str, datetime | None], counts: datetime | None
) -> None:
    assert Clock("c", YEARS, ("a", "b"), False, False, frozenset(), later=later).event(happened) == counts
