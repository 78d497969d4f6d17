"""Proofs that belong to no single room: versions, purposes, absolutes, rights, measures, grounds."""

from __future__ import annotations

from sqlalchemy import and_, func, or_, select

from troth.clock import iso
from troth.evidence.replay import EVERYTHING
from troth.ledger.verify import verify_seals
from troth.people.proofs import sealed
from troth.people.tables import holding
from troth.policy.notice import notice
from troth.policy.promises import Promise
from troth.proof import Proof, Proving, counted, replayed, span
from troth.retention.tables import hold
from troth.store.tables import policy_version
from troth.store.versions import digest


def version(proving: Proving, promise: Promise) -> Proof:
    """Every holding names a version that was in force when it came in, and the archive is as it was published."""
    limit = f"version {proving.compiled.version}"
    archived = proving.conn.execute(select(policy_version)).all()
    altered = [row.version for row in archived if digest(row.policy, row.decisions) != row.digest]
    if altered:
        return Proof(
            "broken", "query", limit, f"version {altered[0]} was altered in the archive", f"{len(archived)} versions"
        )
    in_force = and_(policy_version.c.version == holding.c.policy_version, policy_version.c.effective_at <= holding.c.at)
    joined = holding.outerjoin(policy_version, in_force)
    query = select(func.count(), func.count(policy_version.c.version)).select_from(joined)
    total, right = proving.conn.execute(query).one()
    if not total:
        return Proof("kept", "query", limit, "in force", f"archived with digest {archived[0].digest[:12]}")
    return counted(total - right, total, "holdings", limit, "under a version that was not in force")


def contact(proving: Proving, promise: Promise) -> Proof:
    """The notice as it is shown now says who answers and how to reach them."""
    operator = proving.compiled.policy.operator
    words = " ".join(item.sentence for item in notice(proving.compiled, "en").items)
    missing = [part for part in (operator.name, operator.email) if not part or part not in words]
    limit = "name and address in the notice"
    if missing:
        return Proof("broken", "query", limit, f"{len(missing)} missing from the notice", "the notice, as shown now")
    return Proof("kept", "query", limit, "shown", "the notice, as shown now")


def use(proving: Proving, promise: Promise) -> Proof:
    """Every read for this purpose, allowed or refused, comes out of the policy again."""
    purpose = proving.compiled.policy.purposes[promise.path[1]]
    return replayed(proving.replay(promise.id), f"only {', '.join(purpose.uses) or 'nothing'}")


def closed(proving: Proving, promise: Promise) -> Proof:
    """No decision of any kind was let through that the policy of its day does not allow."""
    found = proving.replay(EVERYTHING)
    limit = f"{len(proving.compiled.policy.purposes)} purposes and no other"
    if not found.decisions:
        return Proof(
            "kept", "construction", limit, "0 decisions so far", "the vault asks before it opens: tests/promises"
        )
    return replayed(found, limit)


def absolute(proving: Proving, promise: Promise) -> Proof:
    """Nothing that the absolute forbids was let through: the decisions it speaks of come out again."""
    entry = proving.compiled.policy.absolutes[promise.path[1]]
    limit = f"never {entry.never}" if entry.never else f"only {entry.only} as listed"
    acts = {"sell": "disclose", "store": "collect"}
    act = entry.never or entry.only
    found = proving.replay(f"act:{acts.get(act, act)}")
    if found.wrong or found.decisions:
        return replayed(found, limit)
    return Proof("kept", "construction", limit, "0 decisions so far", f"rule {promise.id} forbids it: tests/promises")


def cookie(proving: Proving, promise: Promise) -> Proof:
    """Each cookie that was set had a decision; none is set without one."""
    entry = proving.compiled.policy.cookies[promise.path[1]]
    limit = "set where it is needed" if entry.essential else "only after consent"
    return replayed(proving.replay(promise.id), limit)


def message(proving: Proving, promise: Promise) -> Proof:
    """Each message of this class had a decision that comes out again."""
    return replayed(proving.replay(promise.id), "only to whom it may be sent")


def statistic(proving: Proving, promise: Promise) -> Proof:
    """Counting was decided each time; nobody read single records for it."""
    entry = proving.compiled.policy.statistics[promise.path[1]]
    return replayed(
        proving.replay(f"purposes.statistics:{promise.path[1]}"),
        f"groups of at least {entry.minimum_cell or 'no set size'}",
    )


