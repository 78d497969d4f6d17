"""What is known when a decision about a person is due: read from the rooms that know, never handed in by whoever asks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Literal

from sqlalchemy import Connection, select

from troth.batches import batches
from troth.clock import from_micros
from troth.consent.actions import choices
from troth.consent.rules import Choice, facts_of
from troth.consent.stops import actions as stops
from troth.people.confirmed import UNCONFIRMED, unconfirmed
from troth.people.dealings import open_cases
from troth.people.tables import account, person
from troth.policy.compile import Compiled
from troth.policy.rules import BARRED, OWN_ACCESS, one_word
from troth.store.prepared import Prepared, among
from troth.store.site import Site

BATCH = 1000


@dataclass(frozen=True)
class By:
    """Who asks: a ``person`` about themselves (``ref``: their id), ``staff`` in a ``role``, a ``program``, or the ``system``.

    A program that shows what it reads to staff asks as they do.
    """

    who: Literal["person", "staff", "program", "system"]
    role: str = ""
    ref: str = ""

    def facts(self, person_id: str) -> frozenset[str]:
        """``by:...`` and ``role:...``; a person who asks about another is barred."""
        if self.who == "person" and self.ref != person_id:
            return frozenset({BARRED})
        role = {f"role:{one_word(self.role)}"} if self.who == "staff" and self.role else set()
        return frozenset({f"by:{self.who}"} | role)


@dataclass(frozen=True, slots=True)
class Known:
    """What decides whether a person may be seen, and what rules speak of them."""

    id: str
    kind: str
    state: str
    since: datetime
    only_for: str | None
    unconfirmed: bool
    """whether they have an account whose address nobody has confirmed"""


_KNOWN = Prepared(
    select(person.c.id, person.c.kind, person.c.state, person.c.since, person.c.only_for, UNCONFIRMED.label("waits"))
    .select_from(person.outerjoin(account, account.c.person_id == person.c.id))
    .where(among(person.c.id, "ids"))
)


def known(conn: Connection, person_ids: Collection[str]) -> dict[str, Known]:
    """What decides about those of these people that there are."""
    found: dict[str, Known] = {}
    for ids in batches(person_ids, BATCH):
        for id_, kind, state, since, only_for, waits in _KNOWN.rows(conn, {"ids": ids}):
            found[id_] = Known(id_, kind, state, from_micros(since), only_for, bool(waits))
    return found


def facts(
    site: Site,
    conn: Connection,
    person_ids: Collection[str],
    by: By,
    now: datetime,
    *,
    purpose: str = "",
    case: str | None = None,
    policy: Compiled | None = None,
    people: Mapping[str, Known] | None = None,
    scopes: Collection[str] | None = None,
) -> dict[str, frozenset[str]]:
    """The facts about each of these people: choices, open dealings, regime, who asks, and what is stopped for everybody.

    The fact ``barred``, which forbids everything, holds for whoever is unknown or quarantined, for a restricted person unless
    ``purpose`` is one of those they may still be read for, and when ``case`` is no open dealing of theirs. With a ``case``
    only the dealings of that reference count. ``scopes`` are those whose stops count: ``purpose`` alone when left out.
    """
    gathered = gather(site, conn, person_ids, now, policy=policy, people=people)
    stopped = stops.facts(conn, (purpose,) if scopes is None else scopes)
    return {one: gathered.facts(one, by, purpose, case) | stopped for one in person_ids}


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is known about some people, whatever they are asked about for."""

    people: Mapping[str, Known]
    chosen: Mapping[str, list[Choice]]
    cases: Mapping[str, frozenset[tuple[str, str]]]
    days: frozenset[datetime]

    def facts(self, person_id: str, by: By, purpose: str, case: str | None = None) -> frozenset[str]:
        """The facts about one of them, without what is stopped for everybody."""
        mine = _of_cases(self.cases.get(person_id, frozenset()), case)
        told = _of_person(self.people.get(person_id), purpose, self.days)
        return self.choices(person_id) | mine | told | by.facts(person_id)

    def choices(self, person_id: str) -> frozenset[str]:
        """The facts that the choices of one of them come to."""
        known = self.people.get(person_id)
        return facts_of(self.chosen.get(person_id, ()), unconfirmed=known is not None and known.unconfirmed)


def gather(
    site: Site,
    conn: Connection,
    person_ids: Collection[str],
    now: datetime,
    *,
    policy: Compiled | None = None,
    people: Mapping[str, Known] | None = None,
) -> Gathered:
    """Read what decisions about these people take, a few statements for every thousand of them."""
    there = known(conn, person_ids) if people is None else people
    chosen, cases = choices(conn, person_ids), open_cases(conn, person_ids)
    compiled = policy or site.policy(conn)
    return Gathered(there, chosen, cases, compiled.once("regimes", lambda: _regimes(compiled)))


def chosen_facts(conn: Connection, person_id: str) -> frozenset[str]:
    """The facts that somebody's choices come to, as a decision gets them."""
    unsure = bool(unconfirmed(conn, [person_id]))
    return facts_of(choices(conn, [person_id]).get(person_id, ()), unconfirmed=unsure)


def _of_cases(cases: frozenset[tuple[str, str]], ref: str | None) -> frozenset[str]:
    registered = {"registered"} if any(kind == "registration" for kind, _ in cases) else set()
    named = {kind for kind, its in cases if ref in (None, its)}
    foreign = set() if ref is None or named else {BARRED}
    return frozenset({f"case:{one_word(kind)}" for kind in named} | registered | foreign)


def _of_person(row: Known | None, purpose: str, days: frozenset[datetime]) -> frozenset[str]:
    if row is None or not visible(row, purpose):
        return frozenset({BARRED})
    return frozenset(f"before:{day.date()}" for day in days if row.since < day)


def visible(row: Known, purpose: str) -> bool:
    """Whether a person may be seen for ``purpose``: never when quarantined; when restricted or held, only as recorded.

    People see what is held about them as long as it is neither quarantined nor gone.
    """
    if row.state == "quarantined":
        return False
    if row.only_for is not None and purpose != OWN_ACCESS:
        return purpose in row.only_for.split()
    return row.state == "active" or purpose == OWN_ACCESS


def _regimes(policy: Compiled) -> frozenset[datetime]:
    """The first instants of the days that a purpose names: people from before them fall under it."""
    days = (purpose.before for purpose in policy.policy.purposes.values())
    return frozenset(datetime.combine(day, time(), UTC) for day in days if day is not None)
