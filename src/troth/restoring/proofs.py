"""Proofs about backups: somebody tried one, and nobody who was destroyed could be had from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from troth.bindings import proves
from troth.ledger import events
from troth.ledger.tables import entry
from troth.policy.kinds.backups import Backups, backups_of
from troth.policy.promises import Promise
from troth.proof import Proof, Proving, Some, Words
from troth.restoring.drill import drill, last_drill
from troth.retention.destroy import destroy
from troth.verdicts import Verdict

SAME = timedelta(seconds=1)


@proves(
    "backup.purge",
    covers=("purge within", "by", "drill every"),
    enforced_by=(destroy, drill),
    rests_on={"ledger_entry": ""},
    keys={"backups.purge within": drill},
)
def purged(proving: Proving, promise: Promise) -> Proof:
    """The last drill was in time, asked of everybody whom the policy promises to be gone, and could bring back none.

    That is never *kept*: a drill sees one backup, and an older one, or an older copy of the keys, may still open somebody.
    """
    promised = backups_of(proving.compiled.policy)
    if promised is None or promised.purge_within is None:
        return proving.not_proven(
            "probe", proving.say("no time"), "the policy names no time", "nothing to compare with"
        )
    limit = proving.say("gone from every backup within {within}", within=promised.purge_within)
    found = last_drill(proving.conn, proving.now)
    if found is None:
        return proving.not_proven(
            "probe", limit, "no backup was tried", "the operator tries one with troth backup drill"
        )
    return _judged(proving, promised, limit, *found)


def _judged(proving: Proving, promised: Backups, limit: str, at: datetime, found: Mapping[str, Any]) -> Proof:
    """What the drill of ``at`` shows of what is promised now."""
    tried = proving.say(
        "a backup of {day} was tried {age} ago: {gone} were destroyed before",
        day=datetime.fromisoformat(found["backup"]).date(), age=proving.now - at, gone=Some(found["erased"], "person"),
    )  # fmt: skip
    oldest = proving.say("the oldest one tried lately is of {day}", day=_oldest(proving, promised, at).date())
    verdict, measured = _measured(proving, promised, at, found)
    return Proof(verdict, "probe", limit, measured, proving.both(tried, oldest))


def _measured(proving: Proving, promised: Backups, at: datetime, found: Mapping[str, Any]) -> tuple[Verdict, Words]:
    """The first thing that is wrong counts."""
    assert promised.purge_within is not None
    due = proving.compiled.calendar.cutoff(at, promised.purge_within)
    failed = _failed(proving, promised, at, found, due)
    if failed is not None:
        return "broken", failed
    if datetime.fromisoformat(found["since"]) < due - SAME:
        return "not proven", proving.say("it asked of fewer people than that")
    if promised.by == "rotation":
        return "not proven", proving.say("whether older backups are destroyed cannot be seen from one")
    if not found["erased"]:
        return "nothing to check yet", proving.say("nobody was destroyed so long ago")
    nobody = proving.say("it could bring back nobody")
    return "not proven", proving.both(nobody, proving.say("whether older copies of the keys are gone cannot be seen"))


def _failed(proving: Proving, promised: Backups, at: datetime, found: Mapping[str, Any], due: datetime) -> Words | None:
    """What breaks the promise: the drill brought somebody back or could not put the copy back, or it is overdue."""
    every = promised.drill_every
    if found["back"]:
        return proving.say("{some} could be brought back", some=Some(found["back"], "person"))
    if not found["whole"] or found["unopened"]:
        return proving.say("the backup that was tried cannot be put back")
    if promised.by == "rotation" and datetime.fromisoformat(found["backup"]) <= due:
        return proving.say("there is a backup older than that")
    if every is not None and proving.now > proving.compiled.calendar.end(at, every):
        return proving.say("the last try was {age} ago", age=proving.now - at)
    return None


def _oldest(proving: Proving, promised: Backups, last: datetime) -> datetime:
    """When the oldest backup was made of those tried within the period between two drills, up to the ``last``."""
    every, drills = promised.drill_every, select(entry.c.body).where(entry.c.event == events.BACKUP_DRILLED)
    since = last if every is None else proving.compiled.calendar.cutoff(last, every)
    bodies = proving.conn.scalars(drills.where(entry.c.at.between(since, last)))
    return min(datetime.fromisoformat(json.loads(body)["backup"]) for body in bodies)
