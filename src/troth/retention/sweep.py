"""The sweep: what clocks end goes into quarantine, or, by its age alone, is destroyed where it lies; set by set.

What could go wrong: a sweep that is killed halfway; two that run at once; one that takes a day and locks everybody out; one
that ends what a hold keeps. So the work is cut into batches, each a transaction of its own that moves rows whole and records
why, and what is due is found by the clocks alone: the next sweep, early or late, goes on where this one stopped. Nothing is
remembered between sweeps, so that a changed policy changes what is due and touches no row.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Select, func, not_, select

from troth import ledger
from troth.clock import DAY
from troth.ids import new_id
from troth.ledger import events
from troth.people.ages import note_ages_held
from troth.people.tables import holding, person, quarantined
from troth.policy.clocks import Clock
from troth.policy.compile import Compiled
from troth.policy.happenings import RELATIONSHIP_ENDS
from troth.policy.periods import Period
from troth.retention.age import destroy_by_age
from troth.retention.clocks import Coverage, ahead, coverage, stay
from troth.retention.due import Scope, counted_from, of_clock, shapes
from troth.retention.entering import Entered, enter
from troth.retention.heartbeat import SWEEP, beat, last, last_turn, lately
from troth.retention.holds import end_holds
from troth.retention.keeping import Kept, keep_apart, kept
from troth.retention.overdue import OVER, count_due
from troth.retention.pace import Pace, pace_of
from troth.retention.quarantine import depart, in_ending, move
from troth.retention.relationship import refresh
from troth.retention.split import split
from troth.retention.tables import ending
from troth.retention.waiting import HOLDS_ENDED, MARKED, STAYING, waiting
from troth.store.site import Site

BATCH = 5000


@dataclass(frozen=True, slots=True)
class Planned:
    """What a sweep would do for one clock: holdings to quarantine, those past their deadline among them, and kept ones."""

    clock: str
    due: int
    overdue: int
    kept: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A dry run: what a sweep at ``at`` would do, and how many endings would be destroyed."""

    at: datetime
    clocks: tuple[Planned, ...]
    endings: int

    @property
    def due(self) -> int:
        """Holdings that would go, counted once for each clock."""
        return sum(planned.due for planned in self.clocks)


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did: holdings moved or destroyed, in all and by clock."""

    moved: int
    by_clock: dict[str, int] = field(default_factory=dict)


def plan(site: Site, now: datetime | None = None) -> Plan:
    """What a sweep would do at ``now`` (else at present), counted and then undone: nothing is changed."""
    at, made = now or site.now(), Plan(site.now(), (), 0)
    try:
        with site.writing() as conn:
            compiled = site.policy(conn)
            refresh(site, conn)
            clocks = tuple(_planned(conn, compiled, clock, at, site.wiring.margin) for clock in compiled.clocks)
            waits = (ending.c.state == "quarantined") & (ending.c.destroys_at <= at)
            made = Plan(at, clocks, conn.scalar(select(func.count()).select_from(ending).where(waits)) or 0)
            raise _OnlyPlannedError
    except _OnlyPlannedError:
        return made


class _OnlyPlannedError(Exception):
    """Takes a dry run back."""


def _planned(conn: Connection, compiled: Compiled, clock: Clock, at: datetime, margin: timedelta) -> Planned:
    until = due_until(compiled, clock, at, margin)
    return Planned(
        clock.id,
        count_due(conn, compiled, clock, at, until)[0],
        count_due(conn, compiled, clock, at, clock.cutoff(at))[0],
        count_due(conn, compiled, clock, at, until, is_kept=True)[0],
    )


def due_until(compiled: Compiled, clock: Clock, now: datetime, margin: timedelta = DAY) -> datetime:
    """What ``clock`` counts from this instant or before is to be quarantined ``now``, or destroyed where it lies."""
    if clock.at_once:
        return now
    return clock.cutoff(now + ahead(clock, _promised(compiled), margin))


def _promised(compiled: Compiled) -> Period | None:
    """The policy's own term for an erasure."""
    erasure = compiled.policy.erasure
    return erasure.destroy_within if erasure else None


