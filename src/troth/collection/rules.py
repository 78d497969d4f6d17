"""What a submission must be to come in at a collection point. Pure: the policy and the values in, every problem out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from email_validator import EmailNotValidError, validate_email

from troth.people.cards import find_cards
from troth.policy.compile import Compiled
from troth.policy.model import CollectionPoint
from troth.policy.notice.language import LANGUAGES
from troth.policy.rules import source_fact

LONGEST = 10_000
"""characters of one answer"""
OLDEST = 130
"""years: whoever would be older was mistyped"""
_EMAIL, _PHONES, _BIRTH = "pd:EmailAddress", {"pd:TelephoneNumber"}, "pd:BirthDate"
_KEY = re.compile(r"[!-~]{1,64}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PHONE = re.compile(
    r"[\d\s()+./\-\u2010-\u2015\uff08-\uff0f#*]{5,40}(?:(?:ext\.?|x|extension|\u5206\u6a5f|\u8f49)\s*\d{1,8})?", re.I
)
_UNSEEN = {"Cc", "Cf", "Zl", "Zp", "Zs"}  # control, format (zero width), line, paragraph and space


@dataclass(frozen=True)
class Submission:
    """What somebody sent to a collection point.

    Attributes:
        point: the collection point, as the policy calls it.
        values: the answers by field; a blank one is the same as none.
        key: up to 64 visible ASCII characters, the same when the same form is sent twice and unlike any other.
        choices: the check boxes by purpose or recipient; only those that were ticked count.
        acknowledged: whether the point's warning was confirmed, where it has one.
        language: the language the form was shown in.
        partner: the recipient of the policy who supplies the data, when it is not the person.
        member: the id of whoever is logged in; from your own session, never from the form.
        source: where the data comes from, when you know it; it must be what the policy says of the point.
        version: the version of the policy the form showed, when you know it; it must still be the one in force.
    """

    point: str
    values: Mapping[str, str] = field(repr=False)
    key: str
    choices: Mapping[str, bool] = field(default_factory=dict)
    acknowledged: bool = False
    language: str = "en"
    partner: str | None = None
    member: str | None = None
    source: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class Checked:
    """A submission after checking: ``values`` to keep, or the ``problems``, a message for each field or choice."""

    values: Mapping[str, str] = field(repr=False)
    problems: Mapping[str, str]
    facts: frozenset[str]


def check(compiled: Compiled, submission: Submission, now: datetime) -> Checked:
    """Check ``submission`` against its point in ``compiled``; the point must exist."""
    point = compiled.policy.collection[submission.point]
    values = {key: _tidy(value) for key, value in submission.values.items() if not _blank(value)}
    problems = dict(_problems(compiled, point, submission, values, now))
    declared = {key: value for key, value in values.items() if key in (*point.required, *point.optional)}
    return Checked(_kept(point, declared), problems, _facts(compiled, point, submission, declared, now))


def case_ref(point: str, key: str) -> str:
    """The reference of the dealing that a submission opens."""
    return f"{point}:{key}"


def _blank(value: str) -> bool:
    """Whether nobody would see anything: no characters at all, or only spaces and those without width."""
    return isinstance(value, str) and all(
        unicodedata.category(char) in _UNSEEN - {"Cc"} or char.isspace() for char in value
    )


def _tidy(value: str) -> str:
    """One spelling of what looks the same; what is far too long is left alone, since it is refused anyway."""
    return (
        unicodedata.normalize("NFC", value.strip()) if isinstance(value, str) and len(value) <= 2 * LONGEST else value
    )


def _problems(
    compiled: Compiled, point: CollectionPoint, submission: Submission, values: Mapping[str, str], now: datetime
) -> Iterator[tuple[str, str]]:
    yield from _astray(compiled, submission)
    declared = (*point.required, *point.optional)
    for key in submission.values:
        if key not in declared:
            yield shown(key), "This field is not asked for here and was not stored."
    if not values.keys() & set(declared):
        yield next(iter(declared), "values"), "There is nothing here that could be stored."
    for key in point.required:
        if key not in values:
            yield key, "This field is required."
    for key, value in values.items():
        if key in declared and (
            problem := _problem(compiled.policy.data[key].category, value, compiled.calendar.day(now))
        ):
            yield key, problem
    for scope in submission.choices:
        if scope not in point.offers:
            yield shown(scope), "This choice is not offered here."
    if point.warns is not None and not submission.acknowledged:
        yield "acknowledged", "Please confirm that you have read the warning."


def _astray(compiled: Compiled, submission: Submission) -> Iterator[tuple[str, str]]:
    """What is wrong with the submission itself, whatever was answered."""
    if not _KEY.fullmatch(submission.key):
        yield "key", "A submission needs a key of 1 to 64 visible ASCII characters."
    if submission.language not in LANGUAGES:
        yield "language", "There is no form in this language."
    if submission.version not in {None, compiled.version}:
        yield "version", "The policy has changed since this form was opened. Please read it again."


def shown(key: str) -> str:
    """A name that came with a submission, as an error may repeat it: it came from outside and could hold anything."""
    return key if key.isidentifier() and len(key) <= 63 and not find_cards(key) else "(a field)"


def _problem(category: str, value: str, today: date) -> str:
    if unfit := _unfit(value):
        return unfit
    if category == _EMAIL:
        return _email_problem(value)
    if category in _PHONES:
        return _phone_problem(value)
    return _birth_problem(value, today) if category == _BIRTH else ""


def _unfit(value: str) -> str:
    """What keeps any answer out, whatever was asked."""
    if not isinstance(value, str):
        return "This must be text."
    if len(value) > LONGEST:
        return f"This is too long; at most {LONGEST:,} characters."
    if any(_no_text(char) for char in value):
        return "This holds control characters; please type it again."
    if find_cards(value):
        return "This looks like a payment card number, which we never store. Please remove it."
    return ""


def _no_text(char: str) -> bool:
    """Control characters, and halves of characters, which no store can hold."""
    return unicodedata.category(char) in {"Cc", "Cs"} and char not in "\n\r\t"


def _email_problem(value: str) -> str:
    try:
        validate_email(value, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return "This is not a complete e-mail address, such as name@example.com."
    return ""


def _phone_problem(value: str) -> str:
    seen = "".join(char for char in value if unicodedata.category(char) != "Cf")  # address books copy unseen marks
    digits = sum(char.isdecimal() for char in seen)
    if not 5 <= digits <= 20 or not _PHONE.fullmatch(seen):
        return "This is not a telephone number, such as +44 20 7946 0000."
    return ""


def _birth_problem(value: str, today: date) -> str:
    try:
        born = date.fromisoformat(value if _DAY.fullmatch(value) else "")
    except ValueError:
        return "This is not a date, such as 1990-05-31."
    if not 0 <= today.year - born.year <= OLDEST or born > today:
        return "Nobody alive was born on this day; please check it."
    return ""


def _kept(point: CollectionPoint, values: Mapping[str, str]) -> Mapping[str, str]:
    """Without what is only kept when it differs from something else that was given."""
    same = {key for key, other in point.keeps_when_different.items() if values.get(key) == values.get(other)}
    return {key: value for key, value in values.items() if key not in same}


def _facts(
    compiled: Compiled, point: CollectionPoint, submission: Submission, values: Mapping[str, str], now: datetime
) -> frozenset[str]:
    facts = _origin(compiled, point, submission)
    if _under_age(compiled, point, values, now):
        facts |= {"under_age"}
    return facts


def _origin(compiled: Compiled, point: CollectionPoint, submission: Submission) -> frozenset[str]:
    """``source:`` and ``partner:``; what comes from somewhere the policy does not list has no source, so nothing permits it."""
    sources = {one.source for one in compiled.policy.collection.values()}
    source = point.source if submission.source is None else submission.source
    if source not in sources or (submission.partner is not None and submission.partner not in point.partners):
        return frozenset()
    facts = {source_fact(source)}
    return frozenset(facts | {f"partner:{submission.partner}"} if submission.partner is not None else facts)


def _under_age(compiled: Compiled, point: CollectionPoint, values: Mapping[str, str], now: datetime) -> bool:
    people = compiled.policy.people[point.people]
    if people.minimum_age is None:
        return False
    today = compiled.calendar.day(now)
    births = [value for key, value in values.items() if compiled.policy.data[key].category == _BIRTH]
    return any(age(value, today) < people.minimum_age for value in births if not _birth_problem(value, today))


def age(born: str, today: date) -> int:
    """Whole years ``today``, where the operator is, of somebody born on the day ``born`` (ISO 8601)."""
    birth = date.fromisoformat(born)
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
