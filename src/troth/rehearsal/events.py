"""What happens in a rehearsal, as a list that can be kept, cut and lived again.

An event names made-up people by number and never by an id that a store gave, and what it needs besides follows from the seed
and its own number. So a list that lost some of its events is still a life: what is left happens as it did, and an event whose
person never came is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Literal

from troth.clock import DAY

Act = Literal[
    "visits",  # `count` visits spread over the day
    "submit",  # `what`: a collection point; a form, an account, an order, a registration
    "import",  # `what`: a collection point that a partner fills; `details["partner"]`
    "choose",  # `what`: a purpose, or `@` and a recipient; `details["state"]`
    "order",  # opens the dealings `details["kinds"]`; `details["warranty"]`: its length in days
    "close",  # closes `details["kinds"]`; `details["order"]`: the event that opened them, at the point `what` if at one
    "notice",  # somebody says that business with them is over
    "read",  # `what`: a purpose; staff in the role `details["role"]` look at `count` people's data
    "disclose",  # `what`: a recipient; `details["purpose"]`; with `details["more"]` one field that it may not get
    "erase",  # somebody asks to be forgotten
    "amend",  # a new version of the policy is published; `details`: paths of the policy and the durations they get
    "hostile",  # `what`: a collection point that is sent what it must not take; `details["how"]`
    "jump",  # the clock is wrong by `details["hours"]` for the rest of the day, and then set right
]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens.

    Attributes:
        number: unique in its list and kept when the list is cut; every key and every made-up value of the event follows from
            it and the seed, so that lived twice it is the same event.
        day: counted from 0.
        part: of the day, from 0 up to 1.
        who: the number of a made-up person; None when it is about nobody.
        what: an id of the policy, by ``act``.
        count: how many of it; 1 but for visits and reads.
    """

    number: int
    day: int
    part: float
    act: Act
    who: int | None = None
    what: str = ""
    count: int = 1
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def after(self) -> timedelta:
        """How long after the first midnight it happens."""
        return (self.day + self.part) * DAY

    def line(self) -> str:
        """The event as one line of JSON."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))


def read_line(line: str) -> Event:
    """The event of a ``line``. Raises ``ValueError`` or ``TypeError`` when it is none."""
    return Event(**json.loads(line))
