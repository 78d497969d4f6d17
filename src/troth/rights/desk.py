"""What staff do with requests: find them, look at one, sort it, weigh who somebody is, refuse, prolong, answer.

What could go wrong: a refusal without a reason, an end or somebody who answers for it; evidence weighed again and again until
it is enough; a member of staff who acts for somebody in silence. So a refusal takes all three or does not happen; the attempts
to show who one is are counted and end; and every act is a step with the number of whoever did it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, func, select

from troth.accounts.actions import by_address
from troth.errors import InvalidInput, Refused
from troth.ledger import events
from troth.people import vault
from troth.retention.holds import make_hold
from troth.rights import choosing, deciding_again, erasing, papers, replies, reviewing, rules
from troth.rights.cases import CARRYING, CLOSED, OPEN, STAFF, Case, load, seen
from troth.rights.intake import authority, goes_on, vouched_for
from troth.rights.papers import Step
from troth.rights.replies import Written, written
from troth.rights.tables import reply, request
from troth.store.site import Site


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the queue."""

    id: str
    right: str
    channel: str
    state: str
    waits_for: str
    at: datetime
    due_at: datetime
    outcome: str


@dataclass(frozen=True, slots=True)
class Letter:
    """An answer as staff see it: its state, and what it says; links are never shown."""

    id: str
    state: str
    at: datetime
    said: Written


@dataclass(frozen=True, slots=True)
class Shown:
    """One request, whole: the line of the queue, who and what was written, what happened, and what was answered."""

    listed: Listed
    known: bool
    verified_by: str
    failures: int
    extended: bool
    about: tuple[str, ...]
    paper: Mapping[str, str]
    steps: tuple[Step, ...]
    letters: tuple[Letter, ...]
    waits_until: datetime | None
    closed_at: datetime | None
    person: str | None
    """the number of the person, where it is known"""
    orders: tuple[choosing.OpenOrder, ...]
    """the open orders that it waits for"""
    reviews: bool
    """whether the answer waits for somebody to say what of it is another person's"""


def queue(site: Site, *, ended: bool = False, limit: int = 200, offset: int = 0) -> list[Listed]:
    """The open requests, the one due first ahead; or those that ended, the youngest first."""
    columns = [request.c[name] for name in Listed.__slots__]
    query = select(*columns).where(_in_queue(ended))
    order = (request.c.closed_at.desc(), request.c.id) if ended else (request.c.due_at, request.c.id)
    with site.reading() as conn:
        return [Listed(*row) for row in conn.execute(query.order_by(*order).limit(limit).offset(offset))]


def queued(site: Site, *, ended: bool = False) -> int:
    """How many requests ``queue`` has in all."""
    with site.reading() as conn:
        return conn.scalar(select(func.count()).select_from(request).where(_in_queue(ended))) or 0


def _in_queue(ended: bool) -> ColumnElement[bool]:
    return request.c.closed_at.is_not(None) if ended else request.c.closed_at.is_(None)


def shown(site: Site, request_id: str) -> Shown:
    """One request. Raises ``Refused`` when there is none."""
    with site.reading() as conn:
        case = seen(site, conn, request_id)
        row = case.row
        listed = Listed(*(getattr(row, name) for name in Listed.__slots__))
        return Shown(
            listed, row.person_id is not None, row.verified_by, row.failures, bool(row.extended), tuple(row.about),
            case.paper, tuple(papers.steps(site, conn, case.id, row.at)), tuple(_letters(case)),
            row.waits_until, row.closed_at, row.person_id, _orders(case), row.state == OPEN and reviewing.waits(conn, case.id),
        )  # fmt: skip


def _orders(case: Case) -> tuple[choosing.OpenOrder, ...]:
    found = choosing.waited_for(case.conn, case.row.person_id) if case.row.person_id else {}
    return found.get(case.id, ())


def _letters(case: Case) -> Sequence[Letter]:
    rows = case.conn.execute(select(reply).where(reply.c.request_id == case.id).order_by(reply.c.at, reply.c.id))
    return [Letter(row.id, row.state, row.at, _without_link(case, row)) for row in rows]


def _without_link(case: Case, row: Row[Any]) -> Written:
    said = written(case.site, case.conn, row, case.row)
    return Written(said.subject, said.lines, "", said.link_words if said.link else "")


