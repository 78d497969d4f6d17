"""How much is past its clock: counted from the clocks themselves, so that a sweep which does nothing is seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, false, func, not_, or_, select

from troth.people.tables import holding, quarantined
from troth.policy.clocks import DEFAULT_ERASURE_PERIOD, Clock
from troth.policy.compile import Compiled
from troth.retention.clocks import coverage
from troth.retention.due import counted_from, of_clock, shapes
from troth.retention.heartbeat import SWEEP_EVERY
from troth.retention.keeping import kept
from troth.retention.tables import ending
from troth.retention.waiting import due

OVER = "hold:over"
"""the cause of what goes when the hold is over that kept it"""


@dataclass(frozen=True, slots=True)
class Overdue:
    """Holdings that a clock should have ended and that no hold keeps; ``since`` is the oldest one's deadline."""

    clock: str
    count: int
    since: datetime


def overdue(conn: Connection, compiled: Compiled, now: datetime) -> list[Overdue]:
    """For each clock what is still there after its deadline, in use or merely not swept."""
    found = []
    late = due(conn, compiled, lambda clock: late_cutoff(clock, now))
    for clock in compiled.clocks if late else ():
        if clock.id not in late:
            continue
        count, oldest = count_due(conn, compiled, clock, now, late_cutoff(clock, now))
        if count and oldest is not None:
            found.append(Overdue(clock.id, count, clock.end(oldest)))
    return found


def late_cutoff(clock: Clock, now: datetime) -> datetime:
    """The latest event of which nothing may be left ``now``.

    What an archive kept goes with the sweeps after its end, and so does what may be used until something happens.
    """
    if clock.at_once:
        return now - 2 * SWEEP_EVERY
    return clock.cutoff(now - 2 * SWEEP_EVERY if clock.archive else now)


def count_due(
    conn: Connection, compiled: Compiled, clock: Clock, now: datetime, until: datetime, is_kept: bool = False
) -> tuple[int, datetime | None]:
    """How many holdings ``clock`` ends whose event lies at or before ``until``, and the oldest event.

    Those that a hold or an archive keeps are left out, or, with ``is_kept``, are the ones counted.
    """
    ruled = coverage(clock, shapes(conn))
    touched = ruled.whole | ruled.part.keys()
    if not touched:
        return 0, None
    scope = of_clock(compiled, clock, until)
    protected = kept_now(conn, compiled, clock, now)
    query = scope.select(func.count(), func.min(scope.event), shape_ids=touched)
    count, oldest = conn.execute(query.where(protected if is_kept else not_(protected))).one()
    return int(count), oldest


def count_quarantined(conn: Connection, compiled: Compiled, clock: Clock, now: datetime) -> tuple[int, datetime | None]:
    """How many holdings in quarantine are past ``clock``, and the oldest event: what is out of use is not gone yet.

    What is on its way for another reason is left out until its own deadline, as far ahead as an erasure may take.
    """
    ruled = coverage(clock, shapes(conn))
    touched = ruled.whole | ruled.part.keys()
    if not touched:
        return 0, None
    source, event = counted_from(clock, quarantined)
    until = clock.cutoff(now) if clock.at_once else late_cutoff(clock, now)
    ruled_there = quarantined.c.shape_id.in_(sorted(touched))
    query = select(func.count(), func.min(event)).select_from(source).where(ruled_there, event <= until)
    count, oldest = conn.execute(query.where(not_(_on_its_way(compiled, clock, now)))).one()
    return int(count), oldest


def _on_its_way(compiled: Compiled, clock: Clock, now: datetime) -> ColumnElement[bool]:
    """The condition on what is in quarantine that it ends for another reason than ``clock``, in time."""
    erasure = compiled.policy.erasure
    latest = clock.calendar.end(
        now, erasure.destroy_within if erasure and erasure.destroy_within else DEFAULT_ERASURE_PERIOD
    )
    begun = select(ending.c.id).where(ending.c.id == quarantined.c.ending_id, ending.c.state == "quarantined")
    in_time = or_(
        ending.c.destroy_by.between(now, latest),
        and_(ending.c.cause == OVER, ending.c.began_at > now - 2 * SWEEP_EVERY),
    )
    return begun.where(ending.c.cause != f"clock:{clock.id}", in_time).exists()


def kept_now(conn: Connection, compiled: Compiled, clock: Clock, now: datetime) -> ColumnElement[bool]:
    """The condition on a holding that something keeps it from ``clock``: a hold, or an archive that still runs."""
    condition = kept(conn, compiled, now, but=clock.id).condition()
    for other in compiled.clocks:
        if other.archive and other.id != clock.id:
            whole = sorted(coverage(other, shapes(conn)).whole)
            condition = condition | and_(holding.c.shape_id.in_(whole), _alive(other, now))
    return condition


def _alive(archive: Clock, now: datetime) -> ColumnElement[bool]:
    """An archive that counts from collection has an end for each holding; any other makes its holds when data ends."""
    if archive.by_age:
        return holding.c.at > archive.cutoff(now)
    return false()
