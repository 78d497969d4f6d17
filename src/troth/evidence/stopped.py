"""The stops that the ledger tells of, held against the facts of each decision while it is replayed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from troth.consent.stops.rules import fact, scopes, stops_among
from troth.consent.stops.tables import stop
from troth.decide import Ask
from troth.ledger import events

STOPS = {events.STOP_MADE: "stopped", events.STOP_LIFTED: "lifted"}
_UNDER_STOPS = frozenset({"read", "disclose", "send", "read_visits"})


@dataclass
class StopsHeard:
    """Every stop and lifting so far, by scope, in the ledger's order: when, the fact, and whether it holds from then on."""

    made: dict[str, list[tuple[datetime, str, bool]]] = field(default_factory=lambda: defaultdict(list))

    def hear(self, conn: Connection, event: str, at: datetime, body: Mapping[str, Any]) -> None:
        """Take in an entry; one that speaks of a stop which nobody made is not believed."""
        scope, origin = str(body.get("scope")), str(body.get("origin", ""))
        mine = (stop.c.id == str(body.get("stop"))) & (stop.c.scope == scope) & (stop.c.origin == origin)
        if conn.scalar(select(stop.c.state).where(mine)) == STOPS[event]:
            self.made[scope].append((at, fact(scope, origin), event == events.STOP_MADE))

    def bear_out(self, ask: Ask, at: datetime, at_once: timedelta) -> bool:
        """Whether the stops among the facts of ``ask`` are those in force at ``at``, or some time within ``at_once`` before."""
        if ask.act not in _UNDER_STOPS:
            return True
        about = scopes(ask.purpose, ask.recipient if ask.act == "disclose" else "")
        made = sorted((one for scope in about for one in self.made.get(scope, ())), key=lambda one: one[0])
        told = stops_among(ask.facts)
        sizes = (size for size in range(len(made)) if made[size][0] > at - at_once)
        return told == _holding(made) or any(told == _holding(made[:size]) for size in sizes)


def _holding(made: list[tuple[datetime, str, bool]]) -> set[str]:
    youngest = {named: holds for _, named, holds in made}
    return {named for named, holds in youngest.items() if holds}
