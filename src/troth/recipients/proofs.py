"""Proofs about recipients: what left, to whom, and that nobody else got anything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache

from sqlalchemy import BigInteger, Row, func, select, type_coerce

from troth.bindings import REPLAYED, proves
from troth.clock import from_micros
from troth.errors import Refused
from troth.people.made_up import made_up
from troth.policy.acts import LEGAL
from troth.policy.assurances import Absolute
from troth.policy.compile import Compiled
from troth.policy.model import Policy
from troth.policy.places import within
from troth.policy.prohibitions import kept_outside
from troth.policy.promises import Promise
from troth.policy.undeclared import NO_PURPOSE, NO_RECIPIENT
from troth.proof import Named, Proof, Proving, Some, Tried, Words
from troth.recipients import gate
from troth.recipients.gate import disclose_in
from troth.recipients.instructions import for_a_no, no_answer
from troth.recipients.rules import facts_of
from troth.recipients.tables import MAY_HAVE_ARRIVED, disclosure, instruction
from troth.store.site import Site
from troth.store.trial import trial


@proves(
    "recipient.share",
    covers=("receives", "for", "needs", "ground", "consent", "choice", "safeguard"),
    enforced_by=(disclose_in,),
    rests_on={
        **REPLAYED,
        "disclosure": "recipient",
        "instruction": "recipient",
        "choice": "scope",
        "stop": "scope",
        "public_profile": "",
        "job": "",
    },
    keys={
        "recipients.role": facts_of,
        "recipients.country": facts_of,
        "recipients.safeguard": facts_of,
        "recipients.safeguard.document": facts_of,
        "recipients.safeguard.until": facts_of,
    },
)
def share(proving: Proving, promise: Promise) -> Proof:
    """Each disclosure to this recipient is what was decided about it: these fields, for this purpose, and nothing more; and it
    answered when told to delete what somebody said no to, or what was stopped."""
    key = promise.path[1]
    recipient = proving.compiled.policy.recipients[key]
    gets = Named("fields", recipient.receives)
    limit = proving.say("only {fields}", fields=gets) if recipient.receives else proving.say("nothing at all")
    found = proving.replay(f"recipients.{key}")
    if found.wrong:
        return proving.replayed(found, limit)
    rows = [row for row in proving.once(disclosures) if row.recipient == key]
    wrong = sum(not asked(proving, row) for row in rows)
    if not wrong and _silent(proving, key):
        names = Named("recipients", (key,))
        said = proving.say("no answer from {recipients} to a deletion", recipients=names)
        return Proof("broken", "query", limit, said, proving.say("{all} looked at", all=Some(len(rows), "disclosure")))
    alone = sum(not asked_again(proving, row) for row in rows)
    built = proving.constructed(limit, gate_refuses, only_the_gate)
    if built.verdict == "broken" or (not rows and not recipient.receives):
        return built
    if alone and not wrong:
        return proving.counted(alone, Some(len(rows), "disclosure"), limit, "{wrong} not decided again when it left")
    return proving.counted(wrong, Some(len(rows), "disclosure"), limit, "{wrong} other than was decided")


def _silent(proving: Proving, recipient: str) -> bool:
    """Whether it did not answer in time when told to delete what a no or a stop had taken its permission for."""
    theirs = no_answer(proving.now), for_a_no(), instruction.c.recipient == recipient
    return proving.conn.execute(select(instruction.c.ending_id).where(*theirs).limit(1)).first() is not None


Line = Row[str, str, str, str, str, datetime, int | None]
"""a disclosure as it is on record: its id, recipient, purpose, fields, state, when it was asked for, and when it arrived"""


def disclosures(proving: Proving) -> Sequence[Line]:
    """All disclosures there are; to be asked through ``proving.once``."""
    given = disclosure.c
    columns = (given.id, given.recipient, given.purpose, given.fields, given.state, given.at)
    arrived = type_coerce(given.delivered_at, BigInteger).label("arrived")
    return proving.conn.execute(select(*columns, arrived)).all()


def asked(proving: Proving, row: Line) -> bool:
    """Whether the ledger has the decision by which this disclosure was recorded, about exactly what it is."""
    return proving.heard.disclosed.get(row.id) == (row.recipient, row.purpose, _sorted(row.fields))


def asked_again(proving: Proving, row: Line) -> bool:
    """Whether the ledger has the decision by which it left, if it may have: made just before, whatever was decided earlier."""
    if row.state not in MAY_HAVE_ARRIVED:
        return True
    told, at = proving.heard.left.get(row.id, (None, 0))
    lately = row.arrived is None or row.arrived - at <= _ANSWERS_WITHIN // timedelta(microseconds=1)
    return told == (row.recipient, row.purpose, _sorted(row.fields)) and lately


def _when(proving: Proving, row: Line) -> datetime:
    """The instant at which it left, as far as that is known; else that of its arrival, or at which it was asked for."""
    _, left = proving.heard.left.get(row.id, (None, row.arrived))
    return from_micros(left) if row.state in MAY_HAVE_ARRIVED and left is not None else row.at


_ANSWERS_WITHIN = timedelta(hours=1)
"""between the decision and the recipient's answer; a machine may sleep in between, a new try decides again"""


