"""Proofs about time: when business ended, what is past its clock, and whether everything that ends goes the whole way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, and_, column, func, select, table, true

from troth.bindings import REPLAYED, Rests, proves
from troth.clock import to_micros
from troth.consent.unsubscribed import mailing
from troth.ledger.restored import lost_between
from troth.people.ages import unnoted
from troth.people.happenings import differences, report
from troth.people.proofs import groups
from troth.people.tables import quarantined
from troth.policy.clocks import DEFAULT_ERASURE_PERIOD, Clock
from troth.policy.compile import Compiled
from troth.policy.happenings import AGES
from troth.policy.model import RetentionClock
from troth.policy.periods import Period
from troth.policy.promises import Promise
from troth.proof import Ended, Named, Owed, Proof, Proving, Some, Words
from troth.recipients.instructions import for_a_no, no_answer
from troth.recipients.tables import instruction
from troth.retention.clocks import coverage
from troth.retention.due import shapes
from troth.retention.ending import begin_ending
from troth.retention.heartbeat import SWEEP_EVERY
from troth.retention.holds import make_hold
from troth.retention.keeping import keep_apart
from troth.retention.logs import TABLES, log_of
from troth.retention.on_ledger import past_on_ledger
from troth.retention.overdue import count_due, count_quarantined, late_cutoff
from troth.retention.relationship import beginnings, counts_log_ins, differing, ends_at, refresh
from troth.retention.sweep import sweep, sweep_quietly
from troth.retention.tables import ending, hold
from troth.store.schema import Instant
from troth.store.tables import policy_version
from troth.verdicts import Verdict


@proves(
    "relationship.end",
    covers=("ends", "silence", "silence counts"),
    enforced_by=(refresh,),
    rests_on={"person": "", "dealing": "", "choice": ""},
    keys={
        "relationship.begins": beginnings,
        "relationship.ends": ends_at,
        "relationship.silence": ends_at,
        "relationship.silence counts": counts_log_ins,
    },
)
def relationship(proving: Proving, promise: Promise) -> Proof:
    """The recorded end of everyone's business is what their dealings say, worked out anew for all of them."""
    key = promise.path[1]
    limit = proving.say("ends as the orders and other business of each person say")
    policy = proving.compiled.policy
    wrong, total = differing(proving.conn, key, policy.relationship[key], mailing(policy))
    return proving.counted(
        wrong, Some(total, "person"), limit, "{wrong} with another end on record than their business with us says"
    )


_ENDING: Rests = dict.fromkeys(("person", "holding", "shape", "quarantined", "ending", "departure", "hold"), "")
"""whom and what ends, what is on its way out, and what a hold keeps"""
_DATA: Rests = {**REPLAYED, **_ENDING, "dealing": "", "happening": ""}
_LOGS: Mapping[str, Rests] = {log: dict.fromkeys(("ledger_entry", *tables), "") for log, tables in TABLES.items()}


def _of_clock(entry: RetentionClock) -> Rests:
    """What a clock rests on: each log that it names, and of data all that ends, and from when it counts."""
    logs = [_LOGS[what] for what in entry.what if what in _LOGS]
    data = [_DATA] if len(logs) < len(entry.what) else []
    return {table: column for one in (*logs, *data) for table, column in one.items()}


@proves(
    "retention.clock",
    covers=("what", "people", "points", "keep", "after", "whichever", "counted from", "until"),
    enforced_by=(sweep_quietly,),
    rests_on=_of_clock,
    keys={"retention.for": keep_apart},
)
def clock(proving: Proving, promise: Promise) -> Proof:
    """Nothing that this clock rules and no hold keeps is there after its deadline, and nothing went late.

    A clock may rule data and logs: each part is looked at, and the worst of them counts.
    """
    entry = proving.compiled.policy.retention[promise.path[1]]
    mine = next((one for one in proving.compiled.clocks if one.id == promise.path[1]), None)
    if mine is None:
        return proving.nothing_yet("query", proving.say("no time"), "there is nothing to look at so far")
    parts = [log_of(proving, what, entry.keep) for what in entry.what if what in _LOGS]
    if len(parts) < len(entry.what):
        parts.append(_of_data(proving, mine))
    return _worst(proving, parts)


_WORST_FIRST: tuple[Verdict, ...] = ("broken", "not proven", "attested", "kept", "nothing to check yet")
"""a part of which there is nothing so far takes nothing from what is shown of another"""


