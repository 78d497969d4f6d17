"""Pauses between tries grow and stay within their bounds."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from troth.agenda.rules import FIRST_PAUSE, LONGEST_PAUSE, next_try
from troth.clock import utc


@given(st.integers(1, 10_000))
def test_a_pause_never_shrinks_and_never_exceeds_an_hour(attempts: int) -> None:
    now = utc(2026)
    pause, longer = next_try(now, attempts) - now, next_try(now, attempts + 1) - now
    assert FIRST_PAUSE <= pause <= longer <= LONGEST_PAUSE == timedelta(hours=1)


def test_pauses_double_from_half_a_minute_to_an_hour() -> None:
    now = utc(2026)
    seconds = [(next_try(now, attempts) - now).total_seconds() for attempts in range(1, 10)]
    assert seconds == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
