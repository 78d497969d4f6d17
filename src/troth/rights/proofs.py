"""Proofs about requests: each right was answered in time, and the log of requests is whole and goes with its clock."""

from __future__ import annotations

from sqlalchemy import and_, case, func, or_, select

from troth.bindings import proves
from troth.consent.receipt import record27560
from troth.policy.promises import Promise
from troth.proof import Proof, Proving, Some
from troth.retention.logs import log_of
from troth.rights import by_mail, papers
from troth.rights.copy.voice import Voice
from troth.rights.intake import receive
from troth.rights.reviewing import needed
from troth.rights.rules import destroys_within, is_absolute, log_kept, scopes, terms
from troth.rights.tables import request
from troth.store import versions


def answered(proving: Proving, right: str, limit: str) -> Proof | None:
    """Whether every request for ``right`` was answered by its day, or still has time; None when there was none."""
    late = or_(
        and_(request.c.closed_at.is_(None), request.c.due_at <= proving.now), request.c.closed_at > request.c.due_at
    )
    counts = select(func.count(), func.coalesce(func.sum(case((late, 1), else_=0)), 0))
    total, wrong = proving.conn.execute(counts.where(request.c.right == right)).one()
    if not total:
        return None
    return proving.counted(int(wrong), Some(int(total), "request"), limit, "{wrong} not answered in time")


@proves(
    "request.log",
    covers=("keep",),
    enforced_by=(papers.sweep,),
    rests_on={"request_log": ""},
    keys={
        "request log.records": receive,
        "request log.keep": log_kept,
        "rights.right": terms,
        "rights.by": record27560,
        "rights.answer within": terms,
        "rights.verify": terms,
        "rights.limits": needed,
        "rights.against": scopes,
        "recipients.choice": is_absolute,
        "recipients.essential": scopes,
        "request log.link life": terms,
        "erasure.destroy within": destroys_within,
        "transfers.objection": by_mail.named,
        "retention.because": Voice.ground,
    },
)
def request_log(proving: Proving, promise: Promise) -> Proof:
    """No row of the log is older than promised, and none was altered or taken out since it was written."""
    entry = proving.compiled.policy.request_log
    found = log_of(proving, "request log", entry.keep if entry else None)
    changed = papers.altered(proving.conn, versions.whole_since(proving.conn, proving.now, log_kept))
    if changed and found.verdict != "broken":
        some = Some(len(changed), "entry")
        measured = proving.say("{some} altered or taken out", some=some)
        return Proof("broken", "query", found.limit, measured, proving.say("the ledger has the digest of every row"))
    return found
