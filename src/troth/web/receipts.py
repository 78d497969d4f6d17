"""What somebody is told after sending a form: what was stored, what for, until when, and what they agreed to."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from troth.accounts.actions import register
from troth.accounts.rules import registers
from troth.collection.actions import collect
from troth.collection.forms import form
from troth.collection.rules import Submission
from troth.errors import TrothError
from troth.messages.confirmations import queue_confirmations
from troth.policy.compile import Compiled
from troth.policy.notice.language import Speaker, capital, language
from troth.policy.spans import after_words
from troth.store.site import Site
from troth.web.words import say

_log = logging.getLogger("troth.web")


@dataclass(frozen=True)
class Told:
    """The receipt of one form. It names fields and never repeats what was typed into them."""

    number: str
    point: str
    title: str
    repeated: bool
    stored: tuple[str, ...]
    purposes: tuple[str, ...]
    until: tuple[str, ...]
    choices: tuple[str, ...]
    offered: bool
    registers: bool


def confirmed(site: Site, point: str, key: str) -> None:
    """Queue the confirmation of a form that was taken in; if that fails it is found and sent later, and the form stands."""
    try:
        queue_confirmations(site, f"{point}:{key}")
    except TrothError as error:
        _log.warning("%s: a confirmation waits: %s", site.name, error.message)


def take_in(site: Site, compiled: Compiled, submission: Submission) -> bool:
    """Take in what came through a door of ours; whether it had come before. A registration never says whether it had.

    Raises:
        InvalidInput, Refused, StoreError: as ``collect`` does.
    """
    if registers(compiled.policy, submission.point):
        register(site, submission)
        return False
    return collect(site, submission).repeated


def kept(compiled: Compiled, submission: Submission, repeated: bool, tag: str) -> Told:
    """What to tell about ``submission``, which was taken in."""
    shown = form(compiled, submission.point, tag)
    given = [one.id for one in shown.fields if submission.values.get(one.id, "").strip()]
    speaker = Speaker(compiled.policy, language(tag))
    purposes = compiled.policy.collection[submission.point].for_
    return Told(
        number=submission.key,
        point=submission.point,
        title=shown.title,
        repeated=repeated,
        stored=tuple(capital(speaker.label(key)) for key in given),
        purposes=tuple(capital(speaker.text(compiled.policy.purposes[key].label)) for key in purposes),
        until=tuple(_until(compiled, speaker, submission.point, given, tag)),
        choices=tuple(one.label for one in shown.choices if submission.choices.get(one.scope)),
        offered=bool(shown.choices),
        registers=registers(compiled.policy, submission.point),
    )


def _until(compiled: Compiled, speaker: Speaker, point: str, given: list[str], tag: str) -> Iterator[str]:
    """One line for each clock that rules something of what was given, and one for what no clock rules."""
    ruled: set[str] = set()
    for clock in compiled.clocks:
        fields = [key for key in given if (point, key) in clock.covers]
        if fields:
            ruled.update(fields)
            key = "stored.until_archive" if clock.archive else "stored.until_clock"
            words = {"keep": speaker.duration(clock.keep), "after": after_words(speaker, clock)}
            yield capital(say(tag, key, data=speaker.fields(fields), **words))
    if rest := [key for key in given if key not in ruled]:
        yield capital(say(tag, "stored.until_none", data=speaker.fields(rest)))
