"""What is looked at after every virtual day: the store against the model, both ways, and the ledger against the acts.

Counting is set-based and covers everything; opening is for a few people a day, each in turn. What must be gone is searched by
name on the day it must be, in every table that could hold it. Each finding is said once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection, func, literal, select, union_all

from troth.batches import batches
from troth.errors import TrothError
from troth.ledger import events
from troth.ledger.tables import entry
from troth.people import vault
from troth.people.tables import holding, person, person_key, quarantined, shape
from troth.recipients.tables import disclosure
from troth.rehearsal.made_up import answers
from troth.rehearsal.model import Gone, Model, Part, Somebody, Wrong
from troth.rehearsal.result import DayCount, Violation
from troth.rehearsal.tasks import key_of
from troth.retention.tables import alarm, ending
from troth.store.engines import reading
from troth.store.schema import data_tables
from troth.store.site import Site
from troth.visits.partitions import days_present, table_of
from troth.visits.tables import day_key
from troth.work import Turn

COMPARED = frozenset(
    {
        events.PERSON_ADMITTED,
        events.HOLDING_COLLECTED,
        events.CONSENT_GIVEN,
        events.CONSENT_WITHDRAWN,
        events.OBJECTION_MADE,
        events.OBJECTION_LIFTED,
        events.DEALING_OPENED,
        events.DEALING_CLOSED,
        events.PERSON_READ,
        events.READ_REFUSED,
        events.DISCLOSURE_QUEUED,
        events.DISCLOSURE_REFUSED,
        events.ENDING_QUARANTINED,
    }
)
"""events that acts leave on the ledger, each as often as it was done"""
ONE_IN = 1_000
"""people of whom one more is opened every day"""
OPENED_AT_THE_END = 25
_BATCH = 500


class Checks:
    """Looks at one site after each of its days."""

    def __init__(self, site: Site, model: Model) -> None:
        self.site, self.model = site, model
        self._last_entry = self._newest_entry()
        self._shapes: dict[int, tuple[str, tuple[str, ...]]] = {}
        self._opened = 0
        self._said: set[tuple[str, str, str]] = set()

    def said(self, day: int, at: datetime, wrong: Iterable[Wrong]) -> list[Violation]:
        """``wrong`` as violations of ``day``, those left out that were said before."""
        new = []
        for one in wrong:
            if (one.kind, one.about, one.says) not in self._said:
                self._said.add((one.kind, one.about, one.says))
                new.append(Violation(one.kind, day, at, one.about, one.says))
        return new

    # --- The ledger, before the worker's turn ------------------------------------------------------------------------

    def ledger(self) -> Iterator[Wrong]:
        """Whether today's acts left the entries that they must, no fewer and no more."""
        newest = self._newest_entry()
        query = select(entry.c.event, func.count()).where(entry.c.id > self._last_entry, entry.c.id <= newest)
        with self.site.reading() as conn:
            there = {str(event): int(number) for event, number in conn.execute(query.group_by(entry.c.event))}
        for event in sorted(COMPARED):
            acts, entries = self.model.entries[event], there.get(event, 0)
            if entries < acts or (entries > acts and event not in self.model.doubtful):
                yield Wrong("ledger", event, f"{acts} acts left {entries} entries `{event}`")
        self.model.entries.clear()
        self.model.doubtful.clear()

    def skip(self) -> None:
        """Look at nothing today but what the acts left: the worker was away."""
        self._last_entry = self._newest_entry()

    def _newest_entry(self) -> int:
        with self.site.reading() as conn:
            return conn.scalar(select(func.max(entry.c.id))) or 0

    # --- The stores, after it ----------------------------------------------------------------------------------------

    def turn(self, turned: Turn) -> Iterator[Wrong]:
        """Whether every task of the worker came to its end, without an alarm."""
        for task, words in turned.problems.items():
            yield Wrong("failed", task, f"the worker's task `{task}` failed: {words}")
        if turned.done.get("alarms"):
            with self.site.reading() as conn:
                for row in conn.execute(select(alarm.c.kind, alarm.c.subject)):
                    yield Wrong("alarm", row.kind, f"an alarm was raised: {row.kind}, {row.subject}")

    def stores(self, day: int, at: datetime) -> tuple[DayCount, list[Gone], list[Wrong]]:
        """Everything there must be and must not be at ``at``; counts, what has just gone, and what is wrong."""
        over = self.model.gone_by(at)
        left = self.model.forget(over, at)
        with self.site.reading() as conn:
            held, found = self._held(conn)
            wrong = [*found, *self._gone(conn, over), *self._people(conn, left), *self._delivered(conn, at)]
            visits, found = self._visits(conn, at)
            count = self._count(conn, day, at, held, visits)
        spare = sum(self.model.may.values())
        if count.quarantined and not spare:
            wrong.append(
                Wrong("outlived", "quarantine", "something is in quarantine that nothing has ended, or too long")
            )
        return count, over, [*wrong, *found, *self._keys(left, at)]

    def _held(self, conn: Connection) -> tuple[dict[str, int], list[Wrong]]:
        """Holdings by point; and for each field of each point, whether there are as many as must be, and no more than may."""
        fields: Counter[tuple[str, str]] = Counter()
        points: Counter[str] = Counter()
        for shape_id, number in conn.execute(select(holding.c.shape_id, func.count()).group_by(holding.c.shape_id)):
            point, names = self._shape(conn, shape_id)
            points[point] += number
            for name in names:
                fields[point, name] += number
        wrong = []
        for point, name in sorted({*fields, *self.model.must}):
            there, must = fields[point, name], self.model.must[point, name]
            may = must + self.model.may[point, name]
            if there < must:
                wrong.append(Wrong("lost", point, f"`{name}` was accepted and is not there as often as it must be"))
            if there > may:
                wrong.append(Wrong("outlived", point, f"`{name}` is there more often than it may be"))
        return dict(points), wrong

    def _shape(self, conn: Connection, shape_id: int) -> tuple[str, tuple[str, ...]]:
        if shape_id not in self._shapes:
            for row in conn.execute(select(shape.c.id, shape.c.point, shape.c.fields)):
                self._shapes[row.id] = row.point, tuple(row.fields.split())
        return self._shapes[shape_id]

    def _gone(self, conn: Connection, over: Sequence[Gone]) -> Iterator[Wrong]:
        """Whether nothing is left of what must be gone, in use or in quarantine; looked for by its submission."""
        wanted = {key_of(self.model.seed, one.part.number): one.part.number for one in over}
        found: set[tuple[int, str]] = set()
        for keys in batches(wanted, _BATCH):
            for table in (holding, quarantined):
                rows = select(table.c.submission, table.c.shape_id).where(table.c.submission.in_(keys))
                for key, shape_id in conn.execute(rows):
                    found |= {(wanted[key], name) for name in self._shape(conn, shape_id)[1]}
        for one in over if found else ():
            if any((one.part.number, name) in found for name in one.part.fields):
                clocks = ", ".join(one.part.clocks) or "an erasure"
                yield Wrong("outlived", one.part.point, f"something is still there after its time ({clocks})")

    def _people(self, conn: Connection, left: Sequence[Somebody]) -> Iterator[Wrong]:
        """Whether no table names anybody of whom nothing may be left."""
        for ids in batches([one.id for one in left], _BATCH):
            counts = [
                select(literal(table.name), func.count()).select_from(table).where(table.c.person_id.in_(ids))
                for table in data_tables.sorted_tables
                if "person_id" in table.c and "outlives" not in table.info
            ]
            counts.append(select(literal("person"), func.count()).select_from(person).where(person.c.id.in_(ids)))
            for name, number in conn.execute(union_all(*counts)):
                if number:
                    yield Wrong("outlived", name, f"`{name}` still names somebody of whom nothing may be left")

    def _keys(self, left: Sequence[Somebody], at: datetime) -> Iterator[Wrong]:
        """Whether the keys of whoever is gone, and of days that are over, are destroyed."""
        with reading(self.site.keys) as conn:
            for ids in batches([one.id for one in left], _BATCH):
                if conn.scalar(select(func.count()).where(person_key.c.person_id.in_(ids))):
                    yield Wrong("outlived", "person_key", "the key of somebody who is gone is still there")
            oldest = conn.scalar(select(func.min(day_key.c.day)))
        if oldest and oldest < f"{self.model.terms(at).visits_over(at):%Y%m%d}":
            yield Wrong("outlived", "day_key", "the key of a day that is over is still there")

    def _visits(self, conn: Connection, at: datetime) -> tuple[int, list[Wrong]]:
        names = (table_of(day).name for day in days_present(conn))
        counts = " + ".join(f"(SELECT count(*) FROM {name})" for name in names)  # noqa: S608  # named by their dates
        there = conn.exec_driver_sql(f"SELECT {counts}").scalar() if counts else 0
        number, must = int(there or 0), self.model.visits_at(at)
        if number < must:
            return number, [Wrong("lost", "visits", "visits are not there that are to be kept for longer")]
        return number, [Wrong("outlived", "visits", "visits are there after their time")] if number > must else []

    def _delivered(self, conn: Connection, at: datetime) -> Iterator[Wrong]:
        """Whether what has just left was still allowed to when it did."""
        columns = (disclosure.c.person_id, disclosure.c.recipient, disclosure.c.purpose, disclosure.c.fields)
        for row in conn.execute(select(*columns).where(disclosure.c.delivered_at == at)):
            if self.model.may_disclose(row.person_id, row.recipient, row.fields.split(), row.purpose, at) == "no":
                yield Wrong(
                    "let out", row.recipient, f"something was delivered to `{row.recipient}` that nothing permits"
                )

    def _count(self, conn: Connection, day: int, at: datetime, held: dict[str, int], visits: int) -> DayCount:
        waiting = conn.scalar(select(func.count()).select_from(quarantined)) or 0
        people = conn.scalar(select(func.count()).where(person.c.state == "active")) or 0
        destroyed = conn.scalar(select(func.sum(ending.c.counted)).where(ending.c.destroyed_at == at)) or 0
        return DayCount(day, at, held, waiting, visits, people, int(destroyed))

    # --- A few people, opened ----------------------------------------------------------------------------------------

    def opened(self, number: int = 0) -> Iterator[Wrong]:
        """Whether what some people gave is there as they gave it, seen through their own access; each day that of others."""
        number = number or 1 + len(self.model.ids) // ONE_IN
        for one in [one for one in islice(self._in_turn(), number) if one.active]:
            yield from self._as_given(one)
        self._last_entry = self._newest_entry()

    def _in_turn(self) -> Iterator[Somebody]:
        ids = self.model.ids
        for _ in range(len(ids)):
            self._opened = (self._opened + 1) % len(ids)
            yield self.model.people[ids[self._opened]]

    def _as_given(self, one: Somebody) -> Iterator[Wrong]:
        must = {
            (part.point, part.given, name): part for part in one.parts if part.state == "held" for name in part.fields
        }
        try:
            for there in vault.everything(self.site, one.id, vault.By("person", ref=one.id)):
                for name, value in there.fields.items():
                    part = must.pop((there.point, there.at, name), None)
                    if part is not None and value != self._value(part, name):
                        yield Wrong("lost", there.point, f"`{name}` is not as it was given")
        except TrothError as error:
            yield Wrong("lost", "access", f"somebody cannot see what is held about them: {error.message}")
            return
        for point, _, name in must:
            yield Wrong("lost", point, f"`{name}` is not among what somebody sees about themselves")

    def _value(self, part: Part, name: str) -> str:
        compiled = self.model.compiled
        point = compiled.policy.collection[part.point]
        return answers(compiled, self.model.seed, point, part.who, part.number)[name]
