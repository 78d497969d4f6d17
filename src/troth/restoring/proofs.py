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
from troth.proof import Proof, Proving, Some
from troth.restoring.drill import drill
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
    """The last drill was in time, asked of everybody whom the policy promises to be gone, and could bring back none."""
    promised = backups_of(proving.compiled.policy)
    if promised is None or promised.purge_within is None:
        return proving.not_proven(
            "probe", proving.say("no time"), "the policy names no time", "nothing to compare with"
        )
    limit = proving.say("gone from every backup within {within}", within=promised.purge_within)
    drilled = select(entry.c.at, entry.c.body).where(entry.c.event == events.BACKUP_DRILLED)
    row = proving.conn.execute(drilled.order_by(entry.c.id.desc()).limit(1)).first()
    if row is None:
        return proving.not_proven("probe", limit, "no backup was tried", "troth backup drill tries one")
    return _judged(proving, promised, limit, row.at, json.loads(row.body))


def _judged(proving: Proving, promised: Backups, limit: str, at: datetime, found: Mapping[str, Any]) -> Proof:
    """What the drill of ``at`` shows of what is promised now."""
    assert promised.purge_within is not None
    calendar, age = proving.compiled.calendar, proving.now - at
    made = datetime.fromisoformat(found["backup"])
    evidence = proving.say(
        "a backup of {day} was tried {age} ago: {gone} were destroyed before", day=made.date(), age=age,
        gone=Some(found["erased"], "person"),
    )  # fmt: skip
    due = calendar.cutoff(at, promised.purge_within)
    verdict: Verdict = "kept"
    measured = proving.say("it could bring back nobody")
    if found["back"]:
        verdict, measured = "broken", proving.say("{some} could be brought back", some=Some(found["back"], "person"))
    elif promised.by == "rotation" and made <= due:
        verdict, measured = "broken", proving.say("there is a backup older than that")
    elif not found["whole"] or found["unopened"]:
        verdict, measured = "not proven", proving.say("the backup that was tried cannot be put back")
    elif datetime.fromisoformat(found["since"]) < due - SAME:
        verdict, measured = "not proven", proving.say("it asked of fewer people than that")
    elif promised.drill_every is not None and proving.now > calendar.end(at, promised.drill_every):
        verdict, measured = "not proven", proving.say("the last try was {age} ago", age=age)
    elif promised.by == "rotation":
        verdict = "not proven"
        measured = proving.say("whether older backups are destroyed cannot be seen from one")
    elif not found["erased"]:
        verdict, measured = "nothing to check yet", proving.say("nobody was destroyed so long ago")
    return Proof(verdict, "probe", limit, measured, evidence)
