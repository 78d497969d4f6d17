"""Periods go by the calendar: what a policy writes is what ends, compared with dateutil on every day of sixty years."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from troth.clock import utc
from troth.policy.periods import Calendar, Period, add_months, last_start, read_period

DAY = timedelta(days=1)
FIRST, LAST = date(1990, 1, 1), date(2050, 12, 31)
DAYS = [FIRST + n * DAY for n in range((LAST - FIRST).days + 1)]
SPANS = [*range(1, 37), *(12 * years for years in range(4, 11))]
"""1 to 36 months, and up to 10 years"""
ZONES = [UTC, ZoneInfo("Asia/Taipei"), ZoneInfo("America/Los_Angeles"), ZoneInfo("Europe/London")]


@pytest.mark.parametrize("months", SPANS)
def test_months_end_where_dateutil_ends_them_on_every_day_of_sixty_years(months: int) -> None:
    later = relativedelta(months=months)
    assert [add_months(day, months) for day in DAYS] == [day + later for day in DAYS]


@pytest.mark.parametrize("months", SPANS)
def test_what_is_due_on_a_day_is_what_dateutil_has_ended_by_then(months: int) -> None:
    later = relativedelta(months=months)
    for day in DAYS:
        last = last_start(day, months)
        assert last + later <= day < last + DAY + later


@pytest.mark.parametrize("years", range(1, 11))
def test_years_are_twelve_months_each(years: int) -> None:
    calendar, start = Calendar(), utc(2024, 2, 29, 13)
    assert calendar.end(start, Period(years, "year")).date() == start.date() + relativedelta(years=years)
    assert calendar.end(start, Period(years, "year")) == calendar.end(start, Period(12 * years, "month"))


INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2050, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
PERIODS = st.builds(Period, st.integers(1, 40), st.sampled_from(["minute", "hour", "day", "week", "month", "year"]))


@given(INSTANTS, INSTANTS, PERIODS, st.sampled_from(ZONES), st.booleans())
def test_a_start_is_due_exactly_when_it_lies_at_or_before_the_cutoff(
    start: datetime, now: datetime, period: Period, zone: ZoneInfo, floor: bool
) -> None:
    calendar = Calendar(zone)
    assert (calendar.end(start, period, floor=floor) <= now) == (start <= calendar.cutoff(now, period, floor=floor))
    edge = calendar.cutoff(now, period, floor=floor)
    assert calendar.end(edge, period, floor=floor) <= now
    assert calendar.end(edge + timedelta(microseconds=1), period, floor=floor) > now


@given(INSTANTS, PERIODS, st.sampled_from(ZONES))
def test_a_ceiling_is_never_later_and_a_floor_never_earlier_than_the_calendar(
    start: datetime, period: Period, zone: ZoneInfo
) -> None:
    if not period.months:
        assert Calendar(zone).end(start, period) == Calendar(zone).end(start, period, floor=True)
        return
    there = start.astimezone(zone) + relativedelta(months=period.months)
    assert Calendar(zone).end(start, period) <= there.astimezone(UTC)
    whole = datetime(there.year, there.month, there.day, 23, 59, 59, tzinfo=zone)
    assert Calendar(zone).end(start, period, floor=True) > whole.astimezone(UTC)


def test_six_years_of_archive_are_never_short_of_six_years() -> None:
    ordered = utc(2026, 12, 1, 15)
    assert Calendar().end(ordered, Period(6, "year"), floor=True) == utc(2032, 12, 2)
    assert Calendar().end(ordered, Period(6, "year")) == utc(2032, 12, 1)


def test_one_month_from_the_thirty_first_is_over_on_the_last_of_february() -> None:
    assert Calendar().end(utc(2027, 1, 31, 10), Period(1, "month")) == utc(2027, 2, 28)
    assert Calendar().end(utc(2028, 1, 31, 10), Period(1, "month")) == utc(2028, 2, 29)


def test_dates_are_those_of_the_place_where_the_operator_is() -> None:
    taipei = Calendar(ZoneInfo("Asia/Taipei"))
    start = utc(2026, 11, 30, 23)  # 1 December there
    assert taipei.end(start, Period(1, "year"), floor=True) == utc(2027, 12, 1, 16)  # midnight after 1 December there


@pytest.mark.parametrize("words", ["24 months", "1 month", "30 days", "1 week", "12 hours", "90 minutes", "2 years"])
def test_a_period_is_said_as_it_was_written(words: str) -> None:
    assert str(read_period(words)) == words


@pytest.mark.parametrize(
    ("words", "iso"),
    [("24 months", "P24M"), ("6 years", "P6Y"), ("2 weeks", "P14D"), ("30 days", "P30D"), ("12 hours", "PT12H"),
     ("90 minutes", "PT90M")],
)  # fmt: skip
def test_a_period_has_a_duration_of_xml_schema(words: str, iso: str) -> None:
    assert read_period(words).iso == iso


def test_periods_are_put_in_order_by_how_long_they_are_on_average() -> None:
    words = ["12 hours", "1 day", "30 days", "1 month", "31 days", "11 months", "365 days", "1 year", "366 days"]
    assert [str(one) for one in sorted(map(read_period, reversed(words)))] == words


def test_two_years_are_neither_shorter_nor_longer_than_twenty_four_months_and_other_words() -> None:
    years, months = read_period("2 years"), read_period("24 months")
    assert years <= months <= years
    assert not years < months
    assert not years > months
    assert years != months


@pytest.mark.parametrize("words", ["0 days", "1.5 years", "a month", "101 years", "30", "30 days and 1 hour", ""])
def test_what_is_no_period_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        read_period(words)
