"""Arguments of acts: what each may be, how it is read, and what is wrong with one that does not fit. Pure.

Every argument is a text, or a list or object of texts, so that a form, a command line and JSON can all say it. One that holds a
personal value is marked ``private``: it never stands in an address or on a command line, and no message repeats it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Literal, get_args

from troth.errors import InvalidInput
from troth.ids import is_id
from troth.people.cards import find_cards
from troth.policy.compile import Compiled
from troth.policy.vocabulary import OnRecord

Type = Literal["person", "id", "reference", "word", "words", "instant", "text", "value", "record"]
Words = Callable[[Compiled], Iterable[str]]
LONGEST = 500
"""characters of a reason"""
LONGEST_VALUE = 10_000
NO_SUCH_WORD = "The policy has no such word here."
ON_RECORD: tuple[str, ...] = get_args(OnRecord)
"""what a legal ground may need on record, such as ``reference`` or ``effect on people``"""
_REFERENCE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9:_./#-]{0,128}[A-Za-z0-9])?")
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class Unfit(Exception):
    """An argument is not what it must be; ``args[0]`` says why, and repeats no value."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of an act.

    Attributes:
        words: for a ``word`` or ``words``: what it may be under the policy in force.
        required: whether it must be given.
        prose: whether it is long, so that a form shows a box of several lines.
    """

    name: str
    type: Type
    help: str
    required: bool = True
    words: Words | None = None
    prose: bool = False

    @property
    def private(self) -> bool:
        """Whether it holds a personal value."""
        return self.type == "value"

    def allowed(self, compiled: Compiled) -> tuple[str, ...]:
        """What a word may be, in the order of the policy; nothing for what is no word."""
        return tuple(dict.fromkeys(self.words(compiled))) if self.words else ()


def read(arguments: Iterable[Argument], given: Mapping[str, Any], compiled: Compiled) -> dict[str, Any]:
    """``given`` as the values of ``arguments``.

    Raises:
        InvalidInput: with a problem for each that is missing, unknown or does not fit.
    """
    known = {one.name: one for one in arguments}
    problems = {_shown(name): _unknown(name, known) for name in given if name not in known}
    values: dict[str, Any] = {}
    for name, argument in known.items():
        said = given.get(name)
        if said is None or said in ("", [], {}):
            if argument.required:
                problems[name] = "This is required."
            continue
        try:
            values[name] = _READ[argument.type](said, argument, compiled)
        except Unfit as unfit:
            problems[name] = str(unfit)
    if problems:
        raise InvalidInput("Some arguments do not fit. Nothing was done.", problems, "`troth act SITE` lists them.")
    return values


def _shown(name: str) -> str:
    return name if re.fullmatch(r"[a-z][a-z_ ]{0,30}", name) else "(an argument)"


def _unknown(name: str, known: Iterable[str]) -> str:
    return f"There is no such argument.{did_you_mean(name, known)}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` Did you mean `x`?`` for the closest of ``known``, or what there is when nothing is close."""
    among = list(known)
    close = difflib.get_close_matches(word, among, 1)
    return f" Did you mean `{close[0]}`?" if close else f" There are: {', '.join(sorted(among)[:20])}."


def _text_of(said: Any) -> str:
    if not isinstance(said, str):
        raise Unfit("This must be text.")
    if any((ord(char) < 32 and char not in "\n\r\t") or 0xD800 <= ord(char) <= 0xDFFF for char in said):
        raise Unfit("This holds control characters.")
    return said.strip()


def _id(said: Any, argument: Argument, compiled: Compiled) -> str:
    if not is_id(text := _text_of(said)):
        raise Unfit("This is not an id of this site: 26 letters and digits.")
    return text


def _reference(said: Any, argument: Argument, compiled: Compiled) -> str:
    text = _text_of(said)
    if not _REFERENCE.fullmatch(text) or find_cards(text):
        raise Unfit("This is not a number of yours: at most 130 letters, digits and : _ . / # -, and nothing personal.")
    return text


def _word(said: Any, argument: Argument, compiled: Compiled) -> str:
    text, allowed = _text_of(said), argument.allowed(compiled)
    if text not in allowed:
        raise Unfit(f"{NO_SUCH_WORD}{did_you_mean(text, allowed)}")
    return text


def _words(said: Any, argument: Argument, compiled: Compiled) -> tuple[str, ...]:
    several = said.replace(",", " ").split() if isinstance(said, str) else said
    if not isinstance(several, list):
        raise Unfit("This must be a list of words.")
    return tuple(dict.fromkeys(_word(one, argument, compiled) for one in several))


def _instant(said: Any, argument: Argument, compiled: Compiled) -> datetime:
    text = _text_of(said)
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            at = datetime.combine(date.fromisoformat(text), time(), UTC)
        else:
            at = datetime.fromisoformat(text)
        at = at.astimezone(UTC) if at.tzinfo else _no_zone()
    except (ValueError, OverflowError):
        raise Unfit("This is not a day such as 2030-05-31, or an instant such as 2030-05-31T09:00:00Z.") from None
    if not _FIRST <= at <= _LAST:
        raise Unfit("This lies before 1970 or after 2200; please check it.")
    return at


def _no_zone() -> datetime:
    raise Unfit("This instant needs a time zone, such as Z for UTC.")


def _text(said: Any, argument: Argument, compiled: Compiled) -> str:
    text = _text_of(said)
    if len(text) > (LONGEST_VALUE if argument.prose else LONGEST):
        raise Unfit("This is too long.")
    if find_cards(text):
        raise Unfit("This looks like a payment card number, which is never stored.")
    return text


def _value(said: Any, argument: Argument, compiled: Compiled) -> str:
    text = _text_of(said)
    if len(text) > LONGEST_VALUE:
        raise Unfit("This is too long.")
    return text


def _record(said: Any, argument: Argument, compiled: Compiled) -> dict[str, str]:
    if not isinstance(said, dict) or len(said) > 20:
        raise Unfit("This must be an object of texts.")
    for key in said:
        if key not in ON_RECORD:
            raise Unfit(f"No ground needs such a thing on record.{did_you_mean(key, ON_RECORD)}")
    return {key: _text(value, argument, compiled) for key, value in said.items()}


_READ: Mapping[Type, Callable[[Any, Argument, Compiled], Any]] = {
    "person": _id, "id": _id, "reference": _reference, "word": _word, "words": _words, "instant": _instant,
    "text": _text, "value": _value, "record": _record,
}  # fmt: skip
