"""Objections, withdrawals and stops: in force in the transaction that records them, told to whoever has the data already.

An objection to direct marketing, and the switching off of a recipient, is absolute. Any other objection stops the use at once
and stays in force until somebody has decided about it and said why (GDPR Art. 21(1)).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, select, update

from troth.consent import actions as consent
from troth.messages.tables import message
from troth.people import dealings
from troth.people.tables import dealing
from troth.recipients.switches import say_no
from troth.retention import relationship
from troth.rights import replies, rules
from troth.rights.cases import OPEN, STAFF, SYSTEM, Case
from troth.rights.intake import authority
from troth.rights.tables import request, request_step

PARKED = "order parked"
"""the step of a request that waits since an order is open"""


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order by its number, and since when it is open."""

    ref: str
    at: datetime


def carry_out(case: Case) -> Case:
    """Record the no to everything the request is about, and close it, or leave it to be decided."""
    policy, said = case.compiled.policy, []
    for scope in case.row.about:
        _no(case, scope)
        if case.row.right == "objection" and rules.ends_business(policy, scope):
            _end_business(case)
        said.append(scope)
    relationship.refresh(case.site, case.conn, [case.person_id])
    _take_back_mail(case, said)
    case.note("stopped", SYSTEM)
    if open_orders(case.conn, case.person_id) and any(rules.holds_up(policy, scope) for scope in said):
        return _parked(case, said)
    if not said:  # whoever opts out of a sale where nothing is sold
        replies.queue(case.site, case.conn, case.id, "nothing_stopped", "chosen")
        return case.close("done")
    if case.row.right != "objection" or all(rules.is_absolute(policy, scope) for scope in said):
        replies.queue(case.site, case.conn, case.id, "chosen", "chosen", what=words_for(case, said))
        return case.close("done")
    due = case.day(case.row.due_at)
    replies.queue(
        case.site, case.conn, case.id, "stopped_until_decided", "stopped", what=words_for(case, said), due=due
    )
    return case.waits(OPEN, STAFF, case.row.due_at)


def _parked(case: Case, said: Sequence[str]) -> Case:
    """An open order that needs what was just switched off is for people to handle: nothing leaves for it by itself."""
    case.note(PARKED, SYSTEM)
    replies.queue(case.site, case.conn, case.id, "chosen", "chosen", what=words_for(case, said))
    return case.waits(OPEN, STAFF, case.row.due_at)


def _no(case: Case, scope: str) -> None:
    policy = case.site.policy(case.conn)
    known = policy.policy.recipients if scope.startswith("@") else policy.policy.purposes
    if scope.removeprefix("@") not in known:
        return  # a later version of the policy does not know it any more, so that nothing can be done under it
    state = rules.state_of_no(policy.policy, case.row.right, scope)
    words = replies.words_in(case.row.language)["rights"][case.row.right]
    say_no(case.site, case.conn, case.person_id, scope, state, words, case.row.language, case.row.channel, policy)


def _end_business(case: Case) -> None:
    """Whoever objects to being kept as a customer gives the notice that ends business; the clocks begin."""
    now = case.site.now()
    dealings.open_dealing(case.site, case.conn, case.person_id, relationship.NOTICE, f"request:{case.id}", now)


def _take_back_mail(case: Case, scopes: Sequence[str]) -> None:
    """What waits to be sent for one of these purposes leaves no more."""
    classes = [key for key, one in case.compiled.policy.messages.items() if one.for_ in scopes]
    theirs = (message.c.person_id == case.person_id) & (message.c.state == "queued") & message.c["class"].in_(classes)
    if classes:
        case.conn.execute(update(message).where(theirs).values(state="refused", because="The person said no."))


def words_for(case: Case, scopes: Sequence[str]) -> str:
    """Purposes and recipients in words of the policy."""
    speaker, policy = case.speaker, case.compiled.policy
    purposes = [speaker.text(policy.purposes[scope].label) for scope in scopes if scope in policy.purposes]
    recipients = [speaker.recipient(scope[1:]) for scope in scopes if scope[1:] in policy.recipients]
    return speaker.every([*purposes, *recipients])


def decide(case: Case, *, goes_on: bool, reason: str, by: str) -> Case:
    """Decide about an objection that needed weighing: it counts for good, or the use goes on for a reason that is told."""
    policy = case.compiled.policy
    scopes = [scope for scope in case.row.about if not rules.is_absolute(policy, scope)]
    step = case.note("overruled" if goes_on else "upheld", by, reason)
    what = words_for(case, scopes)
    if not goes_on:
        replies.queue(case.site, case.conn, case.id, "upheld", "decided", what=what)
        return case.close("done", by)
    for scope in scopes:
        words, language = reason_shown(case), case.row.language
        now_in_force = case.site.policy(case.conn)
        consent.record(case.site, case.conn, case.person_id, scope, "lifted", words, language, "decision", now_in_force)
    relationship.refresh(case.site, case.conn, [case.person_id])
    replies.queue(
        case.site, case.conn, case.id, "overruled", "decided", what=what, step=step, authority=authority(case)
    )
    return case.close("refused", by)


def reason_shown(case: Case) -> str:
    """What is kept of a decision with the choice it lifts: that there was one, never its reason, which may name somebody."""
    return f"{replies.words_in(case.row.language)['replies']['overruled']['subject']} {case.id}"


def open_orders(conn: Connection, person_id: str) -> list[str]:
    """The references of a person's open orders, which a no to a recipient may hold up."""
    return [one.ref for one in _orders(conn, person_id)]


def _orders(conn: Connection, person_id: str) -> list[OpenOrder]:
    mine = (dealing.c.person_id == person_id) & dealing.c.closed_at.is_(None)
    orders = dealing.c.kind.in_(sorted(relationship.PURCHASES))
    query = select(dealing.c.ref, dealing.c.at).where(mine, orders).order_by(dealing.c.at)
    return [OpenOrder(*row) for row in conn.execute(query)]


def waited_for(conn: Connection, person_id: str) -> Mapping[str, tuple[OpenOrder, ...]]:
    """Of each request of a person that waits since an order was open, the orders that are open now."""
    parked = exists().where(request_step.c.request_id == request.c.id, request_step.c.act == PARKED)
    mine = (request.c.person_id == person_id) & (request.c.state == OPEN)
    waiting = conn.scalars(select(request.c.id).where(mine, parked)).all()
    orders: dict[str, OpenOrder] = {}
    for one in _orders(conn, person_id) if waiting else ():
        orders.setdefault(one.ref, one)  # an order that was paid has a dealing more, of the same number
    return dict.fromkeys(map(str, waiting), tuple(orders.values()))