def sweep(site: Site, now: datetime | None = None, batch: int = BATCH) -> Swept:
    """End everything whose clock has run out and that holds no longer keep, in transactions of at most ``batch`` holdings.

    Safe to repeat and to interrupt anywhere; ``destroy_due`` does the rest.
    """
    swept = sweep_quietly(site, now, batch)
    with site.writing() as conn:
        beat(conn, SWEEP, now or site.now())
    return swept


def sweep_quietly(site: Site, now: datetime | None = None, batch: int = BATCH) -> Swept:
    """As ``sweep``, without its heartbeat, which the worker notes together with those of its other tasks."""
    at = now or site.now()
    compiled, waits = _waiting(site, at)
    swept = _last(site, at) if waits else None
    if HOLDS_ENDED in waits:
        _end_holds(site, compiled, at, batch)
    runs = [_Run(site, compiled, clock, at, batch, swept) for clock in compiled.clocks if {clock.id, STAYING} & waits]
    moved = {run.clock.id: run.run() for run in runs}
    if waits:
        moved[OVER] = _let_go(site, compiled, at, batch)
    if any(moved.values()):
        counts = {key.replace(":", "_"): count for key, count in moved.items() if count}
        with site.writing() as conn:
            ledger.append(conn, at, events.CLOCK_SWEPT, {"moved": counts})
    return Swept(sum(moved.values()), moved)


def _waiting(site: Site, now: datetime) -> tuple[Compiled, frozenset[str]]:
    """The policy in force, and what waits for a sweep.

    The ends of business are worked out anew every hour, and before anybody goes by one: a dealing may have moved it. When a
    version is new in force, the ages that it asks for are noted first, of all whose date of birth is held.
    """
    with site.reading() as conn:
        compiled = site.policy(conn)
        waits = _found(conn, compiled, now, site.wiring.margin)
        going = {clock.id for clock in compiled.clocks if RELATIONSHIP_ENDS in clock.after} & waits
        if lately(conn, _refreshing(compiled), now) and not going:
            return compiled, waits
        is_new = _refreshing(compiled) not in last(conn)
    if is_new:
        note_ages_held(site, compiled)
    with site.writing() as conn:
        refresh(site, conn)
        beat(conn, _refreshing(compiled), now)
        return compiled, _found(conn, compiled, now, site.wiring.margin)


def _last(site: Site, now: datetime) -> datetime | None:
    with site.reading() as conn:
        return last_turn(conn, SWEEP, now)


def _refreshing(compiled: Compiled) -> str:
    """The task of bringing up to date what clocks count from, which a new version of the policy makes due at once."""
    return f"ends and ages, version {compiled.version}"


def _found(conn: Connection, compiled: Compiled, now: datetime, margin: timedelta) -> frozenset[str]:
    waits = waiting(conn, compiled, now, lambda clock: due_until(compiled, clock, now, margin))
    if MARKED in waits and not conn.execute(_over(kept(conn, compiled, now))).first():
        return waits - {MARKED}
    return waits


def _end_holds(site: Site, compiled: Compiled, now: datetime, batch: int) -> None:
    ended = batch
    while ended == batch:
        with site.writing() as conn:
            ended = end_holds(conn, compiled, now, batch)


