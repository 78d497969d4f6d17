"""Proofs that belong to no single room: versions, purposes, absolutes, rights, measures, grounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from pydantic import BaseModel
from sqlalchemy import Row, func, or_, select

from troth.accounts.sessions import permitted
from troth.bindings import REPLAYED, WALKED, Rests, proves
from troth.decide import RuleSet
from troth.evidence.consenting import chosen  # and with it what binds consent
from troth.evidence.entries import EVERYTHING
from troth.evidence.security.proofs import rules_refuse  # and with it what binds the measures of security
from troth.evidence.unasked import gives, in_visits, looks_at_what_is_held, unasked_of
from troth.evidence.walked import together, walked
from troth.figures.actions import figures
from troth.messages.actions import queue
from troth.messages.inbound.take import addresses
from troth.messages.proofs import letters
from troth.messages.publish import publish
from troth.messages.rules import can_be_stopped
from troth.people import vault
from troth.people.proofs import Group, groups, only_the_vault, vault_refuses
from troth.policy.assurances import Absolute, LegalGround
from troth.policy.law import authority_at_home
from troth.policy.log_in import log_in_cookie
from troth.policy.notice import notice
from troth.policy.promises import Promise
from troth.policy.rules import rules
from troth.policy.undeclared import forbidden
from troth.proof import Named, Proof, Proving, Some, Tried
from troth.recipients.gate import disclose_in
from troth.recipients.proofs import elsewhere, gate_refuses, only_the_gate
from troth.recipients.rules import FIELDS, lacking
from troth.recipients.tables import disclosure
from troth.retention.holds import make_hold, unrecorded
from troth.retention.tables import hold
from troth.rights.intake import receive
from troth.rights.proofs import answered, as_mail_leaves
from troth.rights.rules import is_absolute
from troth.store.tables import policy_version
from troth.store.versions import digest, in_force
from troth.visits.rules import nameless


@proves(
    "policy.version",
    covers=("version",),
    enforced_by=(in_force,),
    rests_on={**REPLAYED, "holding": "", "shape": "", "quarantined": ""},
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
    keys={"operator.email": addresses, "operator.country": authority_at_home},
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
    rests_on={**REPLAYED, "choice": "scope", "stop": "scope"},
    keys={"purposes.marketing": is_absolute, "purposes.opt out": is_absolute},
)
def use(proving: Proving, promise: Promise) -> Proof:
    """Every read for this purpose, allowed or refused, comes out of the policy again."""
    uses = proving.compiled.policy.purposes[promise.path[1]].uses
    limit = proving.say("only {fields}", fields=Named("fields", uses)) if uses else proving.say("nothing at all")
    found, tried = proving.replayed(proving.replay(promise.id), limit), walked(proving, promise.id, limit)
    if tried is not None and tried.verdict == "broken" and found.verdict != "broken":
        return tried
    if found.verdict != "kept" or not chosen(proving.compiled, promise):
        return found
    return together(proving, found, tried) if tried is not None else replace(found, unshown=("opt out",))


@proves("purpose.closed", covers=(), enforced_by=(RuleSet,), rests_on=REPLAYED)
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


def _of_absolute(entry: Absolute) -> Rests:
    """What an absolute rests on: on the decisions, and on what left or is held when it speaks of that."""
    given = {"disclosure": ""} if gives(entry) or entry.only == "store" else {}
    held = {"holding": "", "shape": "", "visit": "", "day_key": ""} if looks_at_what_is_held(entry) else {}
    return {**REPLAYED, **given, **held}


@proves(
    "absolute.never",
    "absolute.only",
    covers=("never", "only", "what", "to", "for", "unless"),
    enforced_by=(rules,),
    rests_on=_of_absolute,
)
def absolute(proving: Proving, promise: Promise) -> Proof:
    """Nothing that the absolute forbids was let through, and nothing of the sort is there without having been asked."""
    entry = proving.compiled.policy.absolutes[promise.path[1]]
    some = " for" if entry.never and entry.for_ else ""
    limit = proving.say(_SAID_ABSOLUTES[f"{entry.never}{some}" if entry.never else f"only {entry.only}"])
    found = proving.replay(promise.id)
    if found.wrong:
        return proving.replayed(found, limit)
    placed = elsewhere(proving, entry, limit) if entry.only == "store" else None
    if placed is not None and placed.verdict == "broken":
        return placed
    unasked = next((one for one in (unasked_of(proving, entry), in_visits(proving, entry)) if one.number), None)
    if unasked is not None:
        there = proving.say("{some} that nobody asked the policy about", some=unasked)
        return Proof("broken", "query", limit, there, proving.say("everything of this sort, looked at"))
    asks = list(forbidden(proving.compiled, promise.id))
    if not asks:
        return placed or proving.not_proven(
            "construction", limit, "nothing was tried", "no rule forbids anything of the sort"
        )
    allowed = sum(proving.compiled.decide(ask).allowed for ask in asks)
    tried = proving.say("the rules refused {tries} of this sort", tries=Some(len(asks) - allowed, "try"))
    checks = [lambda _: proving.tried(tried, allowed, "{wrong} of this sort went through")]
    if gives(entry):
        checks += [gate_refuses, only_the_gate]
    if "read" in (entry.never, entry.only):
        checks += [vault_refuses, only_the_vault]
    if looks_at_what_is_held(entry):
        held = Some(sum(one.number for one in proving.once(groups)), "record")
        checks.append(lambda _: Tried(proving.say("{all} looked at", all=held), None))
    built = proving.constructed(limit, *checks)
    return placed if placed is not None and built.verdict == "kept" else built


_SAID_ABSOLUTES = {
    "sell": "never sold",
    "disclose": "never given away",
    "store": "never stored",
    "read": "never read",
    "collect": "never collected",
    "sell for": "never sold for what is named",
    "disclose for": "never given away for what is named",
    "read for": "never read for what is named",
    "collect for": "never collected where it is named",
    "only disclose": "given only to those who are named",
    "only read": "read only for what is named",
    "only collect": "collected only where it is named",
    "only store": "stored only where it is named",
}


@proves(
    "cookie.declared",
    covers=("essential", "consent", "life", "set by"),
    enforced_by=(rules, permitted),
    rests_on=REPLAYED,
    keys={"cookies.set by": log_in_cookie, "cookies.life": log_in_cookie},
)
def cookie(proving: Proving, promise: Promise) -> Proof:
    """Our own pages set what is declared and nothing else; what other pages set only decisions could show."""
    entry = proving.compiled.policy.cookies[promise.path[1]]
    limit = proving.say("set where it is needed") if entry.essential else proving.say("set only after consent")
    found, other = proving.replay(promise.id), _keys_that_say(entry, "life", "set by")
    pages, own = walked(proving, "cookies", limit), walked(proving, promise.id, limit)
    for one in (pages, own):
        if one is not None and one.verdict == "broken" and not found.wrong:
            return one
    if found.wrong or found.allowed:
        return replace(proving.replayed(found, limit), unshown=other)
    if own is not None or pages is None:
        return own or proving.not_proven(
            "canary", limit, "nobody looked lately", "the operator's next full check looks (troth prove)"
        )
    return proving.not_proven("canary", limit, "no page of ours sets it", "what other pages set is not seen here")


@proves(
    "message.class",
    covers=("for", "uses", "unsubscribe"),
    enforced_by=(queue,),
    rests_on={**REPLAYED, "message": "class", "choice": "scope", "campaign": "", "job": ""},
    keys={"messages.unsubscribe": can_be_stopped},
)
def message(proving: Proving, promise: Promise) -> Proof:
    """Each message of this class had a decision that comes out again; and its link to unsubscribe works, when it was tried."""
    entry, limit = proving.compiled.policy.messages[promise.path[1]], proving.say("sent only to those who may get it")
    gone, found = walked(proving, promise.id, limit), proving.replayed(proving.replay(promise.id), limit)
    if gone is not None and gone.verdict == "broken":
        return gone
    there, undecided = proving.once(letters)
    if undecided[promise.path[1]] and found.verdict != "broken":
        all_ = Some(there[promise.path[1]], "message")
        return proving.counted(undecided[promise.path[1]], all_, limit, "{wrong} without a decision")
    if found.verdict != "kept":
        return found
    if gone is None or "e-mail" in entry.unsubscribe:  # nobody tries to stop it by writing
        found = replace(found, unshown=() if entry.unsubscribe == "none" else ("unsubscribe",))
    return found if gone is None else together(proving, found, gone)


def _keys_that_say(entry: BaseModel, *keys: str) -> tuple[str, ...]:
    """Those of ``keys`` that the entry says something under."""
    return tuple(key for key in keys if key.replace(" ", "_") in entry.model_fields_set)


@proves("statistic.aggregate", covers=("by",), enforced_by=(rules, figures), rests_on=REPLAYED)
def statistic(proving: Proving, promise: Promise) -> Proof:
    """Counting was decided each time, and comes out of the policy again."""
    cell = proving.compiled.policy.statistics[promise.path[1]].minimum_cell
    limit = proving.say("only groups of {size} or more", size=cell) if cell else proving.say("nothing at all")
    return proving.replayed(proving.replay(promise.id), limit)


@proves(
    "right.offered",
    covers=("right", "answer within", "against"),
    enforced_by=(receive,),
    rests_on={
        **WALKED,
        "policy_version": "",
        "request": "right",
        "request_paper": "",
        "request_step": "",
        "request_link": "",
        "reply": "",
        "protocol_request": "",
        "identifier": "",
        "moving": "",
        "choice": "",
        "account": "",
        "agent_token": "",
        "arrived": "",
        "job": "",
    },
)
def right(proving: Proving, promise: Promise) -> Proof:
    """What people asked for was answered in time; and somebody made up, who asked for exactly this at the doors, got it.

    That a request was closed in time does not show that it was done: without a walk, that is named as not proven. So is a right
    whose answers cannot leave. And so are visits where the use of somebody's data is paused: of those that carry no name nobody
    can tell whose they are.
    """
    found, right = _asked_and_done(proving, promise), proving.compiled.policy.rights[promise.path[1]].right
    beyond = ("visits",) if right == "restriction" and nameless(proving.compiled) else ()
    return as_mail_leaves(proving, replace(found, unshown=(*found.unshown, *beyond)))


def _asked_and_done(proving: Proving, promise: Promise) -> Proof:
    entry = proving.compiled.policy.rights[promise.path[1]]
    within = entry.answer_within
    limit = proving.say("within {within}", within=within) if within else proving.say("in time")
    gone = walked(proving, promise.id, limit)
    asked = answered(proving, entry, limit)
    if gone is not None and gone.verdict == "broken":
        return gone
    if asked is None:
        return gone or proving.nothing_yet("canary", limit, "no request of this kind so far")
    if asked.verdict == "kept" and gone is None:
        return replace(asked, unshown=("right", *_keys_that_say(entry, "against")))
    return together(proving, asked, gone) if gone is not None and asked.verdict == "kept" else asked


@proves(
    "legal.ground",
    covers=("needs", "act", "data"),
    enforced_by=(disclose_in, make_hold),
    rests_on={**REPLAYED, "hold": "ground", "disclosure": ""},
    keys={"legal.needs": disclose_in},
)
def legal(proving: Proving, promise: Promise) -> Proof:
    """Each use of this ground had what it needs on record and was what the ground is for: its act, and no other data."""
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
    counted = proving.counted(wrong, cases, limit, "{wrong} without a reason, an approver or an end")
    if counted.verdict != "kept":
        return counted
    held = proving.conn.execute(select(hold).where(mine)).all()
    given = proving.conn.execute(select(disclosure).where(disclosure.c.ground == key)).all()
    less = sum(_lacks(proving, row) for row in held) + sum(_gave_bare(proving, row) for row in given)
    if less:
        return proving.counted(less, cases, limit, "{wrong} without what the ground needs on record")
    beyond = sum(_beyond(proving, row) for row in held)
    return proving.counted(beyond, cases, limit, "{wrong} of which the ground does not speak") if beyond else counted


def _on_its_day(proving: Proving, ground: str, at: datetime) -> LegalGround | None:
    """A ground as the version of that day had it."""
    return (proving.in_force(at) or proving.compiled).policy.legal.get(ground)


def _lacks(proving: Proving, row: Row[Any]) -> bool:
    """Whether something is not on record of a hold that its ground needed."""
    legal = _on_its_day(proving, row.ground, row.made_at)
    return legal is not None and bool(unrecorded(legal.needs, row.fields.split(), row.record or {}, row.person_id))


def _beyond(proving: Proving, row: Row[Any]) -> bool:
    """Whether a hold is on a ground that keeps nothing, or keeps what its ground does not name."""
    legal = _on_its_day(proving, row.ground, row.made_at)
    if legal is None:
        return False
    fields = set(row.fields.split())
    return legal.act != "keep" or ("everything" not in legal.data and not (fields and fields <= set(legal.data)))


def _gave_bare(proving: Proving, row: Row[Any]) -> bool:
    """Whether something is not on record of a disclosure that its ground needed."""
    legal = _on_its_day(proving, row.ground, row.at)
    return legal is not None and bool(lacking(set(legal.needs) - {FIELDS}, row.record or {}, row.person_id))
