"""Proofs about requests: each right was answered in time, and the log of requests is whole and goes with its clock."""

from __future__ import annotations

from sqlalchemy import and_, case, func, or_, select

from troth.bindings import proves
from troth.policy.promises import Promise
from troth.proof import Proof, Proving, Some
from troth.retention.logs import log_of
from troth.rights import papers
from troth.rights.rules import log_kept
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


@proves("request.log", covers=("keep",), enforced_by=(papers.sweep,), rests_on={"request_log": ""})
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
