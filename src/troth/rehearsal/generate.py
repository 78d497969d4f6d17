"""A site's life as a list of events, made from its policy alone: which forms, choices, orders, recipients and clocks there are.

Pure, and the same for the same policy, days, people and seed. Each day follows from its own number, from how many people have
come by then and from what is still open, so that the list is made while it is lived and takes no memory. What a policy does not
have does not happen; what it has happens without anything being written here for it. Much of it must be refused: hostile input,
reads without permission, disclosures without consent. People come over the whole time, so that some clocks run out meanwhile.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from random import Random

from troth.clock import DAY
from troth.policy.compile import Compiled
from troth.rehearsal.events import Act, Event
from troth.rehearsal.offers import Offers, offers

LIST = 50
"""people on a list that staff look at"""
BATCH = 100
"""visits that are recorded together"""
NOBODYS = "curiosity"
"""a purpose and a recipient that no policy has"""


@dataclass(frozen=True, slots=True)
class Often:
    """How often things happen to one person over the whole time, on average."""

    visits: float = 38.0
    visits_instead: float = 38.0
    """reads besides, where no visits are recorded"""
    listed: float = 50.0
    returns: float = 0.6
    orders: float = 0.6
    choices: float = 1.2
    disclosures: float = 1.5
    reads: float = 1.0
    erasures: float = 0.1
    hostile: float = 0.2


OFTEN = Often()
A_DAY: Mapping[str, float] = {"hostile": 0.5, "jumps": 0.08}
"""what happens on a day at least, however few people there are"""


@dataclass(frozen=True, slots=True)
class _Draft:
    """An event without its place; ``opens`` are the dealings it opens, and ``close_in`` the days until they are closed."""

    act: Act
    who: int | None = None
    what: str = ""
    count: int = 1
    details: Mapping[str, str] = field(default_factory=dict)
    opens: str = ""


def generate(
    compiled: Compiled, *, days: int, people: int, seed: int, partners: Collection[str], often: Often = OFTEN
) -> Iterator[Event]:
    """Every event of ``days`` days in which ``people`` come, in order; ``partners`` are those registered to supply data."""
    town = _Town(offers(compiled, partners), days, people, often)
    numbers = count()
    for day in range(days):
        random = Random(f"{seed}:day:{day}")
        drafts = list(town.day(day, random))
        random.shuffle(drafts)
        for part, draft in zip(sorted(random.random() for _ in drafts), drafts, strict=True):
            event = Event(next(numbers), day, part, draft.act, draft.who, draft.what, draft.count, draft.details)
            town.goes_on(event, draft.opens, random)
            yield event


class _Town:
    """The people who came so far, as far as what happens next depends on them."""

    def __init__(self, offers: Offers, days: int, people: int, often: Often) -> None:
        self._offers, self._days, self._people, self._often = offers, days, people, often
        self._kinds: list[str] = []
        """the kind of each person, by their number"""
        self._there = 0
        """how many had come before today; who comes today is left in peace until tomorrow"""
        self._members: list[int] = []
        self._left: set[int] = set()
        self._buyers: deque[int] = deque(maxlen=LIST)
        self._choosers: dict[str, deque[int]] = {}
        self._later: list[tuple[int, int, _Draft]] = []
        self._waits = count()

    def day(self, day: int, random: Random) -> Iterator[_Draft]:
        """All that happens on ``day``, in no order."""
        self._there = len(self._kinds)
        while self._later and self._later[0][0] <= day:
            yield heapq.heappop(self._later)[2]
        yield from self._visits(random)
        yield from self._arrivals(day, random)
        yield from self._amendments(day)
        for act, expected in self._expected():
            for _ in range(_some(random, expected)):
                yield from act(random)

    def _expected(self) -> Iterator[tuple[Callable[[Random], Iterator[_Draft]], float]]:
        often, a_day = self._often, self._people / self._days
        listed = often.listed + (0 if self._offers.visits else often.visits_instead)
        yield self._returns, often.returns * a_day
        yield self._orders, often.orders * a_day
        yield self._choices, often.choices * a_day
        yield self._disclosures, often.disclosures * a_day
        yield self._reads, often.reads * a_day
        yield self._lists, listed * a_day / LIST
        yield self._erasures, often.erasures * a_day
        yield self._hostile, max(often.hostile * a_day, A_DAY["hostile"])
        yield self._jumps, A_DAY["jumps"]

    def goes_on(self, event: Event, opens: str, random: Random) -> None:
        """What follows from ``event``, now that it has a number: what it opened is closed one day, and some come back."""
        if opens:
            closed = {"order": str(event.number), "kinds": opens}
            self._wait(event.day + random.randint(2, 15), _Draft("close", event.who, event.what, details=closed))
        if event.act == "erase" and random.random() < 0.25:
            self._wait(event.day + random.randint(1, 40), self._submission(event.who or 0, random))
        if event.act in {"submit", "import"} and event.who is not None:
            self._ends(event, event.who, random)

    def _ends(self, event: Event, who: int, random: Random) -> None:
        """Some say one day that business is over, and some close their account."""
        if event.what in self._offers.accounts and random.random() < 0.15:
            closed = {"order": str(event.number), "kinds": "registration"}
            self._wait(event.day + random.randint(20, 200), _Draft("close", who, event.what, details=closed))
        if self._kinds[who] in self._offers.notices and random.random() < 0.15:
            self._wait(event.day + random.randint(5, 150), _Draft("notice", who))

    def _wait(self, day: int, draft: _Draft) -> None:
        if day < self._days:
            heapq.heappush(self._later, (day, next(self._waits), draft))

    # --- People come and come back -----------------------------------------------------------------------------------

    def _arrivals(self, day: int, random: Random) -> Iterator[_Draft]:
        expected = self._people * (day + 1) // self._days - self._people * day // self._days
        for _ in range(expected if self._offers.entrances else 0):
            point = random.choice(self._offers.entrances)
            yield self._at(point, self._comes(point), random)

    def _comes(self, point: str) -> int:
        self._kinds.append(self._offers.points[point].people)
        return len(self._kinds) - 1

    def _at(self, point: str, who: int, random: Random) -> _Draft:
        """A submission of ``who`` at ``point``, or the partner's who supplies it."""
        if point in self._offers.accounts:
            self._members.append(who)
        details = {"partner": random.choice(self._offers.imports[point])} if point in self._offers.imports else {}
        act: Act = "import" if details else "submit"
        return _Draft(act, who, point, details=details, opens=self._offers.opens.get(point, ""))

    def _submission(self, who: int, random: Random) -> _Draft:
        mine = self._offers.of_kind.get(self._kinds[who]) or self._offers.entrances
        return self._at(random.choice(mine), who, random)

    def _returns(self, random: Random) -> Iterator[_Draft]:
        if self._offers.members_only and self._members and random.random() < 0.5:
            point = random.choice(self._offers.members_only)
            member = random.random() < 0.9 or not self._there
            who = random.choice(self._members) if member else self._anybody(random)
            yield _Draft("submit", who, point, opens=self._offers.opens.get(point, ""))
        elif self._there:
            yield self._submission(self._anybody(random), random)

    def _anybody(self, random: Random) -> int:
        """Somebody who came before today, more likely lately than long ago."""
        recent = min(self._there, 4 * LIST)
        if random.random() < 0.5:
            return self._there - 1 - random.randrange(recent)
        return random.randrange(self._there)

    # --- What happens to them ----------------------------------------------------------------------------------------

    def _visits(self, random: Random) -> Iterator[_Draft]:
        rest = _some(random, self._often.visits * self._people / self._days) if self._offers.visits else 0
        for lot in range(rest // BATCH + 1, 0, -1):
            if share := rest // lot:
                rest -= share
                yield _Draft("visits", count=share)

    def _orders(self, random: Random) -> Iterator[_Draft]:
        if not self._there or not self._offers.dealings:
            return
        who = self._anybody(random)
        kinds = random.choice(self._offers.dealings)
        details = {"kinds": kinds}
        if "order" in kinds and random.random() < 0.8:
            details["warranty"] = str(random.choice((14, 30, 60, 90, 365)))
        self._buyers.append(who)
        yield _Draft("order", who, details=details, opens=kinds)

    def _choices(self, random: Random) -> Iterator[_Draft]:
        if not self._there or not self._offers.scopes:
            return
        scope, states = random.choice(self._offers.scopes)
        chose = self._choosers.setdefault(scope, deque(maxlen=LIST))
        who = random.choice(chose) if chose and random.random() < 0.4 else self._anybody(random)
        chose.append(who)
        yield _Draft("choose", who, scope, details={"state": random.choice(states)})

    def _reads(self, random: Random) -> Iterator[_Draft]:
        """One person's data, likely somebody's who has something open."""
        if self._there:
            who = random.choice(self._buyers) if self._buyers and random.random() < 0.5 else self._anybody(random)
            yield self._read(random, who, 1)

    def _lists(self, random: Random) -> Iterator[_Draft]:
        if self._there:
            yield self._read(random, None, LIST)

    def _read(self, random: Random, who: int | None, number: int) -> _Draft:
        roles: tuple[str, ...]
        purpose, roles = NOBODYS, ("",)
        if self._offers.purposes and random.random() < 0.97:
            purpose, roles = random.choice(self._offers.purposes)
        role = random.choice(roles) if random.random() < 0.9 else "passer-by"
        return _Draft("read", who, purpose, number, {"role": role} if role else {})

    def _disclosures(self, random: Random) -> Iterator[_Draft]:
        if not self._there or not self._offers.recipients:
            return
        recipient, purposes, scope = random.choice(self._offers.recipients)
        likely = self._choosers.get(scope) or self._buyers
        who = random.choice(likely) if likely and random.random() < 0.7 else self._anybody(random)
        details = {"purpose": random.choice(purposes) if purposes and random.random() < 0.9 else NOBODYS}
        if random.random() < 0.1:
            details["more"] = "yes"
        yield _Draft("disclose", who, recipient if random.random() < 0.97 else NOBODYS, details=details)

    def _erasures(self, random: Random) -> Iterator[_Draft]:
        who = self._anybody(random) if self._there else -1
        if who >= 0 and who not in self._left:
            self._left.add(who)
            yield _Draft("erase", who)

    def _hostile(self, random: Random) -> Iterator[_Draft]:
        if self._offers.hostile and self._there:
            point, hows = random.choice(self._offers.hostile)
            yield _Draft("hostile", self._anybody(random), point, details={"how": random.choice(hows)})

    def _jumps(self, random: Random) -> Iterator[_Draft]:
        yield _Draft("jump", details={"hours": random.choice(("-0.001", "-0.5", "-2", "0.01", "1", "3"))})

    def _amendments(self, day: int) -> Iterator[_Draft]:
        """A third and two thirds through, the longest of what is kept is kept for less long, so that more of it ends."""
        thirds = {self._days // 3: 0, 2 * self._days // 3: 1} if self._days >= 30 else {}
        if day in thirds and thirds[day] < len(self._offers.durations):
            path, keep = self._offers.durations[thirds[day]]
            shorter = max(1, min(keep * 2 // 3, (self._days - day) // 3 * DAY) // DAY)
            yield _Draft("amend", details={path: f"{shorter} day{'s' if shorter != 1 else ''}"})


def _some(random: Random, expected: float) -> int:
    """A whole number around ``expected``, so that the average comes out."""
    return int(expected) + (random.random() < expected % 1)
