"""What goes wrong in a rehearsal, and when. Pure: the same seed and the same life bring the same faults.

A *mishap* hits one task (an event, or a turn of the worker) at one place: the n-th statement or commit of a store within a part
of the task, or the n-th delivery to the recipients or the mail server. Places are chosen among those that a task of the same
kind has met before, every part of it as often as any other, so that short tasks are hit like long ones. The kinds:

- the process is killed before or after the place, a delivery taken or not;
- a store, a recipient or the mail server answers late, fails, or is done and its answer gets lost;
- a store is locked by somebody else for longer than anybody waits, or a recipient stays away for a whole turn.

Besides, the clock jumps, and the worker stays away.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Literal

Where = Literal["data", "keys", "recipient", "mail"]
Step = Literal["statement", "commit", "delivery"]
Kind = Literal["killed before", "killed after", "late", "failed", "answer lost", "locked", "away"]
STATEMENT: Step = "statement"
COMMIT: Step = "commit"
DELIVERY: Step = "delivery"

TRIES = 2
_LIKELY = {"event": (0.12, 0.3), "turn": (0.7, 0.4)}
"""how likely a mishap is at the first and at the second time that a task is tried; a third time goes well"""
_KINDS: Mapping[Step, Mapping[Kind, int]] = {
    "statement": {"killed before": 3, "killed after": 3, "failed": 3, "late": 2, "locked": 1},
    "commit": {"killed before": 2, "killed after": 3, "failed": 1, "answer lost": 2},
    "delivery": {"killed before": 1, "killed after": 2, "failed": 1, "answer lost": 2, "late": 1, "away": 1},
}
_STORES = {"data": "the data store", "keys": "the key store", "recipient": "a recipient", "mail": "the mail server"}
_HOURS = (-5, -1, 3, 11, 26, 47)
_WRONG = 0.15
_ABSENT_DAYS = (1, 1, 2, 4)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mishap can happen; ``part`` is the worker's task, or blank."""

    where: Where
    step: Step
    part: str = ""


@dataclass(frozen=True, slots=True)
class Mishap:
    """What happens at the ``nth`` time (from 1) that a task comes to ``place``."""

    kind: Kind
    place: Place
    nth: int = 1

    @property
    def name(self) -> str:
        """The kind as it is counted."""
        whom = _STORES[self.place.where]
        if self.kind in {"killed before", "killed after"}:
            return f"{self.kind} a {self.place.step} of {whom}" if self.stored else f"{self.kind} {whom} took it"
        if self.kind == "failed" and self.stored:
            return f"{whom} failed at a {self.place.step}"
        return f"{whom} {_SAID[self.kind]}"

    @property
    def stored(self) -> bool:
        """Whether it is a store's."""
        return self.place.where in {"data", "keys"}


_SAID: Mapping[Kind, str] = {
    "late": "answered late",
    "failed": "answered that it cannot now",
    "answer lost": "was done and its answer got lost",
    "locked": "was locked by somebody else",
    "away": "was away",
}


class Plan:
    """Which mishap hits which task. What it has learnt of the tasks so far decides where."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._met: dict[str, dict[Place, int]] = {}

    def learn(self, task: str, met: Mapping[Place, int]) -> None:
        """Note how often a task of this kind came to each place."""
        self._met.setdefault(task, {}).update(met)

    def mishap(
        self, kind: Literal["event", "turn"], task: str, number: int, attempt: int, leaves: Collection[Where] = ()
    ) -> Mishap | None:
        """The mishap of the ``attempt`` (from 0) at the task with this ``number``; None when it is to go well.

        Where something ``leaves`` in this turn, as it seldom does, every second mishap is one of its delivery.
        """
        random = Random(f"{self.seed}:{kind}:{number}:{attempt}")
        likely = _LIKELY[kind][attempt] if attempt < len(_LIKELY[kind]) else 0.0
        places = sorted(self._met.get(task, {}), key=lambda one: (one.part, one.where, one.step))
        if not places or random.random() >= likely:
            return None
        leaving = sorted({place.part for place in places} & {*leaves})
        part = random.choice(leaving if leaving and random.random() < 0.5 else sorted({place.part for place in places}))
        where = random.choice(sorted({place.where for place in places if place.part == part}))
        place = random.choice([one for one in places if (one.part, one.where) == (part, where)])
        kinds = _KINDS[place.step]
        [chosen] = random.choices(list(kinds), list(kinds.values()))
        return Mishap(chosen, place, random.randint(1, self._met[task][place]))

    def wrong_clock(self, day: int) -> timedelta:
        """How far the clock is from the truth on ``day``, from noon on until it is set right at midnight; mostly nothing."""
        random = Random(f"{self.seed}:clock:{day}")
        return timedelta(hours=random.choice(_HOURS)) if random.random() < _WRONG else timedelta(0)

    def absences(self, days: int) -> Mapping[int, int]:
        """The first day of each absence of the worker, and how many turns it misses; the first one is too long for anybody."""
        random = Random(f"{self.seed}:absences")
        found: dict[int, int] = {}
        day = random.randint(3, 8)
        while day < days - 6:
            found[day] = random.choice(_ABSENT_DAYS) if found else max(_ABSENT_DAYS)
            day += found[day] + random.randint(6, 20)
        return found