def _worst(proving: Proving, parts: Sequence[Proof]) -> Proof:
    """Of several proofs of one promise those with the worst verdict, as one."""
    worst = min((part.verdict for part in parts), key=_WORST_FIRST.index)
    first, *others = [part for part in parts if part.verdict == worst]
    for other in others:
        measured = proving.say("{one}; {two}", one=first.measured, two=other.measured)
        evidence = proving.say("{one}; {two}", one=first.evidence, two=other.evidence)
        first = replace(first, measured=measured, evidence=evidence)
    return first


def _of_data(proving: Proving, mine: Clock) -> Proof:
    """What a clock says of the data that it rules."""
    limit = proving.say(_said_limit(mine), keep=mine.keep)
    late, oldest = _past(proving, mine)
    ruled = coverage(mine, shapes(proving.conn))
    touched = ruled.whole | ruled.part.keys()
    total = sum(group.number for group in proving.once(groups) if group.shape_id in touched)
    evidence = proving.say("{all} with this period", all=Some(total, "record"))
    if late and oldest is not None:
        past = proving.now - mine.end(oldest)
        measured = proving.say("{some} past the deadline, the oldest by {past}", some=Some(late, "record"), past=past)
        return Proof("broken", "query", limit, measured, evidence)
    cause = f"clock:{mine.id}"
    waits = and_(ending.c.cause == cause, ending.c.destroys_at <= proving.now - 2 * SWEEP_EVERY)
    if overdue := _overdue(proving, waits, cause):
        return Proof("broken", "query", limit, overdue, evidence)
    ended = proving.heard.ended.get(cause, Ended())
    if ended.late:
        return Proof("broken", "query", limit, _said_late(proving, ended), _ended(proving, ended))
    return _running(proving, mine, limit, evidence, total)


def _past(proving: Proving, mine: Clock) -> tuple[int, datetime | None]:
    """How much is past the deadline of a clock, in use or in quarantine, and the oldest event."""
    cutoff = late_cutoff(mine, proving.now)
    used, first = count_due(proving.conn, proving.compiled, mine, proving.now, cutoff)
    waiting, other = count_quarantined(proving.conn, proving.compiled, mine, proving.now)
    return used + waiting, min(filter(None, (first, other)), default=None)


def _running(proving: Proving, mine: Clock, limit: str, evidence: Words, total: int) -> Proof:
    """What to say of a clock that has ended nothing too late."""
    unknown = unnoted(proving.conn, proving.compiled) if set(mine.after) & set(AGES) else 0
    if unknown:
        said = proving.say("not begun for {some}: their date of birth is not known", some=Some(unknown, "person"))
        return Proof("not proven", "query", limit, said, evidence)
    ended = proving.heard.ended.get(f"clock:{mine.id}", Ended())
    running, first = count_due(proving.conn, proving.compiled, mine, proving.now, proving.now)
    if running and first is not None:
        oldest = proving.say("oldest {age}", age=proving.now - first)
        return _kept(proving, limit, oldest, evidence, ended.doubtful)
    if total:
        return proving.nothing_yet("query", limit, "the period has not begun for any record")
    if not ended.number:
        return proving.nothing_yet("query", limit, "there is nothing to look at so far")
    evidence = _ended(proving, ended) if ended.unknown else proving.say("all was taken away in time")
    return _kept(proving, limit, proving.say("nothing is kept"), evidence, ended.unknown)


def _kept(proving: Proving, limit: str, measured: Words, evidence: Words, unknown: int) -> Proof:
    """A clock that nothing breaks; it is kept unless nothing shows of ``unknown`` endings that they were in time."""
    if not unknown:
        return Proof("kept", "query", limit, measured, evidence)
    some = proving.say("{some} not shown to be in time", some=Some(unknown, "deletion"))
    return Proof("not proven", "query", limit, proving.both(measured, some), evidence)


def _said_late(proving: Proving, ended: Ended) -> Words:
    return proving.say(
        "{some} destroyed late, the worst by {past}", some=Some(ended.late, "deletion"), past=ended.worst
    )


def _ended(proving: Proving, ended: Ended) -> Words:
    return proving.say("{all} in the log of decisions", all=Some(ended.number, "deletion"))


def _said_limit(clock: Clock) -> str:
    if clock.at_once:
        return _SAID_LIMITS["until"]
    if len(clock.after) > 1 or clock.after[0] not in _SAID_LIMITS:
        return _SAID_LIMITS["other"]
    return _SAID_LIMITS[clock.after[0] if clock.year is None else "year"]


_SAID_LIMITS = {
    "collection": "{keep} after it came in",
    "relationship ends": "{keep} after business has ended",
    "request": "{keep} after the last request",
    "last contact": "{keep} after the last contact",
    "account closed": "{keep} after the account was closed",
    "until": "out of use when it happens, destroyed within {keep}",
    "year": "{keep} after the end of that year",
    "other": "{keep} after what the sentence names",
}


