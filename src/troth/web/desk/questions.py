"""The questions of a form for one act, made from its arguments: what each is called, which choices there are, what was typed.

Choices are the words that the policy has and, where the store knows them, what is there: open dealings, what waits to be
handed over, holds in force, recipients that have not answered. What was typed goes back as it was, but for card numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from troth.acts.arguments import NO_SUCH_WORD, Argument, Type
from troth.acts.model import Act
from troth.acts.shared import KINDS
from troth.policy.compile import Compiled
from troth.policy.model import Policy
from troth.policy.notice.language import capital
from troth.recipients.rules import FIELDS
from troth.retention.holds import Hold, needed_of_hold
from troth.rights.rules import rests_on_consent
from troth.web.desk.called import Called
from troth.web.desk.rows import Rows
from troth.web.moments import past_day, stamp
from troth.web.words import problem, say, words

HAPPENED = "at"
"""the argument that says when something happened"""
Option = tuple[str, str]
"""what is sent, and what is read"""


@dataclass(frozen=True, slots=True)
class Question:
    """One argument as a form asks for it.

    Attributes:
        name: of the input; for boxes and for a record what stands before the dot.
        options: what can be chosen; None where it is typed.
        value: what was typed or is filled in.
        parts: for a record, what is asked for, with what was typed; for boxes, those that are ticked.
    """

    name: str
    type: Type
    label: str
    hint: str
    required: bool
    prose: bool
    options: tuple[Option, ...] | None
    value: str
    parts: Mapping[str, str]
    wrong: str


@dataclass(frozen=True)
class Asking:
    """What a form of ``act`` is made from: the policy, what there is, and the language it is in."""

    act: Act
    compiled: Compiled
    rows: Rows
    tag: str

    @cached_property
    def called(self) -> Called:
        """What choices are called."""
        return Called(self.compiled, self.tag)

    def questions(self, typed: Mapping[str, str], problems: Mapping[str, str]) -> list[Question]:
        """The questions in the order of the arguments; a person is either filled in or not asked for."""
        return [self._question(one, typed, problems) for one in self.act.arguments if self._asked(one)]

    def nothing(self, questions: Iterable[Question]) -> bool:
        """Whether there is nothing that this act could be about, so that there is nothing to choose."""
        return any(one.required and one.options == () for one in questions)

    def _asked(self, argument: Argument) -> bool:
        if argument.type == "person":
            return False
        if argument.type == "record":
            return bool(self._needs())
        return argument.required or self._options(argument) != ()

    def _question(self, argument: Argument, typed: Mapping[str, str], problems: Mapping[str, str]) -> Question:
        name = argument.name
        options = self._options(argument)
        value = typed.get(name, "")
        if options is not None and argument.required and len(options) == 1 and not value:
            value = options[0][0]
        parts = {key.removeprefix(f"{name}."): said for key, said in typed.items() if key.startswith(f"{name}.")}
        parts = {need: parts.get(need, "") for need in self._needs()} if argument.type == "record" else parts
        return Question(
            name, argument.type, self._own("asks", name), self._own("hints", name), argument.required, argument.prose,
            options, value, parts, self._wrong(problems.get(name, "")),
        )  # fmt: skip

    def _own(self, table: str, name: str) -> str:
        """The words for an argument: those for it in this act before those for it in any; blank for none."""
        said = words(self.tag)["desk"][table]
        return str(said.get(f"{self.act.name} {name}", said.get(name, "")))

    def _wrong(self, said: str) -> str:
        return say(self.tag, "desk.act_word") if said.startswith(NO_SUCH_WORD) else problem(self.tag, said)

    def _needs(self) -> list[str]:
        """What the legal grounds need on record on which this act gives or keeps data."""
        if self.act.name == "place-hold":
            return needed_to_keep(self.compiled.policy)
        grounds = [self.compiled.policy.legal[one] for one in _giving(self)]
        return sorted({need for one in grounds for need in one.needs} - {FIELDS})

    def _options(self, argument: Argument) -> tuple[Option, ...] | None:
        there = _STORED.get((self.act.name, argument.name)) or _STORED.get(("", argument.name))
        found = there(self) if there else None
        if found is not None:
            return tuple(found)
        if argument.words is None:
            return None
        called = self.called.choices(argument.name)
        return tuple((word, called(word)) for word in argument.allowed(self.compiled))


def needed_to_keep(policy: Policy) -> list[str]:
    """What the legal grounds on which data is kept need on record, beside what every hold has."""
    grounds = [one for one in policy.legal.values() if one.act == "keep"]
    return sorted(needed_of_hold((need for one in grounds for need in one.needs), named=True))


def _giving(asking: Asking) -> list[str]:
    """The legal grounds on which data is given to somebody."""
    return [key for key, one in asking.compiled.policy.legal.items() if one.act in ("disclose", "transfer controller")]


def _grounds_of_giving(asking: Asking) -> list[Option]:
    return [(one, capital(asking.called.ground(one))) for one in _giving(asking)]


def _numbers(asking: Asking, *kinds: str) -> list[Option] | None:
    """The open dealings of one person; typed where nobody in particular is meant."""
    if not asking.rows.person:
        return None
    found = asking.rows.open_dealings(*kinds)
    return [(one.ref, f"{capital(asking.called.plain(one.kind))} {one.ref}") for one in found]


def _orders(asking: Asking) -> list[Option] | None:
    """All orders of one person: a warranty ends after its order is closed."""
    if not asking.rows.person:
        return None
    return [(one.ref, one.ref) for one in asking.rows.dealings if one.kind == "order"]


def _cases(asking: Asking) -> list[Option] | None:
    return _numbers(asking, *KINDS)


def _waiting(asking: Asking) -> list[Option]:
    whom, names = asking.called.whom, asking.called.speaker.fields
    called = [(one, whom(one.recipient), names(one.fields)) for one in asking.rows.waiting()]
    return [(one.id, f"{who}: {what}, {stamp(one.at)} (…{one.id[-4:]})") for one, who, what in called]


def _holds(asking: Asking) -> list[Option]:
    return [(one.id, _hold(asking, one)) for one in asking.rows.releasable()]


def _hold(asking: Asking, one: Hold) -> str:
    until = say(asking.tag, "desk.person.until", at=stamp(one.ends_at))
    return f"{capital(asking.called.ground(one.ground))}: {one.reason}, {until} (…{one.id[-4:]})"


def _owing(asking: Asking) -> list[Option]:
    return [
        (key, f"{asking.called.speaker.recipient(key)} ({count})") for key, count in sorted(asking.rows.owing.items())
    ]


def _endings(asking: Asking) -> list[Option]:
    said = {
        one.ending_id: say(asking.tag, "desk.person.told_by", at=stamp(one.at), by=stamp(one.deadline))
        for one in asking.rows.unanswered
    }
    return [(id_, f"{words_} (…{id_[-4:]})") for id_, words_ in said.items()]


def _suspended(asking: Asking) -> list[Option]:
    scopes = dict.fromkeys(one.scope for one in asking.rows.suspended)
    return [(one, capital(asking.called.scope(one))) for one in scopes]


def _suspended_origins(asking: Asking) -> list[Option]:
    origins = dict.fromkeys(one.origin for one in asking.rows.suspended if one.origin)
    return [(one, asking.called.plain(one)) for one in origins]


def _needing_consent(asking: Asking) -> list[Option]:
    policy, about = asking.compiled.policy, asking.act.argument("about")
    allowed = about.allowed(asking.compiled) if about else ()
    return [(one, capital(asking.called.scope(one))) for one in allowed if rests_on_consent(policy, one)]


_STORED: Mapping[tuple[str, str], Callable[[Asking], list[Option] | None]] = {
    ("", "disclosure"): _waiting,
    ("", "hold"): _holds,
    ("", "ending"): _endings,
    ("", "case"): _cases,
    ("pay-order", "number"): lambda asking: _numbers(asking, "order"),
    ("dispatch-order", "number"): lambda asking: _numbers(asking, "order"),
    ("close-dealing", "number"): _cases,
    ("set-warranty", "number"): _orders,
    ("acknowledge-deletion", "recipient"): _owing,
    ("lift-suspension", "scope"): _suspended,
    ("lift-suspension", "origin"): _suspended_origins,
    ("disclose", "ground"): _grounds_of_giving,
    ("give-consent", "about"): _needing_consent,
}
"""by act (blank: any) and argument: the choices that the store or the policy narrows; None where there are none to offer"""


def given(act: Act, sent: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """What a form sent, as the arguments of ``act``: boxes as a list, a record as an object, today as the present moment."""
    found: dict[str, Any] = {}
    for name, said in sent.items():
        first, dot, part = name.partition(".")
        argument = act.argument(first)
        if not dot or argument is None:
            found[name] = "" if name == HAPPENED and past_day(said, now) is None else said
        elif argument.type == "words":
            found.setdefault(first, []).append(part)
        elif said:
            found.setdefault(first, {})[part] = said
    return found