@lru_cache(maxsize=1024)
def _sorted(fields: str) -> str:
    return " ".join(sorted(fields.split()))


@proves(
    "recipient.closed",
    covers=(),
    enforced_by=(disclose_in,),
    rests_on={**REPLAYED, "disclosure": "", "public_profile": ""},
)
def closed(proving: Proving, promise: Promise) -> Proof:
    """Nothing was disclosed to anybody whom the policy of that day does not name, and every disclosure has its decision.

    Whom a legal case names, the policy names by the ground of the case.
    """
    named = Some(len(proving.compiled.policy.recipients), "recipient")
    limit = proving.say("{recipients} and nobody else", recipients=named) if named.number else proving.say("nobody")
    unknown = tuple(sorted(set(proving.site.wiring.recipients) - set(proving.compiled.policy.recipients)))
    if unknown:
        measured = proving.say("{some} reached whom the policy does not name", some=Some(len(unknown), "recipient"))
        return Proof(
            "broken", "query", limit, measured, proving.say("the recipients that the operator's settings reach")
        )
    rows = proving.once(disclosures)
    strangers = sum(not _named(_policies(proving, _when(proving, row)), row) for row in rows)
    undecided = sum(row.id not in proving.heard.disclosed for row in rows)
    alone = sum(not asked_again(proving, row) for row in rows)
    built = proving.constructed(limit, gate_refuses, only_the_gate, no_other_way_out)
    if built.verdict == "broken" or not rows:
        return built
    made = Some(len(rows), "disclosure")
    if strangers:
        return proving.counted(strangers, made, limit, "{wrong} to somebody whom the policy does not name")
    if alone and not undecided:
        return proving.counted(alone, made, limit, "{wrong} not decided again when it left")
    return proving.counted(undecided, made, limit, "{wrong} without a decision")


def gate_refuses(proving: Proving) -> Tried:
    """The gate itself, asked for what nobody promised, about somebody made up of each kind: it must refuse every time."""
    policy = proving.compiled.policy
    wanted = [(NO_RECIPIENT, purpose, name) for purpose in list(policy.purposes)[:3] for name in list(policy.data)[:1]]
    wanted += [(one, NO_PURPOSE, name) for one, each in policy.recipients.items() for name in each.receives[:1]]
    wanted += [
        (key, purpose, name)
        for key, each in policy.recipients.items()
        for purpose in list(policy.purposes)[:1]
        for name in sorted(policy.data.keys() - set(each.receives))[:1]
    ]
    with trial(proving.site) as site:
        people = [made_up(site, kind) for kind in policy.people]
        asked = [(people[number % len(people)], *want) for number, want in enumerate(wanted)] if people else []
        let_out = sum(_let_out(site, *want) for want in asked)
    tried = proving.say("refused {tries} to let out what nobody promised", tries=Some(len(asked) - let_out, "try"))
    return proving.tried(tried, let_out, "{wrong} to let out what nobody promised went through")


def _let_out(site: Site, person_id: str, recipient: str, purpose: str, name: str) -> bool:
    try:
        gate.disclose(site, person_id, recipient, [name], purpose)
    except Refused:
        return False
    return True


def only_the_gate(proving: Proving) -> Tried:
    """No other module enters a disclosure."""
    return proving.walked("only the gate enters a disclosure")


def no_other_way_out(proving: Proving) -> Tried:
    """No other module opens a connection."""
    return proving.walked("nothing leaves but through the gate and the post")


def _named(policies: Sequence[Policy], row: Line) -> bool:
    """Whether one of ``policies`` names the recipient, or lets data be given in a legal case on this ground."""
    return any(row.recipient in policy.recipients or _in_a_case(policy, row.purpose) for policy in policies)


def _in_a_case(policy: Policy, purpose: str) -> bool:
    """Whether ``purpose`` is a legal ground on which ``policy`` lets data be given."""
    ground = policy.legal.get(purpose.removeprefix(LEGAL)) if purpose.startswith(LEGAL) else None
    return ground is not None and ground.act == "disclose"


def _policies(proving: Proving, at: datetime) -> list[Policy]:
    """That of the version in force at ``at``; where none is known of that day, of every version there is."""
    then = proving.in_force(at)
    found = [then] if then is not None else [proving.compiled, *map(proving.version, proving.versions)]
    return [compiled.policy for compiled in found if compiled is not None]