@proves(
    "event.noted",
    covers=("label",),
    enforced_by=(report,),
    rests_on={"ledger_entry": "", "restoration": "", "happening": "event"},
)
def noted(proving: Proving, promise: Promise) -> Proof:
    """Each event that is on record was reported, on that day, and none that was reported is missing."""
    limit = proving.say("each as it was reported")
    wrong, total = differences(proving.conn, promise.path[1])
    return proving.counted(wrong, Some(total, "record"), limit, "{wrong} not as reported")


@proves(
    "erasure.path",
    covers=("everywhere", "may keep", "destroy within"),
    enforced_by=(begin_ending,),
    rests_on={
        **REPLAYED,
        **_ENDING,
        "request": "",
        "instruction": "",
        "choice": "",
        "stop": "",
        "identifier": "",
        "person_key": "",
        "account": "",
        "job": "",
    },
    keys={"erasure.may keep": make_hold, "erasure.everywhere": sweep},
)
def erasure(proving: Proving, promise: Promise) -> Proof:
    """Everything that ended was destroyed by its deadline, nothing is left in quarantine, recipients were told and answered.

    Who was told to delete since somebody said no, or it was stopped, answers at the promise about that recipient.

    Whom a destruction leaves to be told is what left to them by the ledger, since disclosures go with their person. What was
    asked for is held against the version of its day: a later deadline on record, or nobody to be told, is not believed.
    """
    entry, rights = proving.compiled.policy.erasure, proving.compiled.policy.rights
    within = entry.destroy_within if entry else None
    limit = proving.say("gone within {within}", within=within) if within else proving.say("gone by its deadline")
    total = Some(_count(proving, ending, true()), "deletion")
    failures = list(_failures(proving))
    if any(proving.canary.failed.get(f"rights.{key}") for key, one in rights.items() if one.right == "erasure"):
        failures.append(proving.say("a made-up person was not erased"))
    looked = proving.say("{all} looked at", all=total)
    if failures:
        return Proof("broken", "query", limit, reduce(proving.both, failures), looked)
    waiting = Some(_count(proving, ending, ending.c.state.in_(("quarantined", "destroying"))), "deletion")
    if total.number:
        return Proof("kept", "query", limit, proving.say("none late, {some} on the way", some=waiting), looked)
    return proving.nothing_yet("query", limit, "nothing has ended so far")


def _failures(proving: Proving) -> Iterator[Words]:
    """What stalled on its way out, or was reached there, in a sentence each."""
    if overdue := _overdue(proving, true()):
        yield overdue
    ended = sum(proving.heard.ended.values(), Ended())
    if ended.late:
        yield _said_late(proving, ended)
    put_off = Some(sum(_put_off(proving, row) for row in proving.once(_requested)), "deletion")
    if put_off.number:
        yield proving.say("{some} with a later deadline than was promised", some=put_off)
    left = Some(_left(proving), "record")
    if left.number:
        yield proving.say("{some} still set apart after the deletion is over", some=left)
    if proving.heard.reached:
        reached = Some(proving.heard.reached, "decision")
        yield proving.say("{some} about people who were out of every reach", some=reached)
    elsewhere = and_(for_a_no(), instruction.c.recipient.in_(sorted(proving.compiled.policy.recipients)))
    silent = and_(no_answer(proving.now), ~elsewhere)
    names = tuple(sorted(proving.conn.scalars(select(instruction.c.recipient).where(silent).distinct())))
    if names:
        yield proving.say("no answer from {recipients} to a deletion", recipients=Named("recipients", names))
    untold = list(_untold(proving))
    if untold:
        names = tuple(sorted({one.recipient for one in untold}))
        people = Some(len({one.person_id for one in untold}), "person")
        yield proving.say(
            "{recipients} not told to delete data of {some}", recipients=Named("recipients", names), some=people
        )
    groundless = Some(_groundless(proving), "record")
    if groundless.number:
        yield proving.say("{some} kept on a ground that the policy does not name", some=groundless)


def _overdue(proving: Proving, which: ColumnElement[bool], cause: str | None = None) -> Words | None:
    """What to say of endings that are still not destroyed after their deadline; None when there are none.

    Those that ``which`` picks by their rows, and those of ``cause`` that are past the deadline which the ledger has.
    """
    over = and_(ending.c.state.in_(("quarantined", "destroying")), ending.c.destroy_by <= proving.now, which)
    first, late = proving.conn.execute(select(func.min(ending.c.destroy_by), func.count()).where(over)).one()
    more = past_on_ledger(proving, over, cause)
    if first is None and not more:
        return None
    return proving.say(
        "{some} not destroyed by the deadline, the oldest {past} late",
        some=Some(late + len(more), "deletion"), past=proving.now - min(filter(None, (first, *more))),
    )  # fmt: skip


