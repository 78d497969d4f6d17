"""Proofs about telling people of changes: early enough, and everybody who was there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Row, func, literal, select

from troth.bindings import proves
from troth.clock import DAY
from troth.messages.changing import tell
from troth.messages.publish import publish
from troth.messages.tables import message as letter
from troth.people.tables import person
from troth.policy.compile import Compiled
from troth.policy.periods import Period
from troth.policy.promises import Promise
from troth.proof import Proof, Proving, Some
from troth.store.tables import policy_version


@proves(
    "change.notice",
    covers=("lead time", "told by"),
    enforced_by=(publish,),
    rests_on={"policy_version": "", "message": ""},
    keys={"changes.told by": tell, "changes.lead time": publish, "changes.disagree": tell},
)
def change(proving: Proving, promise: Promise) -> Proof:
    """Each version after the first: published early enough, and everybody who was there told by every way that is named."""
    changes = proving.compiled.policy.changes
    lead = changes.lead_time if changes else None
    limit = (
        proving.say("told {lead} before it takes effect", lead=lead)
        if lead
        else proving.say("told before it takes effect")
    )
    rows = proving.conn.execute(select(policy_version).order_by(policy_version.c.version)).all()
    late = sum(
        row.effective_at < _no_sooner(proving, before.version, row.published_at) for before, row in pairwise(rows)
    )
    if late or len(rows) < 2:
        return proving.counted(late, Some(len(rows[1:]), "change"), limit, "{wrong} told too late")
    made = Some(len(rows[1:]), "change")
    return _told(proving, rows, limit) or proving.counted(0, made, limit, "{wrong} told too late")


def _told(proving: Proving, rows: Sequence[Row[Any]], limit: str) -> Proof | None:
    """What is wrong with how people were told; None when nothing is."""
    changes = proving.compiled.policy.changes
    if changes and "e-mail" in changes.told_by:
        for before, row in pairwise(rows):
            untold = Some(_not_written_to(proving, row), "person")
            by = max(_told_by(proving, before.version, row.effective_at), row.published_at + DAY)
            which = proving.say("version {number}", number=row.version)
            if untold.number and proving.now > by:
                return Proof("broken", "query", limit, proving.say("{some} not written to in time", some=untold), which)
            if untold.number:
                waiting = proving.say("{some} still to be written to", some=untold)
                return Proof("not proven", "query", limit, waiting, which)
    unseen = [way for way in (changes.told_by if changes else ()) if way != "e-mail"]
    if unseen or (changes and changes.remind_every):
        return proving.not_proven("query", limit, "written to in time", "nothing records the other ways, or reminders")
    return None


def _not_written_to(proving: Proving, row: Row[Any]) -> int:
    """How many people of before a version was published, who are still here, have no notice of it that left.

    A notice that could not leave is settled: its person may not be written to, gave no address, or their server refused it.
    """
    theirs = literal(f"changed:{row.version}:") + person.c.id
    settled = select(letter.c.id).where(letter.c.key == theirs, letter.c.state != "queued").exists()
    here = (person.c.state == "active") & (person.c.since <= row.published_at)
    return proving.conn.scalar(select(func.count()).select_from(person).where(here, ~settled)) or 0


def _no_sooner(proving: Proving, before: int, published: datetime) -> datetime:
    """When a version published at an instant could take effect, as version ``before`` had promised."""
    compiled = proving.version(before)
    lead = _lead(compiled)
    return compiled.calendar.end(published, lead, floor=True) if compiled and lead else published


def _told_by(proving: Proving, before: int, effective: datetime) -> datetime:
    """By when people had to be told of a version that takes effect at an instant, as version ``before`` had promised."""
    compiled = proving.version(before)
    lead = _lead(compiled)
    return compiled.calendar.cutoff(effective, lead, floor=True) if compiled and lead else effective


def _lead(compiled: Compiled | None) -> Period | None:
    return compiled.policy.changes.lead_time if compiled and compiled.policy.changes else None