@dataclass(frozen=True)
class _Run:
    """One clock's part of a sweep."""

    site: Site
    compiled: Compiled
    clock: Clock
    now: datetime
    batch: int
    swept: datetime | None

    def run(self) -> int:
        """Part, keep apart and move what is due; how many holdings were moved."""
        until = due_until(self.compiled, self.clock, self.now, self.site.wiring.margin)
        scope = of_clock(self.compiled, self.clock, until)
        with self.site.reading() as conn:
            ruled = coverage(self.clock, shapes(conn))
        self._part(scope, ruled)
        with self.site.reading() as conn:
            whole = coverage(self.clock, shapes(conn)).whole
            held = bool(kept(conn, self.compiled, self.now).named) or any(one.archive for one in self.compiled.clocks)
        if not whole:
            return 0
        if held and not self.clock.archive:
            self._keep_apart(scope, whole)
        by_age = self.clock.by_age
        ended = self._destroy(whole, until) if by_age else self._move(scope, sorted(whole))
        if held:
            self._depart_kept()
        return ended

    def _destroy(self, whole: frozenset[int], until: datetime) -> int:
        return destroy_by_age(self.site, self.compiled, self.clock, whole, until, self.now, self._pace(), self.swept)

    def _pace(self) -> Pace:
        return pace_of(self.site.engine, self.batch if self.batch != BATCH else None)

    def _part(self, scope: Scope, ruled: Coverage) -> None:
        for shape_id, fields in ruled.part.items():
            ids = scope.select(holding.c.id, shape_ids=[shape_id]).limit(self.batch)
            parted = self.batch
            while parted == self.batch:
                with self.site.writing() as conn:
                    parted = split(self.site, conn, ids, fields)

    def _keep_apart(self, scope: Scope, whole: frozenset[int]) -> None:
        shape_id = holding.c.shape_id + 0 if scope.by_people else holding.c.shape_id
        ruled = replace(scope, where=scope.where & shape_id.in_(sorted(whole)))
        more = True
        while more:
            with self.site.writing() as conn:
                more = keep_apart(self.site, conn, ruled, self.compiled, self.now, self.batch)

    def _move(self, scope: Scope, shape_ids: list[int]) -> int:
        pace = self._pace()
        total, full = 0, True
        while full:
            rows = pace.rows
            with pace.timed(), self.site.writing() as conn:
                moved = self._move_batch(conn, scope, shape_ids, rows)
            total, full = total + moved, moved == rows
        return total

    def _move_batch(self, conn: Connection, scope: Scope, shape_ids: list[int], rows: int) -> int:
        made = new_id(self.now)
        protected = kept(conn, self.compiled, self.now, but=self.clock.id).condition()
        ids = scope.select(holding.c.id, shape_ids=shape_ids).where(not_(protected)).order_by(scope.event)
        moved = move(conn, ids.limit(rows).with_for_update(of=holding, skip_locked=True), made)
        if moved:
            source, event = counted_from(self.clock, quarantined)
            first = select(func.min(event)).select_from(source).where(quarantined.c.ending_id == made)
            deadline = self.clock.end(conn.execute(first).scalar_one())
            depart(conn, made, in_ending(made), deadline)
            cause = f"clock:{self.clock.id}"
            enter(self.site, conn, [Entered(made, cause, deadline, moved, self.clock.everywhere, swept=self.swept)])
        return moved

    def _depart_kept(self) -> None:
        """People of whom nothing had to go because a hold keeps all: they, too, are out of every other use now."""
        made = new_id(self.now)
        marked = person.c.id.in_(select(holding.c.person_id).where(holding.c.only_for.is_not(None)))
        promised = _promised(self.compiled)
        with self.site.writing() as conn:
            deadline = self.now + stay(self.clock.keep.length, promised.length if promised else None)
            if depart(conn, made, marked & (person.c.state == "active"), deadline):
                enter(self.site, conn, [Entered(made, f"clock:{self.clock.id}", deadline, 0, False)])


def _let_go(site: Site, compiled: Compiled, now: datetime, batch: int) -> int:
    """What only a hold kept goes when the hold is over: its clock ran out long ago, so it goes with this very sweep."""
    total, moved = 0, batch
    while moved == batch:
        with site.writing() as conn:
            made = new_id(now)
            moved = move(conn, _over(kept(conn, compiled, now)).limit(batch), made)
            if moved:
                depart(conn, made, in_ending(made), now)
                enter(site, conn, [Entered(made, OVER, now, moved, _everywhere(compiled))])
        total += moved
    return total


def _over(held: Kept) -> Select[tuple[str]]:
    return select(holding.c.id).where(holding.c.only_for.is_not(None), not_(held.condition()))


def _everywhere(compiled: Compiled) -> bool:
    erasure = compiled.policy.erasure
    return any(clock.everywhere for clock in compiled.clocks) or bool(erasure and erasure.everywhere)