@proves(
    "transfer.country",
    covers=("stored in", "safeguards", "held by"),
    enforced_by=(disclose_in,),
    rests_on={**REPLAYED, "disclosure": ""},
    keys={
        "transfers.stored in": facts_of,
        "transfers.may move to": facts_of,
        "transfers.held by": facts_of,
        "transfers.safeguards": facts_of,
    },
)
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
    evidence = proving.say("the countries that the operator's settings give, and every disclosure")
    outside = tuple(sorted(set(stores) - {""} - set(stored))) if stored else ()
    if outside:
        measured = proving.say("a store in {countries}", countries=Named("countries", outside))
        return Proof("broken", "query", limit, measured, evidence)
    mail, allowed = _mail_server(proving.site), (*stored, *(policy.transfers.may_move_to if policy.transfers else ()))
    if mail and allowed and not within(mail, allowed):
        measured = proving.say("a mail server in {countries}", countries=Named("countries", (mail,)))
        return Proof("broken", "query", limit, measured, evidence)
    unsafe = _unsafe(proving)
    if unsafe:
        measured = proving.say("{some} without a safeguard", some=Some(unsafe, "disclosure"))
        return Proof("broken", "query", limit, measured, evidence)
    if stored:
        return _places(proving, limit, tuple(sorted(set(stores))))
    given = Some(len(proving.once(disclosures)), "disclosure")
    return proving.counted(0, given, limit, "{wrong} without a safeguard")


def _places(proving: Proving, limit: Words, stores: tuple[str, ...]) -> Proof:
    """Where a machine stands no program can see: somebody answers for what site.yaml says, or nobody does."""
    if "" in stores:
        return proving.not_proven(
            "query", limit, "a store whose country nobody named", "nothing can measure where it is"
        )
    if _mail_server(proving.site) == "":
        return proving.not_proven(
            "query", limit, "a mail server whose country nobody named", "nothing can measure where it is"
        )
    said = proving.say(
        "data stores in {countries}, as the operator's settings say", countries=Named("countries", stores)
    )
    attestation = proving.site.wiring.attested.get("transfers")
    if attestation is None or attestation.until < proving.now.date():
        return Proof("not proven", "attestation", limit, said, proving.say("nothing can measure where it is"))
    return Proof("attested", "attestation", limit, said, proving.say("{by} answers for it", by=attestation.by))


def _mail_server(site: Site) -> str | None:
    """The country of the mail server that mail leaves by, blank when nobody named it; None for one on this machine."""
    mail = site.wiring.mail
    return mail.country if mail is not None and mail.elsewhere else None


def elsewhere(proving: Proving, entry: Absolute, limit: Words) -> Proof:
    """Whether an ``only: store`` is broken; where the machines stand that are within its places, somebody answers for."""
    policy, wiring = proving.compiled.policy, proving.site.wiring
    stores = [wiring.store.country, wiring.keys.country or wiring.store.country]
    evidence = proving.say("the countries that the operator's settings give, and every disclosure")
    outside = tuple(sorted({one for one in stores if one and not within(one, entry.in_)}))
    if outside:
        measured = proving.say("a store in {countries}", countries=Named("countries", outside))
        return Proof("broken", "query", limit, measured, evidence)
    mail = _mail_server(proving.site)
    if mail and not within(mail, entry.in_):
        measured = proving.say("a mail server in {countries}", countries=Named("countries", (mail,)))
        return Proof("broken", "query", limit, measured, evidence)
    if gone := _given_to(
        proving, frozenset(kept_outside(policy, entry)), frozenset(entry.what) & frozenset(policy.data)
    ):
        measured = proving.say("{some} to somebody outside", some=Some(gone, "disclosure"))
        return Proof("broken", "query", limit, measured, evidence)
    return _places(proving, limit, tuple(sorted(set(stores))))


def _given_to(proving: Proving, recipients: frozenset[str], about: frozenset[str]) -> int:
    """How many disclosures to these recipients wait or left, of any of the fields ``about``, or of any when it is none."""
    there = (disclosure.c.recipient.in_(sorted(recipients)), disclosure.c.state != "refused")
    each = select(disclosure.c.fields, func.count()).where(*there).group_by(disclosure.c.fields)
    return sum(number for fields, number in proving.conn.execute(each) if not about or about & set(fields.split()))


def _unsafe(proving: Proving) -> int:
    """How many disclosures left for a recipient that had no safeguard on that day, under its version."""
    known: dict[tuple[int, str, date], bool] = {}
    found = 0
    for row in proving.once(disclosures):
        if row.state in MAY_HAVE_ARRIVED:
            at = _when(proving, row)
            compiled = proving.in_force(at) or proving.compiled
            key = compiled.version, row.recipient, at.date()
            if key not in known:
                known[key] = _is_safe(compiled, row.recipient, at.date())
            found += not known[key]
    return found


def _is_safe(compiled: Compiled, recipient: str, day: date) -> bool:
    """Whether ``compiled`` does not name ``recipient``, or it stands where data is safe or has a safeguard on ``day``."""
    policy = compiled.policy
    return recipient not in policy.recipients or f"safeguard:{recipient}" in facts_of(policy, recipient, day)
