"""Proofs about requests: each right was answered in time, and the log of requests is whole and goes with its clock."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from troth.agenda.watch import Failing, failing
from troth.bindings import REPLAYED, proves
from troth.consent.receipt import record27560
from troth.ledger import events
from troth.ledger.tables import entry
from troth.messages.post import NoMailServer
from troth.people import vault
from troth.policy.compile import Compiled
from troth.policy.kinds.automated_decisions import NEVER, decisions_of
from troth.policy.model import Right
from troth.policy.promises import Promise
from troth.policy.rules import one_word
from troth.proof import Named, Proof, Proving, Some, Words
from troth.retention.logs import log_of
from troth.rights import by_mail, deciding_again, papers
from troth.rights.copy.voice import Voice
from troth.rights.intake import receive
from troth.rights.reviewing import needed
from troth.rights.rules import (
    DECISION,
    REVIEW,
    RIGHTS,
    Terms,
    concerns,
    destroys_within,
    is_absolute,
    log_kept,
    scopes,
    terms,
)
from troth.rights.tables import reply, request
from troth.store import versions


def answered(proving: Proving, right: Right, limit: str) -> Proof | None:
    """Whether every request that concerns ``right`` was answered by its day; None when none was, and none is late.

    An answer that a law let come later than promised is no answer in time; it is counted apart.
    """
    policy = proving.compiled.policy
    found = _of(proving, lambda kind, about: concerns(policy, right, kind, about))
    prolonged = proving.say("{some} answered later, as a law allows", some=Some(found.prolonged, "request"))
    if found.number:
        proof = proving.counted(found.late, Some(found.number, "request"), limit, "{wrong} not answered in time")
        evidence = proof.evidence if isinstance(proof.evidence, Words) else proving.say(proof.evidence)
        return replace(proof, evidence=proving.both(evidence, prolonged)) if found.prolonged else proof
    return (
        Proof("not proven", "query", limit, prolonged, proving.say("none by the day promised"))
        if found.prolonged
        else None
    )


@dataclass(frozen=True, slots=True)
class _Counted:
    """How many requests have an answer or should have, by the day promised; how many of them had none in time; and how many
    others a law let be answered later."""

    number: int = 0
    late: int = 0
    prolonged: int = 0


def _of(proving: Proving, counts: Callable[[str, Collection[str]], bool]) -> _Counted:
    """The requests that count, by their right and what they are about."""
    found = [one for (right, about), one in proving.once(_answers).items() if counts(right, about)]
    return _Counted(*(sum(getattr(one, name) for one in found) for name in ("number", "late", "prolonged")))


def _answers(proving: Proving) -> dict[tuple[str, tuple[str, ...]], _Counted]:
    """All requests that have an answer or should have, in one pass; to be asked through ``proving.once``.

    By when is worked out anew from the day a request came and the version of that day: what stands beside it may be wrong.
    Of those whose record is destroyed the ledger says which were late; what they were about it does not say.
    """
    ours: defaultdict[tuple[str, tuple[str, ...]], Counter[str]] = defaultdict(Counter)
    known: dict[tuple[int, str], tuple[Compiled, Terms]] = {}
    for row in proving.conn.execute(_REQUESTS, execution_options={"yield_per": 1_000}):
        compiled = proving.in_force(row.at) or proving.version(row.policy_version) or proving.compiled
        key = compiled.version, row.right
        known.setdefault(key, (compiled, terms(compiled, row.right)))
        said = _said(*known[key], row, proving.now)
        if said:
            ours[row.right, tuple(row.about)][said] += 1
    for past in _forgotten(proving):
        compiled = proving.in_force(past.at) or proving.compiled
        if _said(compiled, terms(compiled, past.right), past, proving.now) == "late":
            ours[past.right, ()]["late"] += 1
    return {key: _Counted(one["in time"] + one["late"], one["late"], one["prolonged"]) for key, one in ours.items()}


_REQUESTS = select(
    request.c.right, request.c.about, request.c.at, request.c.closed_at, request.c.extended, request.c.policy_version
).where(request.c.outcome.not_in(("cancelled", "not verified")))
"""but for those that ended without an answer: they show neither that one was given nor that one was owed"""


@dataclass(slots=True)
class _Past:
    """A request as the ledger has it: its right is the one it was answered as."""

    at: datetime
    right: str = ""
    closed_at: datetime | None = None
    extended: bool = False


@dataclass
class _Record:
    """The requests on the ledger, by their number."""

    known: dict[str, _Past] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    """those whose record was destroyed"""

    def hear(self, event: str, at: datetime, body: Mapping[str, Any]) -> None:
        """Take in an entry, in the ledger's own order."""
        one = str(body.get("request"))
        if event == events.REQUEST_SWEPT:
            self.gone.update(map(str, body.get("gone", ())))
        elif event == events.REQUEST_RECEIVED and "joined" not in body:
            self.known[one] = _Past(_instant(body.get("received")) or at)
        elif one in self.known and event == events.REQUEST_EXTENDED:
            self.known[one].extended = True
        elif one in self.known and event in {events.REQUEST_ANSWERED, events.REQUEST_REFUSED}:
            self.known[one].closed_at, self.known[one].right = at, _RIGHTS.get(str(body.get("right")), "")


_RIGHTS = {one_word(right): right for right in RIGHTS}
_TOLD = (events.REQUEST_RECEIVED, events.REQUEST_EXTENDED, events.REQUEST_ANSWERED, events.REQUEST_REFUSED)