def sort(
    site: Site,
    request_id: str,
    right: str,
    by: str,
    changes: Mapping[str, str] | None = None,
    about: Collection[str] = (),
) -> None:
    """Say what a question, or a request that staff entered, is: it then takes the way of its kind, from its own receipt on.

    ``about`` are the purposes, recipients or decisions it names: all that the right speaks of, when left out.

    Raises:
        InvalidInput: when there is no such right.
        Refused: when the request is over, is being carried out, or said itself what it is.
    """
    if right not in rules.RIGHTS:
        raise InvalidInput("There is no such right.", {"right": "is unknown"})
    with site.writing() as conn:
        case = _open(site, conn, request_id)
        if case.row.state == CARRYING or (case.row.verified_at is not None and case.row.right not in rules.IN_WORDS):
            raise Refused("This request is on its way.", "What it asks for is known.")
        named = list(rules.about(case.compiled.policy, right, about, changes or ()))
        case.note(papers.SORTED, by)
        terms = rules.terms(case.compiled, right)
        due = terms.due(case.compiled.calendar, case.row.at)
        case = case.change(right=right, about=named, due_at=due, waits_for=STAFF, waits_until=due)
        if changes:
            papers.add(site, conn, case.id, case.row.at, changes)
        if case.row.person_id is not None and (case.row.verified_at is not None or not terms.verify):
            goes_on(case)


def identify(site: Site, request_id: str, field: str, value: str, by: str) -> bool:
    """Find whom a request is about by an identifying field they gave; False when nobody is found, and that is noted.

    Raises:
        Refused: when the request is over, or it is known whom it is about: a confirmation is never turned to somebody else.
    """
    with site.writing() as conn:
        case = _open(site, conn, request_id)
        if case.row.person_id is not None:
            raise Refused("It is known whom this request is about.", "Enter another request for somebody else.")
        found = vault.find(site, conn, field, value) if field != "address" else by_address(site, conn, value)
        case.note("identified" if found else "nobody found", by)
        if found:
            case.change(person_id=found)
        return found is not None


def accept_evidence(
    site: Site, request_id: str, evidence: str, by: str, how: Literal["staff", "mandate"] = "staff"
) -> None:
    """Record that whoever asked has shown who they are, or that they may act for the person, and by what.

    What they asked for is carried out.

    Raises:
        InvalidInput: without a word on what the evidence was.
        Refused: when the request is over or verified, or nobody was found whom it is about.
    """
    if not evidence.strip():
        raise InvalidInput("Say what showed who they are.", {"evidence": "is missing"})
    with site.writing() as conn:
        case = _unverified(site, conn, request_id)
        _ = case.person_id
        case.note("evidence accepted", by, evidence)
        vouched_for(case, how, by)