def right(proving: Proving, promise: Promise) -> Proof:
    """The canary exercised the right on the real paths; what it cannot exercise is said to be unproven."""
    entry = proving.compiled.policy.rights[promise.path[1]]
    within = f"within {entry.answer_within.days} days" if entry.answer_within else "in time"
    step = _STEPS.get(entry.right)
    if step is None or step not in proving.canary.steps:
        return Proof("unproven", "canary", within, "nothing yet", "no request of this kind so far")
    if step in proving.canary.failed:
        return Proof("broken", "canary", within, proving.canary.failed[step], "a made-up person, on the real paths")
    return Proof("kept", "canary", within, "done at once", "a made-up person, on the real paths")


_STEPS = {
    "access": "access",
    "copy": "access",
    "portability": "access",
    "erasure": "erasure",
    "objection": "objection",
    "withdrawal": "withdrawal",
    "stop marketing": "objection",
}


def request_log(proving: Proving, promise: Promise) -> Proof:
    """No request has been logged before the rights desk takes any; then its rows are looked at."""
    entry = proving.compiled.policy.request_log
    keep = span(entry.keep) if entry and entry.keep else "no time"
    return Proof("unproven", "query", f"kept {keep}", "nothing yet", "no request so far")


def change(proving: Proving, promise: Promise) -> Proof:
    """Each version after the first was published its lead time before it took effect."""
    changes = proving.compiled.policy.changes
    lead = changes.lead_time if changes and changes.lead_time else None
    limit = f"told {span(lead)} before" if lead else "published before it takes effect"
    rows = proving.conn.execute(select(policy_version).order_by(policy_version.c.version)).all()[1:]
    late = [row for row in rows if row.effective_at - row.published_at < lead] if lead else []
    early = [row for row in rows if row.published_at > row.effective_at]
    if not rows:
        return Proof("kept", "query", limit, "no change so far", "the archive of versions")
    return counted(len({row.version for row in [*late, *early]}), len(rows), "changes", limit, "told too late")


def legal(proving: Proving, promise: Promise) -> Proof:
    """Each use of this ground had what it needs on record, and each hold a reason, an approver and an end."""
    key = promise.path[1]
    found = proving.replay(f"legal.{key}")
    limit = f"only with {', '.join(proving.compiled.policy.legal[key].needs)}"
    if found.wrong:
        return replayed(found, limit)
    mine = hold.c.ground == key
    bare = or_(hold.c.reason == "", hold.c.approver == "")
    total = proving.conn.scalar(select(func.count()).select_from(hold).where(mine)) or 0
    wrong = proving.conn.scalar(select(func.count()).select_from(hold).where(mine, bare)) or 0
    if not total and not found.decisions:
        return Proof("kept", "construction", limit, "never used so far", "the gate and the holds refuse without it")
    return counted(wrong, total + found.decisions, "cases", limit, "without what it needs")


def measure(proving: Proving, promise: Promise) -> Proof:
    """What can be looked at is looked at; for the rest a named member of staff answers until a day."""
    entry = proving.compiled.policy.security[promise.path[1]]
    if entry.check == "sealed":
        return sealed(proving, promise)
    if entry.check == "audit":
        return _audit(proving)
    if entry.check == "access":
        return closed(proving, promise)
    return _attested(proving, promise.path[1])


def _audit(proving: Proving) -> Proof:
    report = verify_seals(proving.site)
    limit = "every entry is sealed, and nothing was altered"
    if not report.intact:
        return Proof("broken", "query", limit, report.problem, f"{report.entries:,} entries")
    return Proof(
        "kept", "query", limit, f"{report.entries:,} entries, {report.unsealed:,} not sealed yet", "the ledger's tree"
    )


def _attested(proving: Proving, key: str) -> Proof:
    attestation = proving.site.wiring.attested.get(key)
    limit = "somebody answers for it"
    if attestation is None:
        return Proof(
            "unproven", "attestation", limit, "nobody answers for it", "site.yaml names who does, under `attested`"
        )
    until = attestation.until.isoformat()
    if attestation.until < proving.now.date():
        return Proof(
            "unproven", "attestation", limit, f"ran out on {until}", f"it was {attestation.by}; {iso(proving.now)}"
        )
    return Proof("attested", "attestation", limit, f"until {until}", f"answered for by {attestation.by}")
