"""What time does to requests: the worker's task. Nothing waits for ever: everyone a request waits for has a deadline.

Whoever never confirmed, an erasure that was destroyed, an answer that left, a mail that failed, a request that is due soon:
each is found by a query over the state alone, so that a turn that was lost costs minutes. What is late is an alarm.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, literal, or_, select

from troth import agenda
from troth.agenda import Job
from troth.messages.compose import Letter, compose
from troth.messages.post import LEAVES_WITHIN, hand_over
from troth.policy.notice.language import Speaker, language
from troth.retention.alarms import Alarm
from troth.retention.tables import ending
from troth.rights import erasing, papers, replies, rules
from troth.rights.cases import CARRYING, OPEN, STAFF, SYSTEM, VERIFYING, Case, load
from troth.rights.intake import ask_to_confirm
from troth.rights.replies import words_in
from troth.rights.tables import reply, request, request_link, request_log, request_paper, request_step
from troth.store.site import Site

REMIND = "request:remind"
_open = request.c.closed_at.is_(None)


def follow(site: Site) -> int:
    """Move on every request whose time has come, a transaction each; how many there were."""
    with site.reading() as conn:
        found = [str(one) for one in conn.scalars(_moved(site.now()))]
    for request_id in found:
        with site.writing() as conn:
            _followed(load(site, conn, request_id))
    return len(found) + _swept(site)


def _moved(now: datetime) -> Any:
    """The query for requests that something has happened to, or that a deadline has come for."""
    ended = ending.c.id == request.c.ending_id
    moved = ending.c.state.in_(("destroyed", "complete", "restored"))
    told = select(reply.c.id).where(reply.c.request_id == request.c.id, reply.c.template == "data")
    answered = told.where(reply.c.state.in_((replies.SENT, replies.PRINTED, replies.FAILED, replies.TO_PRINT))).exists()
    soon = max(rules.REMIND)
    causes = or_(
        and_(request.c.state == VERIFYING, or_(request.c.waits_until <= now, _unreachable())),
        and_(request.c.state == CARRYING, request.c.ending_id.is_not(None), moved),
        and_(request.c.state == CARRYING, request.c.ending_id.is_(None), answered),
        and_(request.c.due_at <= now + soon, request.c.due_at > now, request.c.state != VERIFYING),
    )
    joined = request.outerjoin(ending, ended)
    return select(request.c.id).select_from(joined).where(_open, causes).order_by(request.c.due_at)


def _unreachable() -> ColumnElement[bool]:
    """Whether no mail to confirm a request ever arrived, or can still arrive: whoever made it knows of none."""
    asked = select(reply.c.id).where(reply.c.request_id == request.c.id, reply.c.template == "confirm")
    failed = asked.where(reply.c.state == replies.FAILED).exists()
    return failed & ~asked.where(reply.c.state != replies.FAILED).exists()


def _followed(case: Case) -> None:
    now = case.site.now()
    if case.row.state == VERIFYING and case.conn.scalar(
        select(_unreachable()).select_from(request).where(request.c.id == case.id)
    ):
        _left_to_staff(case)
    elif case.row.state == VERIFYING and case.row.waits_until <= now and case.row.waits_for == SYSTEM:
        case = ask_to_confirm(case)
    elif case.row.state == VERIFYING and case.row.waits_until <= now:
        replies.queue(case.site, case.conn, case.id, "not_verified", "not-verified")
        case.close("not verified")
    elif case.row.state == CARRYING and case.row.ending_id is not None:
        erasing.follow(case)
    elif case.row.state == CARRYING:
        case = _answered(case)
    if case.row.closed_at is None and rules.reminder_due(case.row.due_at, case.row.reminded_at, now):
        _remind(case, now)


def _answered(case: Case) -> Case:
    """Answered when the mail server has the answer or it was printed; what cannot be delivered waits for staff."""
    query = select(reply.c.state).where(reply.c.request_id == case.id, reply.c.template == "data")
    states = set(case.conn.scalars(query))
    if states & {replies.SENT, replies.PRINTED}:
        return case.close("done")
    if states & {replies.FAILED, replies.TO_PRINT}:
        return _left_to_staff(case)
    return case


def _left_to_staff(case: Case) -> Case:
    """Mail does not reach them: people find another way."""
    case.note("cannot deliver", "system")
    return case.waits(OPEN, STAFF, case.row.due_at)


def _remind(case: Case, now: datetime) -> None:
    key, late = f"{REMIND}:{case.id}:{now.date()}", now + LEAVES_WITHIN
    agenda.put(case.conn, REMIND, key, case.id, due_at=now, at=now, deadline=late)
    case.change(reminded_at=now)


def remind(site: Site, job: Job) -> None:
    """Write to the operator's own address that a request is due soon; it names nobody.

    Raises:
        Undelivered: when the mail server does not take it; the agenda tries again.
    """
    with site.reading() as conn:
        row = conn.execute(select(request).where(request.c.id == job.ref, _open)).first()
        policy = site.policy(conn).policy
    if row is None or site.wiring.mail is None or not policy.operator.email:
        return
    hand_over(site.wiring.mail, compose(_reminder(site, row, policy.policy.languages[0], policy.operator.email, job)))


def _reminder(site: Site, row: Row[Any], tag: str, to: str, job: Job) -> Letter:
    words = words_in(tag)
    policy = site.policy().policy
    due = Speaker(policy, language(tag)).date(row.due_at.date())
    values = {"number": row.id, "right": words["rights"][row.right], "due": due}
    lines = [str(line).format_map(values) for line in words["reminder"]["lines"]]
    subject = str(words["reminder"]["subject"]).format_map(values)
    terms = {"title": subject, "lines": lines, "link": "", "link_words": "", "notice": site.wiring.base_url}
    assert site.wiring.mail is not None
    operator = policy.operator.name or site.wiring.title
    return Letter(job.id, "request", tag, terms, operator, site.wiring.mail.sender, to, site.now())


def alarms(site: Site) -> Iterator[Alarm]:
    """Requests that nobody has answered in time."""
    with site.reading() as conn:
        late = conn.execute(select(request.c.id, request.c.due_at).where(_open, request.c.due_at <= site.now())).all()
    for row in late:
        yield Alarm("request late", row.id, row.due_at, "A request was not answered in time.")


def _swept(site: Site) -> int:
    """Take away what is on record of requests past the time of their log, and links that are over."""
    now = site.now()
    with site.reading() as conn:
        over = rules.log_over(site.policy(conn), now)
        links_over = conn.execute(select(literal(1)).where(request_link.c.ends_at <= now).limit(1)).first()
        records_over = _records_over(conn, over)
    if links_over:
        with site.writing() as conn:
            conn.execute(delete(request_link).where(request_link.c.ends_at <= now))
    return papers.sweep(site, over) if records_over or papers.KEYS.keys_before(site, over.date()) else 0


def _records_over(conn: Connection, over: datetime) -> bool:
    by_age = [table.c.at <= over for table in (request_log, request_paper, request_step)]
    looks = (select(literal(1)).where(one).limit(1) for one in (*by_age, papers.past(over)))
    return any(conn.execute(one).first() is not None for one in looks)
