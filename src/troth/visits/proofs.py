"""Proofs about visits: what is kept of them, and for how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select

from troth.bindings import REPLAYED, proves
from troth.clock import MovedClock
from troth.errors import Unverifiable
from troth.ledger import events
from troth.policy.periods import Period
from troth.policy.promises import Promise
from troth.proof import Named, Proof, Proving, Some
from troth.retention.heartbeat import SWEEP_EVERY
from troth.visits.actions import Visit, first_readable, record, sample
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
    days = days_present(proving.conn)
    try:
        looked = sample(proving.site, proving.conn, days, min(SAMPLE, MOST // max(len(days), 1)))
    except Unverifiable:
        return Proof(
            "broken", "query", limit, proving.say("a visit that does not open"), proving.say("{all} kept", all=total)
        )
    wrong = sum(not _as_declared(proving, one) for one in looked)
    if not wrong and fields is None:
        return Proof("kept", "query", limit, proving.say("none"), proving.say("{all} kept", all=total))
    return proving.counted(wrong, Some(len(looked), "visit"), limit, "{wrong} with something else")


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
    rests_on={"ledger_entry": "", "visit": "", "day_key": ""},
    keys={"visits.keep": cutoff},
)
def expiry(proving: Proving, promise: Promise) -> Proof:
    """The oldest visit that is physically there, sealed or not, is no older than promised; the sweep runs every hour.

    A read as at the instant on which that visit expires does not give it. Whether what is gone went in time nothing shows.
    """
    visits = proving.compiled.policy.visits
    keep = visits.keep if visits else None
    if keep is None:
        return proving.nothing_yet("query", proving.say("no time"), "the policy names no time")
    limit = proving.say("{keep}", keep=keep)
    first = oldest(proving.conn)
    expired = cutoff(proving.compiled, proving.now)
    total = Some(proving.once(_kept), "visit")
    looked = proving.say("{all} kept", all=total)
    evidence = proving.say("{all} kept, each hidden from its last minute on", all=total)
    if first is None:
        return _none(proving, limit)
    age = proving.now - first
    if first <= expired - 2 * SWEEP_EVERY:
        measured = proving.say("oldest visit {age}, {late} too old", age=age, late=expired - first)
        return Proof("broken", "query", limit, measured, looked)
    if _is_read(proving, first, keep):
        return Proof("broken", "query", limit, proving.say("a visit can be read after its time"), looked)
    if first <= expired:
        measured = proving.say("oldest visit {age}, hidden, and destroyed by the next sweep", age=age)
        return Proof("kept", "query", limit, measured, evidence)
    return Proof("kept", "query", limit, proving.say("oldest visit {age}", age=age), evidence)


def _none(proving: Proving, limit: str) -> Proof:
    """What to say when no visit is there."""
    if not proving.heard.events.get(events.VISIT_SWEPT):
        return proving.nothing_yet("query", limit, "there is nothing to look at so far")
    unknown = proving.say("nothing shows whether those that are gone went in time")
    return Proof("nothing to check yet", "query", limit, proving.say("no visit is kept"), unknown)


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
