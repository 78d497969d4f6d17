"""What a submission must be to come in at a collection point. Pure: the policy and the values in, every problem out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from troth.people.cards import find_cards
from troth.policy.compile import Compiled
from troth.policy.model import CollectionPoint
from troth.policy.rules import one_word

LONGEST = 10_000
_EMAIL, _PHONES, _BIRTH = "pd:EmailAddress", {"pd:TelephoneNumber", "pd:FaxNumber"}, "pd:BirthDate"


@dataclass(frozen=True)
class Submission:
    """What somebody sent to a collection point. ``key`` is the same when the same form is sent twice."""

    point: str
    values: Mapping[str, str]
    key: str
    choices: Mapping[str, bool] = field(default_factory=dict)
    acknowledged: bool = False
    language: str = "en"
    partner: str | None = None
    member: str | None = None
    """the person id of whoever is logged in; never taken from the form"""


@dataclass(frozen=True)
class Checked:
    """A submission after checking: ``values`` to keep, or the ``problems``, a message for each field or choice."""

    values: Mapping[str, str]
    problems: Mapping[str, str]
    facts: frozenset[str]


def check(compiled: Compiled, submission: Submission, now: datetime) -> Checked:
    """Check ``submission`` against its point in ``compiled``; the point must exist."""
    point = compiled.policy.collection[submission.point]
    values = {key: _tidy(value) for key, value in submission.values.items() if value.strip()}
    problems = dict(_problems(compiled, point, submission, values))
    declared = {key: value for key, value in values.items() if key in (*point.required, *point.optional)}
    return Checked(_kept(point, declared), problems, _facts(compiled, point, submission, declared, now))


def _tidy(value: str) -> str:
    return unicodedata.normalize("NFC", value.strip())


def _problems(
    compiled: Compiled, point: CollectionPoint, submission: Submission, values: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    declared = (*point.required, *point.optional)
    for key in submission.values:
        if key not in declared:
            yield _shown(key), "This field is not asked for here and was not stored."
    for key in point.required:
        if key not in values:
            yield key, "This field is required."
    for key, value in values.items():
        if key in declared and (problem := _problem(compiled.policy.data[key].category, value)):
            yield key, problem
    for scope in submission.choices:
        if scope not in point.offers:
            yield _shown(scope), "This choice is not offered here."
    if point.warns is not None and not submission.acknowledged:
        yield "acknowledged", "Please confirm that you have read the warning."


def _shown(key: str) -> str:
    """An undeclared name as an error may repeat it: it came from outside and could hold anything."""
    return key if key.isidentifier() and len(key) <= 63 and not find_cards(key) else "(a field)"


def _problem(category: str, value: str) -> str:
    if len(value) > LONGEST:
        return f"This is too long; at most {LONGEST:,} characters."
    if any(unicodedata.category(char) == "Cc" and char not in "\n\r\t" for char in value):
        return "This holds control characters; please type it again."
    if find_cards(value):
        return "This looks like a payment card number, which we never store. Please remove it."
    if category == _EMAIL:
        return _email_problem(value)
    if category in _PHONES:
        return _phone_problem(value)
    return _date_problem(value) if category == _BIRTH else ""


def _email_problem(value: str) -> str:
    try:
        validate_email(value, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return "This is not a complete e-mail address, such as name@example.com."
    return ""


def _phone_problem(value: str) -> str:
    digits = sum(char.isdigit() for char in value)
    if not 5 <= digits <= 20 or any(char.isalpha() for char in phonenumbers.normalize_digits_only(value)):
        return "This is not a telephone number, such as +44 20 7946 0000."
    return ""


def _date_problem(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        return "This is not a date, such as 1990-05-31."
    return ""


def _kept(point: CollectionPoint, values: Mapping[str, str]) -> Mapping[str, str]:
    """Without what is only kept when it differs from something else that was given."""
    same = {key for key, other in point.keeps_when_different.items() if values.get(key) == values.get(other)}
    return {key: value for key, value in values.items() if key not in same}


def _facts(
    compiled: Compiled, point: CollectionPoint, submission: Submission, values: Mapping[str, str], now: datetime
) -> frozenset[str]:
    facts = {f"source:{one_word(point.source)}"}
    if submission.partner:
        facts.add(f"partner:{submission.partner}")
    if _under_age(compiled, point, values, now):
        facts.add("under_age")
    return frozenset(facts)


def _under_age(compiled: Compiled, point: CollectionPoint, values: Mapping[str, str], now: datetime) -> bool:
    people = compiled.policy.people[point.people]
    if people.minimum_age is None:
        return False
    births = [value for key, value in values.items() if compiled.policy.data[key].category == _BIRTH]
    return any(age(value, now) < people.minimum_age for value in births if not _date_problem(value))


def age(born: str, now: datetime) -> int:
    """Whole years at ``now`` of somebody born on the day ``born`` (ISO 8601)."""
    birth = date.fromisoformat(born)
    return now.year - birth.year - ((now.month, now.day) < (birth.month, birth.day))
