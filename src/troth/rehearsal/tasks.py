"""What an event comes down to: its keys, references, choices and fields. Pure; read by those who act and by the model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from troth.policy.compile import Compiled
from troth.policy.model import CollectionPoint
from troth.rehearsal.events import Event
from troth.rehearsal.made_up import chance

APART = timedelta(seconds=1)
"""between two visits of one event, the last of which is made at its instant"""


@dataclass(frozen=True, slots=True)
class Task:
    """One event to be lived at an instant.

    Attributes:
        people: ids of the people it is about, as far as they ever came: one, or those on a list.
        again: it may have been done already, whole or not at all.
    """

    event: Event
    at: datetime
    people: tuple[str, ...] = ()
    again: bool = False


def key_of(seed: int, number: int) -> str:
    """The key of the submission that the event ``number`` sends."""
    return f"rehearsal-{seed}-{number}"


def number_of(key: str) -> int | None:
    """The event whose submission has this key; None for one that no event sent."""
    word, _, number = key.rpartition("-")
    return int(number) if word.startswith("rehearsal-") and number.isdigit() else None


def ref_of(event: Event) -> str:
    """The reference of the dealings that staff open in ``event``."""
    return f"order-{event.number}"


def kinds_of(event: Event) -> list[str]:
    """The kinds of dealings that ``event`` opens or closes."""
    return event.details["kinds"].split(", ")


def ticked(seed: int, number: int, point: CollectionPoint) -> list[str]:
    """Which of the choices that ``point`` offers are taken in the event ``number``."""
    return [scope for scope in point.offers if chance(seed, number, scope) < 0.5]


def read_for(compiled: Compiled, purpose: str) -> tuple[str, ...]:
    """What staff ask for when they read for ``purpose``: all that it uses, or anything where there is no such purpose."""
    known = compiled.policy.purposes.get(purpose)
    return known.uses if known else tuple(compiled.policy.data)[:2]


def given_to(compiled: Compiled, event: Event) -> tuple[str, ...]:
    """What is to be given to the recipient of ``event``: all that it receives, and one field more if the event says so."""
    policy = compiled.policy
    receives = policy.recipients[event.what].receives if event.what in policy.recipients else tuple(policy.data)[:1]
    more = next((key for key in policy.data if key not in receives), None) if "more" in event.details else None
    return (*receives, more) if more else receives