def reject_evidence(site: Site, request_id: str, why: str, by: str) -> int:
    """Record that evidence did not show who they are; after ``FAILURES`` the request ends. How many are left.

    Raises:
        Refused: when the request is over or verified.
    """
    with site.writing() as conn:
        case = _unverified(site, conn, request_id)
        case.note("evidence rejected", by, why)
        case = case.change(failures=case.row.failures + 1)
        left = rules.FAILURES - int(case.row.failures)
        if left <= 0:
            replies.queue(site, conn, case.id, "not_verified", "not-verified")
            case.close("not verified", by)
        return max(0, left)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why, on which ground, until when and who decided; ``fields`` are those that it covers: all, when blank; ``record`` is
    what else the ground needs on record."""

    reason: str
    ground: str
    ends_at: datetime
    approver: str
    fields: tuple[str, ...] = ()
    record: Mapping[str, str] = field(default_factory=dict)


def refuse(site: Site, request_id: str, refusal: Refusal, by: str) -> None:
    """Refuse a request, or the part of an erasure that ``refusal`` covers; the rest goes on.

    Of an erasure, what a ground keeps is kept apart until the refusal ends. Refused whole and without a ground nothing of it is
    destroyed: what was taken out of use for it is back.

    Raises:
        InvalidInput: without a reason, an approver or an end that lies ahead; for a part without a ground to keep it.
        Refused: when the policy knows no such ground, the request is over, or what it is about was destroyed.
    """
    _refuse_the_incomplete(site, refusal)
    with site.writing() as conn:
        case = _open(site, conn, request_id)
        part = refusal.fields if case.row.right == "erasure" else ()
        if part and not refusal.ground:
            told = {"ground": "is missing"}
            raise InvalidInput("A part of the data is kept on a ground in the policy.", told, hint="Choose the ground.")
        step = case.note("refused", by, refusal.reason)
        if case.row.right == "erasure":
            _keep(case, refusal, by)
        until = str(replies.words_in(case.row.language)["said"]["until"]).format(until=case.day(refusal.ends_at))
        replies.queue(
            site, conn, case.id, "refused", f"refused:{step}",
            step=step, until=until, approver=refusal.approver, authority=authority(case),
        )  # fmt: skip
        if not part:
            case.close("refused", by)


def _refuse_the_incomplete(site: Site, refusal: Refusal) -> None:
    given = {
        "reason": refusal.reason.strip(),
        "approver": refusal.approver.strip(),
        "end": refusal.ends_at > site.now(),
    }
    problems = {name: "is missing" for name, there in given.items() if not there}
    if problems:
        raise InvalidInput("A refusal needs a reason, an end that lies ahead and somebody who approved it.", problems)


def _keep(case: Case, refusal: Refusal, by: str) -> None:
    """Keep from destruction what a refused erasure is about: by a hold on its ground, or by undoing it."""
    erasing.refuse_the_destroyed(case)
    if refusal.ground:
        make_hold(
            case.site, case.conn, case.person_id, refusal.fields, refusal.ground, refusal.reason, "", refusal.approver,
            refusal.ends_at, refusal.record,
        )  # fmt: skip
    elif case.row.ending_id is not None:
        erasing.put_back(case, by)


def extend(site: Site, request_id: str, reason: str, by: str) -> datetime:
    """Prolong the time once, as far as the law allows, and tell the person why; the new day.

    Raises:
        InvalidInput: without a reason.
        Refused: when no law allows it, it was prolonged before, or the time is over.
    """
    if not reason.strip():
        raise InvalidInput("The person is told why.", {"reason": "is missing"})
    with site.writing() as conn:
        case = _open(site, conn, request_id)
        if case.row.extended or not case.terms.longer:
            raise Refused("This time cannot be prolonged.", "A law must allow it, and does so once.")
        if case.row.due_at <= site.now():
            raise Refused("This time is over.", "It can be prolonged before it ends, and no later.")
        until = case.compiled.calendar.end(case.row.due_at, case.terms.longer)
        step = case.note("extended", by, reason)
        case.tell(events.REQUEST_EXTENDED, due=until)
        case = case.change(due_at=until, extended=1, waits_until=until)
        replies.queue(site, conn, case.id, "extended", "extended", due=case.day(until), step=step)
        return until


def answer(site: Site, request_id: str, words: str, by: str) -> None:
    """Answer a question, a complaint, or whatever else people answer in their own words, and close it.

    Raises:
        InvalidInput: without a word.
        Refused: when the request is over, is a review, which ends with a decision, or a deletion that has begun.
    """
    if not words.strip():
        raise InvalidInput("An answer says something.", {"words": "is missing"})
    with site.writing() as conn:
        case = _open(site, conn, request_id)
        if case.row.right == rules.REVIEW and case.row.verified_at is not None:
            raise Refused("A review ends with a decision.", "Say whether the decision is changed or stands, and why.")
        if case.row.ending_id is not None:
            raise Refused("A deletion ends when all is destroyed.", "It can be refused or taken back until then.")
        step = case.note("answered", by, words)
        replies.queue(site, conn, case.id, "answered", f"answered:{step}", step=step)
        case.close("done", by)


def decide_objection(site: Site, request_id: str, *, goes_on: bool, reason: str, by: str) -> None:
    """Decide about an objection that needed weighing. Raises ``InvalidInput`` without a reason for going on."""
    if goes_on and not reason.strip():
        raise InvalidInput("Going on needs a compelling reason, which the person is told.", {"reason": "is missing"})
    with site.writing() as conn:
        case = _open(site, conn, request_id)
        if case.row.right != "objection" or case.row.verified_at is None:
            raise Refused(
                "There is no objection to decide about.", "It must have been made, by somebody who was verified."
            )
        choosing.decide(case, goes_on=goes_on, reason=reason, by=by)


def decide_review(site: Site, request_id: str, *, changed: bool, reason: str, by: str) -> None:
    """Decide again what a machine decided: ``deciding_again.decide``."""
    with site.writing() as conn:
        deciding_again.decide(_open(site, conn, request_id), changed=changed, reason=reason, by=by)


def plan(site: Site, request_id: str) -> erasing.Plan:
    """What an erasure that was asked for will do. Raises ``Refused`` when nobody is found, or it has begun."""
    with site.reading() as conn:
        row = conn.execute(select(request.c.person_id, request.c.ending_id).where(request.c.id == request_id)).first()
    if row is None or row.person_id is None or row.ending_id is not None:
        raise Refused("There is nothing to plan.", "Either it has begun, or nobody has been found.")
    return erasing.plan(site, row.person_id)


def _open(site: Site, conn: Connection, request_id: str) -> Case:
    case = load(site, conn, request_id)
    if case.row.state == CLOSED:
        raise Refused("This request is over.", "A new one can be made at any time.")
    return case


def _unverified(site: Site, conn: Connection, request_id: str) -> Case:
    case = _open(site, conn, request_id)
    if case.row.verified_at is not None:
        raise Refused("They have shown who they are.", "Nothing is left to weigh.")
    return case
