"""Proofs about recipients: what left, to whom, and that nobody else got anything."""

from __future__ import annotations

from sqlalchemy import func, select

from troth.policy.promises import Promise
from troth.proof import Proof, Proving, counted, replayed
from troth.recipients.rules import facts_of
from troth.recipients.tables import disclosure


def share(proving: Proving, promise: Promise) -> Proof:
    """Each disclosure to this recipient held only promised fields, for a promised purpose, and comes out again."""
    key = promise.path[1]
    recipient = proving.compiled.policy.recipients[key]
    limit = f"only {', '.join(recipient.receives)}" if recipient.receives else "nothing"
    found = proving.replay(f"recipients.{key}")
    if found.wrong:
        return replayed(found, limit)
    query = select(disclosure.c.fields, disclosure.c.purpose, func.count()).where(disclosure.c.recipient == key)
    rows = proving.conn.execute(query.group_by(disclosure.c.fields, disclosure.c.purpose)).all()
    legal = {f"legal:{ground}" for ground in proving.compiled.policy.legal}
    allowed, purposes = set(recipient.receives), set(recipient.for_) | legal
    wrong = sum(n for fields, purpose, n in rows if purpose not in purposes or not _within(fields, purpose, allowed))
    return counted(wrong, sum(n for *_, n in rows), "disclosures", limit, "held more than that")


def _within(fields: str, purpose: str, allowed: set[str]) -> bool:
    return purpose.startswith("legal:") or set(fields.split()) <= allowed


def closed(proving: Proving, promise: Promise) -> Proof:
    """Nothing was disclosed to anybody whom the policy does not name, and every disclosure has its decision."""
    named = set(proving.compiled.policy.recipients)
    query = select(disclosure.c.recipient, func.count()).group_by(disclosure.c.recipient)
    rows = {row[0]: row[1] for row in proving.conn.execute(query)}
    wrong = sum(count for recipient, count in rows.items() if recipient not in named)
    limit = f"{len(named)} named recipients and nobody else"
    made, decided = sum(rows.values()), proving.replay("act:disclose")
    if not wrong and made > decided.decisions:
        return Proof(
            "broken", "query", limit, f"{made - decided.decisions:,} without a decision", f"{made:,} disclosures"
        )
    if not wrong and not made:
        return Proof(
            "kept", "construction", limit, "0 disclosures so far", "the gate is the only way out: tests/promises"
        )
    return counted(wrong, made, "disclosures", limit, "to somebody else")


def countries(proving: Proving, promise: Promise) -> Proof:
    """The stores stand where the policy says, and every recipient that was given data is in a safe or safeguarded country."""
    policy, wiring = proving.compiled.policy, proving.site.wiring
    stored = set(policy.transfers.stored_in) if policy.transfers else set()
    limit = f"kept in {', '.join(sorted(stored)) or 'no named country'}; elsewhere only with a safeguard"
    stores = {wiring.store.country, wiring.keys.country} - {""}
    outside = sorted(stores - stored)
    if outside or not stores:
        measured = f"a store in {', '.join(outside)}" if outside else "no store says where it stands"
        return Proof("broken", "query", limit, measured, "the countries in site.yaml")
    day = proving.now.date()
    query = select(disclosure.c.recipient, func.count()).where(disclosure.c.state == "queued")
    waiting = {row[0]: row[1] for row in proving.conn.execute(query.group_by(disclosure.c.recipient))}
    unsafe = [
        key for key in waiting if key in policy.recipients and not facts_of(policy, key, day) & {f"safeguard:{key}"}
    ]
    if unsafe:
        return Proof(
            "broken", "query", limit, f"{sum(waiting[key] for key in unsafe):,} about to leave without one", ""
        )
    return Proof(
        "kept", "query", limit, f"stores in {', '.join(sorted(stores))}", "every disclosure is asked for a safeguard"
    )