def _forgotten(proving: Proving) -> list[_Past]:
    """The requests that were answered and of which no record is left."""
    swept = select(entry.c.id).where(entry.c.event == events.REQUEST_SWEPT).limit(1)
    if proving.conn.execute(swept).first() is None:
        return []
    record = _Record()
    which = entry.c.event.in_((*_TOLD, events.REQUEST_SWEPT))
    query = select(entry.c.event, entry.c.at, entry.c.body).where(which).order_by(entry.c.id)
    for row in proving.conn.execute(query, execution_options={"yield_per": 1_000}):
        record.hear(row.event, row.at, json.loads(row.body))
    left = set(proving.conn.scalars(select(request.c.id)))
    past = [record.known[one] for one in sorted(record.gone - left) if one in record.known]
    return [one for one in past if one.right and one.closed_at is not None]


def _instant(said: object) -> datetime | None:
    """An instant as the ledger writes it; None for anything else."""
    try:
        return datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        return None


def _said(compiled: Compiled, promised: Terms, row: Any, now: datetime) -> str:
    """``in time``, ``late``, ``prolonged``, or blank while its day has not come."""
    due = promised.due(compiled.calendar, row.at)
    ended = row.closed_at or now
    if ended < due or row.closed_at == due:
        return "in time" if row.closed_at else ""
    if not row.extended or promised.longer is None or ended > compiled.calendar.end(due, promised.longer):
        return "late"
    return "prolonged" if row.closed_at else ""


MACHINES = ("program", "system")
"""who asks for data without being a person: a program with its token, and the operator's own system"""


def as_mail_leaves(proving: Proving, found: Proof) -> Proof:
    """What was found, if mail leaves; what is kept but for that is not proven while it does not.

    A right is tried with a mailbox of its own, and requests are closed with an answer in time, while the server that those
    answers leave by does not answer. So what the worker last saw of the server itself counts, and not what it refused of one
    message: as long as no reply left since, nothing shows that people get what they ask for.
    """
    stuck = proving.once(_stuck) if found.verdict == "kept" else None
    if stuck is None:
        return found
    measured = proving.say(
        "{some} could not leave, since the mail server takes none", some=Some(stuck.number, "message")
    )
    age = max(proving.now, stuck.tried_at) - stuck.tried_at
    evidence = proving.say(
        "tried last {age} ago; the operator has to look at the mail server (mail in site.yaml)", age=age
    )
    return Proof("not proven", "query", found.limit, measured, evidence)


def _stuck(proving: Proving) -> Failing | None:
    """What failed at the mail server and waits; None when nothing did, or a reply left since."""
    found = failing(proving.conn, NoMailServer)
    if found is None:
        return None
    left = proving.conn.scalar(select(func.max(reply.c.sent_at)))
    return None if left is not None and left > found.tried_at else found


@proves(
    "decision.automated",
    covers=("made", "for"),
    enforced_by=(vault.read, deciding_again.carry_out),
    rests_on={**REPLAYED, "request": "", "choice": "", "stop": ""},
)
def decided(proving: Proving, promise: Promise) -> Proof:
    """What machines read for it was what its purpose may; and whoever asked for a review had a person's answer in time.

    What staff read for that purpose is held against it as well, and shows nothing of a decision by a machine. Who decides, or
    that no machine does, is never *kept*: what is decided outside of Troth leaves nothing to be looked at.
    """
    decision = decisions_of(proving.compiled.policy)[promise.path[1]]
    if decision.made == NEVER:
        limit = proving.say("no machine decides this by itself")
        return proving.not_proven(
            "query", limit, "nothing is read for it", "what is decided elsewhere is not seen here"
        )
    purpose = proving.compiled.policy.purposes.get(decision.for_)
    fields = Named("fields", purpose.uses if purpose else ())
    limit = proving.say("from {fields} and nothing else", fields=fields)
    mine = f"{DECISION}{promise.path[1]}"
    asked = _of(proving, lambda kind, about: kind == REVIEW and (mine in about or not about))
    reviews = Some(asked.number, "request")
    if asked.late:
        return proving.counted(asked.late, reviews, limit, "{wrong} not answered in time")
    found = proving.replay(f"purposes.{decision.for_}")
    if found.wrong:
        return proving.replayed(found, limit)
    opened = Some(sum(proving.heard.readers.get((who, decision.for_), 0) for who in MACHINES), "opening of data")
    if not opened.number:
        return proving.nothing_yet("replay", limit, "no machine has read anything for it so far")
    measured = proving.say("{some} by machines, all as the policy says", some=opened)
    again = proving.say("each checked again against the policy of its day")
    said = proving.both(again, proving.say("{all} for a review, none late", all=reviews))
    return Proof("kept", "replay", limit, measured, said, unshown=("made",))


@proves(
    "request.log",
    covers=("keep",),
    enforced_by=(papers.sweep,),
    rests_on={
        "ledger_entry": "",
        "policy_version": "",
        "request": "",
        "request_log": "",
        "request_paper": "",
        "request_step": "",
        "request_link": "",
        "request_key": "",
        "reply": "",
        "restoration": "",
    },
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
    log = proving.compiled.policy.request_log
    found = log_of(proving, "request log", log.keep if log else None)
    changed = papers.altered(proving.conn, versions.whole_since(proving.conn, proving.now, log_kept))
    if changed and found.verdict != "broken":
        some = Some(len(changed), "entry")
        measured = proving.say("{some} altered or taken out", some=some)
        return Proof(
            "broken", "query", found.limit, measured, proving.say("the log of decisions has a fingerprint of every row")
        )
    return found
