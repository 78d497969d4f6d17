"""What a period of retention counts from, in words: one event or several, and the end of the year that they lie in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from troth.policy.clocks import Clock
from troth.policy.happenings import AGES, LANGUAGE, age, withdrawn
from troth.policy.years import CALENDAR_YEAR, YearEnd

if TYPE_CHECKING:
    from troth.policy.notice.language import Speaker


def after_words(speaker: Speaker, clock: Clock) -> str:
    """What follows *after*: ``we got it``, ``the end of the calendar year in which you ordered``."""
    plain = clock.year is None and not clock.at_once and len(clock.after) == 1
    if plain and clock.after[0] in speaker.words.tree["phrases"]["after"]:
        return speaker.phrase("after", clock.after[0])
    events = event_words(speaker, clock.after, later=clock.later)
    if clock.year is None:
        return events
    if clock.year == CALENDAR_YEAR:
        return speaker.phrase("year ends", "calendar year", event=events)
    return speaker.phrase("year ends", "financial year", event=events, day=day_words(speaker, clock.year))


def start_words(speaker: Speaker, clock: Clock) -> str:
    """As it stands below a bar of the picture: ``from the day we got it``."""
    if clock.year is None and len(clock.after) == 1 and clock.after[0] in speaker.words.tree["phrases"]["starts"]:
        return speaker.phrase("starts", clock.after[0])
    return speaker.phrase("starts", "other", after=after_words(speaker, clock))


def event_words(speaker: Speaker, words: Sequence[str], *, later: bool) -> str:
    """Events as clauses: ``business with us ends or your claim is settled, whichever is later``."""
    clauses = [_clause(speaker, word) for word in words]
    if len(clauses) == 1:
        return clauses[0]
    return speaker.phrase("whichever", "later" if later else "earlier", events=speaker.either(clauses))


def _clause(speaker: Speaker, word: str) -> str:
    purpose, own = withdrawn(word), getattr(speaker.policy, "events", {})
    if purpose is not None:
        return speaker.phrase("happens", "withdrawal", purpose=speaker.purposes([purpose]))
    if word in AGES:
        return speaker.phrase("happens", "age", years=str(age(word)))
    if word in own:
        return speaker.text(own[word].label)
    return speaker.phrase("happens", word) if word in LANGUAGE else word.replace("_", " ")  # of an earlier version


def day_words(speaker: Speaker, year: YearEnd) -> str:
    """``31 March``"""
    from babel.dates import format_skeleton  # a check needs no words of dates, and this takes long to load

    return str(format_skeleton("MMMMd", year.in_year(2024), locale=speaker.words.locale))