def _left(proving: Proving) -> int:
    """Quarantined holdings of no ending, or of one that is over."""
    alive = select(ending.c.id).where(ending.c.state == "quarantined")
    return _count(proving, quarantined, quarantined.c.ending_id.not_in(alive))


def _untold(proving: Proving) -> Iterator[Owed]:
    """Recipients of people whom an ending destroyed everywhere that no instruction told since they were given data."""
    if not proving.heard.owed:
        return
    everywhere = set(proving.conn.scalars(select(ending.c.id).where(ending.c.everywhere == 1)))
    everywhere |= {row.id for row in proving.once(_requested) if _goes_everywhere(proving, row)}
    each = (instruction.c.person_id, instruction.c.recipient)
    rows = proving.conn.execute(select(*each, func.max(instruction.c.at).label("at")).group_by(*each))
    told = {(row.person_id, row.recipient): row.at for row in rows}
    for one in proving.heard.owed:
        at = told.get((one.person_id, one.recipient))
        if one.ending_id in everywhere and (at is None or at < one.since):
            yield one


_REQUEST = table("request", column("id"), column("at", Instant()), column("policy_version"))
"""named by text, since requests are declared in a room above this one"""
_CAUSE = "request:"
_Asked = Row[Any, Any, Any, Any, Any, Any]
"""an ending's id, scope, beginning and deadline, and the instant and the version of the request that it came from"""


def _requested(proving: Proving) -> Sequence[_Asked]:
    """The endings that somebody asked for, each with the day of their request; to be asked through ``proving.once``."""
    asked = func.substr(ending.c.cause, len(_CAUSE) + 1) == _REQUEST.c.id
    theirs = and_(ending.c.cause.like(f"{_CAUSE}%"), ending.c.state != "restored")
    columns = (ending.c.id, ending.c.scope, ending.c.began_at, ending.c.destroy_by)
    query = select(*columns, _REQUEST.c.at, _REQUEST.c.policy_version).join_from(ending, _REQUEST, asked).where(theirs)
    return proving.conn.execute(query).all()


def _put_off(proving: Proving, row: _Asked) -> bool:
    """Whether its deadline on record is later than the version of the request's day, and the one it is decided by, promised.

    What a restoration brought back after its deadline is begun again with another one.
    """
    each = (proving.in_force(row.at), proving.version(row.policy_version))
    by = max((one.calendar.end(row.at, _destroys_within(one)) for one in each if one is not None), default=None)
    if by is None or row.destroy_by <= by:
        return False
    return not any(since < to_micros(by) <= until for since, until in lost_between(proving.conn))


def _destroys_within(compiled: Compiled) -> Period:
    entry = compiled.policy.erasure
    return entry.destroy_within if entry and entry.destroy_within else DEFAULT_ERASURE_PERIOD


def _goes_everywhere(proving: Proving, row: _Asked) -> bool:
    """Whether its recipients are to be told, by the version of the request's day and by that of the day on which it began."""
    by = [proving.in_force(row.at), proving.in_force(row.began_at)]
    told = [one.policy.erasure.everywhere if one is not None and one.policy.erasure else False for one in by]
    return row.scope == "person" and all(told)


def _groundless(proving: Proving) -> int:
    """Holds in force on a ground that the policy in force on the day on which they were made did not name."""
    then = policy_version.c.effective_at <= hold.c.made_at
    latest = policy_version.c.effective_at.desc(), policy_version.c.version.desc()
    version = select(policy_version.c.version).where(then).order_by(*latest).limit(1).scalar_subquery()
    running = and_(hold.c.released_at.is_(None), hold.c.ends_at > proving.now)
    made = select(version.label("version"), hold.c.ground).where(running).subquery()
    query = select(made.c.version, made.c.ground, func.count()).group_by(made.c.version, made.c.ground)
    return sum(number for of, ground, number in proving.conn.execute(query) if ground not in _grounds(proving, of))


def _grounds(proving: Proving, version: int | None) -> set[str]:
    """What a hold could rest on by a version; by the one in force now where that one is not archived."""
    policy = ((proving.version(version) if version else None) or proving.compiled).policy
    return {*policy.legal, *(policy.erasure.may_keep if policy.erasure else ()), *policy.retention}


def _count(proving: Proving, table: Table, which: ColumnElement[bool]) -> int:
    return proving.conn.scalar(select(func.count()).select_from(table).where(which)) or 0
