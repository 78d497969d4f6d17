"""Arguments that several acts have, and the question whom an act is about."""

from __future__ import annotations

from collections.abc import Iterator

from troth.acts.arguments import Argument, Words
from troth.acts.model import Doing
from troth.errors import InvalidInput
from troth.people import dealings
from troth.people.facts import By, known
from troth.policy.compile import Compiled
from troth.policy.kinds.events import events_of
from troth.policy.rules import one_word

KINDS = ("order", "request", "ticket", "application", "project", "case")
"""dealings that a business opens and closes under a number of its own"""
NOBODY = "There is nobody here under this id: unknown, or erased."
PERSON = Argument("person", "person", "the id of the person")


def word(name: str, help_: str, words: Words, required: bool = True) -> Argument:
    """An argument that is one word of the policy."""
    return Argument(name, "word", help_, required, words)


def purposes(compiled: Compiled) -> Iterator[str]:
    """Every purpose of the policy."""
    yield from compiled.policy.purposes


def recipients(compiled: Compiled) -> Iterator[str]:
    """Every recipient of the policy."""
    yield from compiled.policy.recipients


def fields(compiled: Compiled) -> Iterator[str]:
    """All data that the policy lets be held."""
    yield from (key for key, one in compiled.policy.data.items() if one.protect != "never stored")


def events_of_policy(compiled: Compiled) -> Iterator[str]:
    """Every event of the policy's own."""
    yield from events_of(compiled.policy)


def scopes(compiled: Compiled) -> Iterator[str]:
    """Every purpose, and every recipient with an ``@``: what choices and suspensions are about."""
    yield from compiled.policy.purposes
    yield from (f"@{key}" for key in compiled.policy.recipients)


def somebody(doing: Doing, name: str = "person") -> str:
    """The person of the argument ``name``, who is there and in use.

    Raises:
        InvalidInput: when they are unknown, erased or on the way out; all in the same words.
    """
    person_id = doing.text(name)
    there = known(doing.conn, [person_id]).get(person_id)
    if there is None or there.state != "active":
        raise InvalidInput("Nothing was done.", {name: NOBODY})
    return person_id


def dealt(doing: Doing, kind: str) -> dealings.Dealt:
    """The dealing of ``kind`` under the argument ``number``, open or closed.

    Raises:
        InvalidInput: when there is none, or it is not that of the ``person`` who is named.
    """
    found = dealings.named(doing.conn, kind, doing.text("number"))
    if found is None or doing.text("person") not in ("", found.person_id):
        raise InvalidInput("Nothing was done.", {"number": f"There is no {kind} under this number."})
    return found


def asker(doing: Doing) -> By:
    """Who asks the policy: the member of staff in their role, the program, or for the console the operator's system."""
    caller = doing.caller
    if caller.kind == "staff":
        return By("staff", caller.role)
    return By("program" if caller.kind == "program" else "system")


def by(doing: Doing) -> str:
    """The role or program that answers for an act, as one word of the ledger."""
    return one_word(doing.caller.role)
