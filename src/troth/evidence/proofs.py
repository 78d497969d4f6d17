"""Proofs that belong to no single room: versions, purposes, absolutes, rights, measures, grounds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import cast

from sqlalchemy import func, or_, select

from troth import ledger
from troth.accounts.rules import log_in_cookie
from troth.bindings import proves
from troth.decide import RuleSet
from troth.evidence.replay import EVERYTHING
from troth.ledger.verify import Verified, verify
from troth.messages.actions import queue
from troth.messages.inbound.take import addresses
from troth.messages.publish import publish
from troth.messages.rules import can_be_stopped
from troth.people import vault
from troth.people.proofs import Group, groups, only_the_vault, sealed, vault_refuses
from troth.policy.model import Absolute, Policy
from troth.policy.notice import notice
from troth.policy.promises import Promise
from troth.policy.rules import rules
from troth.policy.undeclared import forbidden, without_a_purpose
from troth.proof import Named, Proof, Proving, Some, Tried
from troth.recipients.gate import disclose
from troth.recipients.proofs import disclosures, elsewhere, gate_refuses, only_the_gate
from troth.retention.tables import hold
from troth.rights.intake import receive
from troth.rights.proofs import answered
from troth.rights.rules import authority, is_absolute
from troth.staff.entering import log_in
from troth.staff.proofs import logins
from troth.store.tables import policy_version
from troth.store.versions import digest, in_force


@proves(
    "policy.version",
    covers=("version",),
    enforced_by=(in_force,),
    rests_on={"policy_version": "version", "holding": ""},
    keys={"policy.version": publish, "policy.effective": publish},
)
def version(proving: Proving, promise: Promise) -> Proof:
    """The archive is as it was published, and all that is held came in under the version of its day, at a place it names."""
    limit = proving.say("version {number} in force, as it was published", number=proving.compiled.version)
    archived = proving.conn.execute(select(policy_version).order_by(policy_version.c.version)).all()
    evidence = proving.say("{all} in the archive", all=Some(len(archived), "version"))
    published = proving.heard.published
    for row in archived:
        now = digest(row.policy, row.decisions)
        if now != row.digest or published.get(row.version, now) != now:
            altered = proving.say("version {number} was altered after it was published", number=row.version)
            return Proof("broken", "query", limit, altered, evidence)
    wrong, total = _misplaced(proving)
    if wrong or total.number:
        return proving.counted(wrong, total, limit, "{wrong} from a place or a version that was not in force")
    return Proof("kept", "query", limit, proving.say("unaltered"), evidence)


def _misplaced(proving: Proving) -> tuple[int, Some]:
    """Holdings of which the version that they name was not in force, or knows no such collection point."""
    held = proving.once(groups)
    return sum(one.number for one in held if not _placed(proving, one)), Some(sum(one.number for one in held), "record")


def _placed(proving: Proving, one: Group) -> bool:
    compiled = proving.version(one.version)
    if compiled is None or one.point not in compiled.policy.collection:
        return False
    first, last = proving.in_force(one.first), proving.in_force(one.last)
    return first is not None and last is not None and first.version <= one.version <= last.version


@proves(
    "operator.contact",
    covers=("name", "email", "address"),
    enforced_by=(notice,),
    keys={"operator.email": addresses, "operator.country": authority},
)
def contact(proving: Proving, promise: Promise) -> Proof:
    """The notice as it is shown now says who answers and how to reach them."""
    operator = proving.compiled.policy.operator
    said = " ".join(shown(proving, "en").values())
    limit = proving.say("a name and an e-mail address in the notice")
    evidence = proving.say("the notice, as it is shown now")
    if not operator.name or operator.name not in said:
        return Proof("broken", "query", limit, proving.say("no name"), evidence)
    if not operator.email or operator.email not in said:
        return Proof("broken", "query", limit, proving.say("no e-mail address"), evidence)
    if operator.address and operator.address not in said:
        return Proof("broken", "query", limit, proving.say("no address"), evidence)
    return Proof("kept", "query", limit, proving.say("both are there"), evidence)


def shown(proving: Proving, tag: str) -> Mapping[str, str]:
    """The sentences of the notice in the language ``tag``, by promise; put together once for a version of the policy."""
    key = shown, tag
    compiled, said = proving.before.get(key, (None, {}))
    if compiled is not proving.compiled:
        said = {item.promise_id: item.sentence for item in notice(proving.compiled, tag).items}
        proving.before[key] = proving.compiled, said
    return cast("Mapping[str, str]", said)


@proves(
    "purpose.use",
    covers=("uses", "needs", "basis", "opt out", "aggregate only"),
    enforced_by=(vault.read,),
    keys={"purposes.marketing": is_absolute, "purposes.opt out": is_absolute},
)
def use(proving: Proving, promise: Promise) -> Proof:
    """Every read for this purpose, allowed or refused, comes out of the policy again."""
    uses = proving.compiled.policy.purposes[promise.path[1]].uses
    limit = proving.say("only {fields}", fields=Named("fields", uses)) if uses else proving.say("nothing at all")
    return proving.replayed(proving.replay(promise.id), limit)


@proves("purpose.closed", covers=(), enforced_by=(RuleSet,))
def closed(proving: Proving, promise: Promise) -> Proof:
    """No decision of any kind was let through that the policy of its day does not allow."""
    found = proving.replay(EVERYTHING)
    built = proving.constructed(
        proving.say("{purposes} and no other", purposes=Some(len(proving.compiled.policy.purposes), "purpose")),
        rules_refuse,
        vault_refuses,
        only_the_vault,
    )
    if built.verdict == "broken":
        return built
    purposes = Some(len(proving.compiled.policy.purposes), "purpose")
    limit = proving.say("{purposes} and no other", purposes=purposes)
    if "purpose" in proving.canary.failed:
        tried = proving.say("a made-up person tried it, at the doors that people use")
        return Proof("broken", "canary", limit, proving.say(proving.canary.failed["purpose"]), tried)
    return proving.replayed(found, limit) if found.allowed or found.wrong else built


def rules_refuse(proving: Proving) -> Tried:
    """The rules that decide, asked for every act and field for a purpose that nobody promised."""
    asks = list(without_a_purpose(proving.compiled))
    allowed = sum(proving.compiled.decide(ask).allowed for ask in asks)
    tried = proving.say("the rules refused {tries} without a promised purpose", tries=Some(len(asks) - allowed, "try"))
    return proving.tried(tried, allowed, "{wrong} without a promised purpose went through")


@proves(
    "absolute.never",
    "absolute.only",
    covers=("never", "only", "what", "to", "for", "unless"),
    enforced_by=(rules,),
    rests_on={"disclosure": "", "holding": ""},
)
def absolute(proving: Proving, promise: Promise) -> Proof:
    """Nothing that the absolute forbids was let through, and nothing of the sort is there without having been asked."""
    entry = proving.compiled.policy.absolutes[promise.path[1]]
    limit = proving.say(_SAID_ABSOLUTES[entry.never or f"only {entry.only}"])
    found = proving.replay(promise.id)
    if found.wrong:
        return proving.replayed(found, limit)
    if entry.only == "store" and (kept := elsewhere(proving, entry, limit)) is not None:
        return kept
    unasked = _unasked(proving, entry)
    if unasked.number:
        there = proving.say("{some} that nobody asked the policy about", some=unasked)
        return Proof("broken", "query", limit, there, proving.say("everything of this sort, looked at"))
    asks = list(forbidden(proving.compiled, promise.id))
    if not asks:
        return proving.not_proven("construction", limit, "nothing was tried", "no rule forbids anything of the sort")
    allowed = sum(proving.compiled.decide(ask).allowed for ask in asks)
    tried = proving.say("the rules refused {tries} of this sort", tries=Some(len(asks) - allowed, "try"))
    checks = [lambda _: proving.tried(tried, allowed, "{wrong} of this sort went through")]
    if "disclose" in (entry.never, entry.only) or entry.never == "sell":
        checks += [gate_refuses, only_the_gate]
    return proving.constructed(limit, *checks)


_SAID_ABSOLUTES = {
    "sell": "never sold",
    "disclose": "never given away",
    "store": "never stored",
    "read": "never read",
    "collect": "never collected",
    "only disclose": "given only to those who are named",
    "only read": "read only for what is named",
    "only collect": "collected only where it is named",
    "only store": "stored only where it is named",
}


def _unasked(proving: Proving, entry: Absolute) -> Some:
    """What is there of the kind that the absolute speaks of and was never decided: disclosures, or holdings of its data."""
    policy, what = proving.compiled.policy, set(entry.what) - {"everything"}
    if "disclose" in (entry.never, entry.only) or entry.never == "sell":
        about = (
            row for row in proving.once(disclosures) if not what & set(policy.data) or what & set(row.fields.split())
        )
        return Some(sum(row.id not in proving.heard.disclosed for row in about), "disclosure")
    people, data = what & set(policy.people), what & set(policy.data)
    if entry.never not in {"store", "collect"} or entry.unless or not what:
        return Some(0, "record")
    there = (one for one in proving.once(groups) if (not data or data & one.names))
    return Some(sum(one.number for one in there if not people or _about(policy, one) in people), "record")


def _about(policy: Policy, one: Group) -> str:
    return policy.collection[one.point].people if one.point in policy.collection else ""


@proves(
    "cookie.declared",
    covers=("essential", "consent"),
    enforced_by=(rules,),
    keys={"cookies.set by": log_in_cookie, "cookies.life": log_in_cookie},
)
def cookie(proving: Proving, promise: Promise) -> Proof:
    """Each cookie that was set had a decision; none is set without one."""
    entry = proving.compiled.policy.cookies[promise.path[1]]
    limit = proving.say("set where it is needed") if entry.essential else proving.say("set only after consent")
    return proving.replayed(proving.replay(promise.id), limit)


@proves(
    "message.class",
    covers=("for", "uses", "unsubscribe"),
    enforced_by=(queue,),
    keys={"messages.unsubscribe": can_be_stopped},
)
def message(proving: Proving, promise: Promise) -> Proof:
    """Each message of this class had a decision that comes out again, and its link to unsubscribe works."""
    limit = proving.say("sent only to those who may get it")
    walked = _walked(proving, promise.id, limit)
    if walked is not None and walked.verdict == "broken":
        return walked
    return proving.replayed(proving.replay(promise.id), limit)


@proves("statistic.aggregate", covers=("by",), enforced_by=(rules,))
def statistic(proving: Proving, promise: Promise) -> Proof:
    """Counting was decided each time; nobody read single records for it."""
    cell = proving.compiled.policy.statistics[promise.path[1]].minimum_cell
    limit = proving.say("only groups of {size} or more", size=cell) if cell else proving.say("nothing at all")
    return proving.replayed(proving.replay(promise.id), limit)


@proves(
    "right.offered",
    covers=("right", "answer within", "against"),
    enforced_by=(receive,),
    rests_on={"request": "right"},
)
def right(proving: Proving, promise: Promise) -> Proof:
    """What people asked for was answered in time; and somebody made up, who asked for exactly this at the doors, got it."""
    entry = proving.compiled.policy.rights[promise.path[1]]
    within = entry.answer_within
    limit = proving.say("within {within}", within=within) if within else proving.say("in time")
    walked = _walked(proving, promise.id, limit)
    asked = answered(proving, entry.right, limit)
    if walked is not None and walked.verdict == "broken":
        return walked
    if asked is not None:
        return asked
    return walked or proving.nothing_yet("canary", limit, "no request of this kind so far")


def _walked(proving: Proving, step: str, limit: str) -> Proof | None:
    """What came of the walk of the made-up person for ``step``; None when there was none."""
    canary = proving.canary
    if step not in canary.steps:
        return None
    age = proving.now - canary.at if canary.at else timedelta(0)
    evidence = proving.say("a made-up person asked for it {age} ago, at the doors that people use", age=age)
    if step.startswith("security."):
        evidence = proving.say("looked at from outside {age} ago", age=age)
    if step in canary.failed:
        return Proof("broken", "canary", limit, proving.say(canary.failed[step]), evidence)
    done = proving.say("found as said") if step.startswith("security.") else proving.say("done as asked")
    return Proof("kept", "canary", limit, done, evidence)


@proves(
    "legal.ground",
    covers=("needs", "act", "data"),
    enforced_by=(disclose,),
    rests_on={"hold": "ground"},
    keys={"legal.needs": disclose},
)
def legal(proving: Proving, promise: Promise) -> Proof:
    """Each use of this ground had what it needs on record, and each hold a reason and an approver."""
    key = promise.path[1]
    found = proving.replay(f"legal.{key}")
    limit = proving.say("only with a recorded reason and somebody who approved it")
    if found.wrong:
        return proving.replayed(found, limit)
    mine = hold.c.ground == key
    bare = or_(func.trim(hold.c.reason) == "", func.trim(hold.c.approver) == "", hold.c.ends_at <= hold.c.made_at)
    total = proving.conn.scalar(select(func.count()).select_from(hold).where(mine)) or 0
    wrong = proving.conn.scalar(select(func.count()).select_from(hold).where(mine, bare)) or 0
    if not total and not found.allowed:
        return proving.nothing_yet("query", limit, "never used so far")
    cases = Some(total + found.allowed, "case")
    return proving.counted(wrong, cases, limit, "{wrong} without a reason, an approver or an end")


@proves(
    "security.measure", covers=("check", "attested by"), enforced_by=(vault.hold, vault.read, ledger.append, log_in)
)
def measure(proving: Proving, promise: Promise) -> Proof:
    """What can be looked at is looked at; for the rest a named member of staff answers until a day."""
    entry = proving.compiled.policy.security[promise.path[1]]
    if entry.check == "sealed":
        return sealed(proving, promise)
    if entry.check == "audit":
        return _audit(proving)
    if entry.check == "login log":
        return logins(proving)
    if entry.check == "access":
        return _access(proving)
    if entry.check in _SAID_PROBED:
        limit = proving.say(_SAID_PROBED[entry.check])
        return _walked(proving, promise.id, limit) or _attested(proving, promise.path[1])
    return _attested(proving, promise.path[1])


_SAID_PROBED = {
    "tls": "the address of the site offers TLS with a certificate to be trusted",
    "headers": "pages load nothing foreign, are framed by nobody and tell nobody who reads",
}


def _access(proving: Proving) -> Proof:
    """What was read of real people, each time by somebody and for a purpose that the policy names; and no way round that."""
    limit = proving.say("read only for a promised purpose, by those whom the policy names")
    built = proving.constructed(limit, rules_refuse, vault_refuses, only_the_vault)
    return built if built.verdict == "broken" else proving.replayed(proving.replay("act:read"), limit)


def _audit(proving: Proving) -> Proof:
    found = proving.since(_verified)
    limit = proving.say("every entry of the ledger sealed, and none altered")
    evidence = proving.say("{all} read from the first to the last", all=Some(found.entries, "entry"))
    if found.verdict == "broken":
        return Proof("broken", "query", limit, proving.say("{what}", what=found.line()), evidence)
    if not found.sealed:
        return proving.nothing_yet("query", limit, "no entry is sealed so far")
    measured = proving.say("{sealed} sealed, {open} not yet", sealed=Some(found.sealed, "entry"), open=found.unsealed)
    return Proof("kept", "query", limit, measured, evidence)


def _verified(proving: Proving, before: Verified | None) -> Verified:
    """What was read and found whole before is not read again: what comes after must go on from its tree."""
    return verify(proving.site, before.seen) if before and before.verdict == "whole" else verify(proving.site)


def _attested(proving: Proving, key: str) -> Proof:
    attestation = proving.site.wiring.attested.get(key)
    limit = proving.say("somebody answers for it")
    review_by = proving.compiled.policy.security[key].review_by
    if review_by is not None and review_by < proving.now.date():
        limit = proving.say("looked at again by {day}", day=review_by)
        return Proof("not proven", "attestation", limit, proving.say("the day has passed"), proving.say("the policy"))
    if attestation is None or not attestation.by.strip():
        nobody = proving.say("site.yaml names nobody under `attested`")
        return Proof("not proven", "attestation", limit, proving.say("nobody answers for it"), nobody)
    by = proving.say("it was {by}", by=attestation.by)
    if attestation.until < proving.now.date():
        return Proof("not proven", "attestation", limit, proving.say("ran out on {day}", day=attestation.until), by)
    until = proving.say("until {day}", day=attestation.until)
    return Proof("attested", "attestation", limit, until, proving.say("{by} answers for it", by=attestation.by))
