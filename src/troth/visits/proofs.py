"""Proofs about visits: what is kept of them, and for how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select

from troth.bindings import REPLAYED, proves
from troth.clock import MovedClock
from troth.errors import Unverifiable
from troth.policy.periods import Period
from troth.policy.promises import Promise
from troth.proof import Ended, Named, Proof, Proving, Some
from troth.retention.heartbeat import SWEEP_EVERY
from troth.visits.actions import Visit, first_readable, record, sample
from troth.visits.daykeys import keys_before
from troth.visits.partitions import days_present, table_of
from troth.visits.rules import TIME, cutoff, fits, record_of, recorded
from troth.visits.sweep import oldest, sweep_quietly

SAMPLE = 50
"""visits of one day that are opened"""
MOST = 500
"""visits of all days"""


@proves(
    "visit.records",
    covers=("records", "recording"),
    enforced_by=(record,),
    rests_on={**REPLAYED, "visit": "", "day_key": ""},
    keys={"visits.truncate ip": record_of},
)
def records(proving: Proving, promise: Promise) -> Proof:
    """The newest visits of each day hold the declared fields, each in the form that is promised, and nothing else."""
    visits = proving.compiled.policy.visits
    fields = recorded(proving.compiled)
    limit = proving.say("visits are not recorded")
    if visits and fields is not None:
        limit = proving.say("only {fields}", fields=Named("fields", (TIME, *sorted(fields))))
    found = proving.replay(promise.id)
    if found.wrong:
        return proving.replayed(found, limit)
    total = Some(proving.once(_kept), "visit")
    try:
        looked = proving.once(looked_at)
    except Unverifiable:
        return Proof(
            "broken", "query", limit, proving.say("a visit that does not open"), proving.say("{all} kept", all=total)
        )
    wrong = sum(not _as_declared(proving, one) for one in looked)
    if not wrong and fields is None:
        return Proof("kept", "query", limit, proving.say("none"), proving.say("{all} kept", all=total))
    return proving.counted(wrong, Some(len(looked), "visit"), limit, "{wrong} with something else")


def looked_at(proving: Proving) -> list[Visit]:
    """The newest visits of each day, opened. Raises ``Unverifiable`` when one does not open."""
    days = days_present(proving.conn)
    return sample(proving.site, proving.conn, days, min(SAMPLE, MOST // max(len(days), 1)))


def _kept(proving: Proving) -> int:
    """How many visits there are."""
    days = days_present(proving.conn)
    counts = [select(func.count()).select_from(table_of(day)).scalar_subquery() for day in days]
    return int(proving.conn.execute(select(sum(counts[1:], counts[0]))).scalar_one()) if counts else 0


def _as_declared(proving: Proving, visit: Visit) -> bool:
    """Whether the version in force at the visit's instant declares all that is kept of it, and in this form."""
    compiled = proving.in_force(visit.at)
    fields = recorded(compiled) if compiled else None
    if compiled is None or fields is None or not visit.fields.keys() <= fields:
        return False
    return all(fits(compiled, field, value) for field, value in visit.fields.items())


@proves(
    "visit.expiry",
    covers=("keep",),
    enforced_by=(sweep_quietly,),
    rests_on={**REPLAYED, "visit": "", "day_key": ""},
    keys={"visits.keep": cutoff},
)
def expiry(proving: Proving, promise: Promise) -> Proof:
    """The oldest visit that is physically there, sealed or not, is no older than promised, and no sweep came late.

    No key outlived its day, and a read as at the instant on which that visit expires does not give it.
    """
    visits = proving.compiled.policy.visits
    keep = visits.keep if visits else None
    if keep is None:
        return proving.nothing_yet("query", proving.say("no time"), "the policy names no time")
    limit = proving.say("{keep}", keep=keep)
    first, expired = oldest(proving.conn), cutoff(proving.compiled, proving.now)
    looked = proving.say("{all} kept", all=Some(proving.once(_kept), "visit"))
    over = expired - 2 * SWEEP_EVERY
    if first is not None and first <= over:
        age, late = proving.now - first, expired - first
        measured = proving.say("oldest visit {age}, {late} too old", age=age, late=late)
        return Proof("broken", "query", limit, measured, looked)
    if keys_before(proving.site, over.date()):
        return Proof("broken", "query", limit, proving.say("the key of a day that is over is still there"), looked)
    if first is not None and _is_read(proving, first, keep):
        return Proof("broken", "query", limit, proving.say("a visit can be read after its time"), looked)
    return _none(proving, limit) if first is None else _running(proving, limit, first, first <= expired)


def _running(proving: Proving, limit: str, first: datetime, is_hidden: bool) -> Proof:
    """What to say when nothing that is there is too old."""
    swept = proving.heard.swept
    evidence = proving.say("{all} kept, each hidden from its last minute on", all=Some(proving.once(_kept), "visit"))
    measured = proving.say("oldest visit {age}", age=proving.now - first)
    if is_hidden:
        measured = proving.say("oldest visit {age}, hidden, and destroyed by the next sweep", age=proving.now - first)
    return _swept(proving, swept, swept.doubtful, Proof("kept", "query", limit, measured, evidence))


def _none(proving: Proving, limit: str) -> Proof:
    """What to say when no visit is there."""
    swept = proving.heard.swept
    if not swept.number:
        return proving.nothing_yet("query", limit, "there is nothing to look at so far")
    measured, evidence = proving.say("no visit is kept"), proving.say("all was taken away in time")
    return _swept(proving, swept, swept.unknown, Proof("kept", "query", limit, measured, evidence))


def _swept(proving: Proving, swept: Ended, unknown: int, kept: Proof) -> Proof:
    """``kept``, unless a sweep came late, or nothing shows of ``unknown`` of them that they came in time."""
    on_record = proving.say("{all} in the log of decisions", all=Some(swept.number, "sweep"))
    if swept.late:
        late = proving.say("{some} came late, the worst by {past}", some=Some(swept.late, "sweep"), past=swept.worst)
        return replace(kept, verdict="broken", measured=late, evidence=on_record)
    if unknown:
        some = proving.say("{some} not shown to be in time", some=Some(unknown, "sweep"))
        return replace(kept, verdict="not proven", measured=some, evidence=on_record)
    return kept


def _is_read(proving: Proving, oldest: datetime, keep: Period) -> bool:
    """Whether the oldest visit is read at the instant on which it expires, or now when that has passed."""
    compiled = proving.compiled
    then = max(compiled.calendar.end(oldest, keep), proving.now)
    if cutoff(compiled, then) < oldest:
        return False
    try:
        found = first_readable(replace(proving.site, clock=MovedClock(then)), compiled)
    except Unverifiable:
        return False
    return found is not None and found <= oldest
