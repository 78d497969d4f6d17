"""Proofs about recipients: what left, to whom, and that nobody else got anything."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import Row, func, select

from troth.policy.promises import Promise
from troth.proof import Named, Proof, Proving, Some
from troth.recipients.rules import facts_of
from troth.recipients.tables import disclosure

BUILT = "tests/promises/test_construction.py"


def share(proving: Proving, promise: Promise) -> Proof:
    """Each disclosure to this recipient is what was decided about it: these fields, for this purpose, and nothing more."""
    key = promise.path[1]
    recipient = proving.compiled.policy.recipients[key]
    gets = Named("fields", recipient.receives)
    limit = proving.say("only {fields}", fields=gets) if recipient.receives else proving.say("nothing at all")
    found = proving.replay(f"recipients.{key}")
    if found.wrong:
        return proving.replayed(found, limit)
    rows = [row for row in proving.once(disclosures) if row.recipient == key]
    decided = proving.heard.disclosed
    wrong = sum(decided.get(row.id) != (key, row.purpose, _sorted(row.fields)) for row in rows)
    if not rows and not recipient.receives:
        return proving.built(limit, proving.say("nothing was given"), BUILT)
    return proving.counted(wrong, Some(len(rows), "disclosure"), limit, "{wrong} other than was decided")


def disclosures(proving: Proving) -> Sequence[Row[str, str, str, str]]:
    """All disclosures there are; to be asked through ``proving.once``."""
    columns = (disclosure.c.id, disclosure.c.recipient, disclosure.c.purpose, disclosure.c.fields)
    return proving.conn.execute(select(*columns)).all()


@lru_cache(maxsize=1024)
def _sorted(fields: str) -> str:
    return " ".join(sorted(fields.split()))


def closed(proving: Proving, promise: Promise) -> Proof:
    """Nothing was disclosed to anybody whom the policy does not name, and every disclosure has its decision."""
    named = Some(len(proving.compiled.policy.recipients), "recipient")
    limit = proving.say("{recipients} and nobody else", recipients=named) if named.number else proving.say("nobody")
    rows = proving.once(disclosures)
    outside = {one for one in {row.recipient for row in rows} if not _named(proving, one)}
    strangers = sum(row.recipient in outside for row in rows)
    undecided = sum(row.id not in proving.heard.disclosed for row in rows)
    if not rows:
        return proving.built(limit, proving.say("nothing was given to anybody"), BUILT)
    made = Some(len(rows), "disclosure")
    if strangers:
        return proving.counted(strangers, made, limit, "{wrong} to somebody whom the policy does not name")
    return proving.counted(undecided, made, limit, "{wrong} without a decision")


def _named(proving: Proving, recipient: str) -> bool:
    """Whether the policy names them, or an earlier version did."""
    policies = [proving.compiled, *map(proving.version, proving.versions)]
    return any(compiled is not None and recipient in compiled.policy.recipients for compiled in policies)


def countries(proving: Proving, promise: Promise) -> Proof:
    """The stores stand where the policy says, and every recipient that was given data is in a safe or safeguarded country."""
    policy, wiring = proving.compiled.policy, proving.site.wiring
    stored = policy.transfers.stored_in if policy.transfers else ()
    where = Named("countries", stored)
    limit = (
        proving.say("kept in {countries}; elsewhere only with a safeguard", countries=where)
        if stored
        else proving.say("leaves its country only with a safeguard")
    )
    stores = (wiring.store.country, wiring.keys.country or wiring.store.country)
    evidence = proving.say("the countries that site.yaml gives, and every disclosure")
    outside = tuple(sorted(set(stores) - {""} - set(stored))) if stored else ()
    if outside:
        measured = proving.say("a store in {countries}", countries=Named("countries", outside))
        return Proof("broken", "query", limit, measured, evidence)
    unsafe = _unsafe(proving)
    if unsafe:
        measured = proving.say("{some} without a safeguard", some=Some(unsafe, "disclosure"))
        return Proof("broken", "query", limit, measured, evidence)
    if "" in stores:
        return Proof("not proven", "query", limit, proving.say("a store whose country nobody named"), evidence)
    measured = proving.say("stores in {countries}", countries=Named("countries", tuple(sorted(set(stores)))))
    return Proof("kept", "query", limit, measured, evidence)


def _unsafe(proving: Proving) -> int:
    """How many disclosures wait for, or reached, a recipient that had no safeguard then."""
    last = func.max(disclosure.c.delivered_at)
    query = select(disclosure.c.recipient, disclosure.c.state, func.count(), last).where(
        disclosure.c.state != "refused"
    )
    found = 0
    for recipient, _, number, delivered in proving.conn.execute(
        query.group_by(disclosure.c.recipient, disclosure.c.state)
    ):
        policy = proving.compiled.policy
        day = (delivered or proving.now).date()
        if recipient in policy.recipients and f"safeguard:{recipient}" not in facts_of(policy, recipient, day):
            found += number
    return found
