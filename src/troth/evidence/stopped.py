"""The stops that the ledger tells of, held against the facts of each decision while it is replayed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from troth.consent.stops.rules import fact, scopes
from troth.consent.stops.tables import stop
from troth.decide import Ask
from troth.evidence.archive import WINDOW_MICROS
from troth.ledger import events
from troth.policy.acts import USES

STOPS = {events.STOP_MADE: "stopped", events.STOP_LIFTED: "lifted"}


def under(ask: Ask) -> tuple[str, ...]:
    """The scopes whose stops must be among the facts of ``ask``; none for acts that go on under a stop."""
    if ask.act not in USES:
        return ()
    return scopes(ask.purpose, ask.recipient if ask.act == "disclose" else "")


@dataclass
class StopsHeard:
    """Every stop and lifting so far, by scope: when (microseconds since 1970), the fact, whether it holds from then on."""

    made: dict[str, list[tuple[int, str, bool]]] = field(default_factory=lambda: defaultdict(list))

    def hear(self, conn: Connection, event: str, at: int, body: Mapping[str, Any]) -> None:
        """Take in an entry; one that speaks of a stop which nobody made is not believed."""
        scope, origin = str(body.get("scope")), str(body.get("origin", ""))
        mine = (stop.c.id == str(body.get("stop"))) & (stop.c.scope == scope) & (stop.c.origin == origin)
        if conn.scalar(select(stop.c.state).where(mine)) == STOPS[event]:
            self.made[scope].append((at, fact(scope, origin), event == events.STOP_MADE))

    def bear_out(self, about: tuple[str, ...], told: frozenset[str], at: int) -> bool:
        """Whether ``told`` are the stops of the scopes ``about`` in force at ``at``, or before any of those made just now."""
        made = [one for scope in about for one in self.made.get(scope, ())] if self.made else []
        if not made:
            return not told
        just_now = (size for size, one in enumerate(made) if one[0] > at - WINDOW_MICROS)
        return told == _holding(made) or any(told == _holding(made[:size]) for size in just_now)


def _holding(made: list[tuple[int, str, bool]]) -> set[str]:
    youngest = {named: holds for _, named, holds in made}
    return {named for named, holds in youngest.items() if holds}
