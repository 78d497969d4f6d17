"""Carrying requests out: for each right one act, in the transaction that moves its request on.

What could go wrong: an act without its request having moved on, which is then done twice; or the other way round, which is
never. So both are one transaction, found again by the state of the request alone; a process that dies anywhere leaves a job
that does what was not done.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from troth.accounts import actions as accounts
from troth.agenda import Job, settle
from troth.errors import InvalidInput, Refused, TrothError
from troth.people import vault
from troth.rights import choosing, correcting, deciding_again, erasing, links, replies, restricting, reviewing
from troth.rights.cases import CARRYING, CLOSED, OPEN, STAFF, SYSTEM, VERIFYING, Case, load, seen
from troth.rights.copy.masks import Masks
from troth.rights.intake import CARRY, vouched_for
from troth.rights.links import Opened
from troth.rights.rules import CANCEL
from troth.rights.tables import reply
from troth.store.site import Site
from troth.store.turns import take_turns
from troth.visits.rules import nameless

_log = logging.getLogger("troth.rights")


def carry(site: Site, request_id: str) -> str:
    """Do what a verified request asks for; nothing when it was done, taken back, or is for staff. How far it is then."""
    to_review = reviewing.needed(site, request_id)
    with site.writing() as conn:
        take_turns(conn, f"carry:{request_id}")
        case = load(site, conn, request_id)
        if case.row.state == CARRYING and case.row.waits_for == SYSTEM and case.row.ending_id is None:
            reviewing.hold(case) if to_review else _carried_out(case)
        settle(conn, f"{CARRY}:{request_id}", site.now())
        return str(load(site, conn, request_id).row.state)


def at_once(site: Site, request_id: str) -> str | None:
    """``carry`` for a request that is recorded and on the agenda. How far it is then; None when it waits for the agenda.

    A store that fails now has recorded it nevertheless, so whoever asked is never told to ask again.
    """
    try:
        return carry(site, request_id)
    except TrothError as error:
        _log.warning("%s: a request waits for the agenda: %s", site.name, error.message)
        return None


def handle(site: Site, job: Job) -> None:
    """``carry`` for the agenda."""
    carry(site, job.ref)


def _carried_out(case: Case) -> Case:
    if case.row.person_id is None or vault.kind_of(case.conn, case.row.person_id) is None:
        case.note("nobody there", SYSTEM)
        return case.close("not found")
    act = ACTS.get(case.row.right, _left_to_staff)
    return act(case)


def _answer(case: Case) -> Case:
    """The link to their data; the request is answered when the mail server has it, or when it was printed."""
    sent = case.conn.scalar(select(reply.c.state).where(reply.c.request_id == case.id, reply.c.template == "data"))
    if sent is None:
        link = links.issue(case.site, case.conn, case.id, links.DATA, case.link_lasts)
        lasts = case.speaker.duration(case.terms.link_life)
        replies.queue(case.site, case.conn, case.id, "data", "data", link=link, opens=links.DATA, lasts=lasts)
        case.note("answer ready", SYSTEM)
        if case.row.channel == "account":  # they are looking at it
            return case.close("done")
    return case


def _restrict(case: Case) -> Case:
    restricting.restrict(case.site, case.conn, case.person_id)
    case.note("restricted", SYSTEM)
    replies.queue(case.site, case.conn, case.id, "restricted", "restricted", visits=_not_covered(case))
    return case.close("done")


def _not_covered(case: Case) -> str:
    """What a restriction does not reach, in words: visits, of which nobody can tell whose they are."""
    kept = nameless(case.site.policy(case.conn))
    said = str(replies.words_in(case.row.language)["said"]["visits"])
    return said.format(keep=case.speaker.duration(kept)) if kept else ""


def _close_account(case: Case) -> Case:
    try:
        accounts.cancel_in(case.site, case.conn, case.person_id)
    except Refused:
        return _left_to_staff(case)  # there is none to close: somebody must see what they meant
    replies.queue(case.site, case.conn, case.id, "closed_account", "closed-account")
    return case.close("done")


def _left_to_staff(case: Case) -> Case:
    """What names no right that can be carried out is for people to read, sort or answer."""
    return case.waits(OPEN, STAFF, case.row.due_at)


ACTS: Mapping[str, Callable[[Case], Case]] = {
    "access": _answer,
    "copy": _answer,
    "portability": _answer,
    "correction": correcting.carry_out,
    "erasure": erasing.begin,
    "restriction": _restrict,
    "objection": choosing.carry_out,
    "withdrawal": choosing.carry_out,
    "stop marketing": choosing.carry_out,
    CANCEL: _close_account,
    "review": deciding_again.carry_out,
}


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What came of a confirmation: the request, what it asks for, how far it is and by when."""

    id: str
    right: str
    state: str
    due_at: datetime
    waits: bool = False
    """whether a store failed after it was confirmed, so that the agenda carries it out"""


def confirm(site: Site, secret: str) -> Confirmed:
    """Redeem a link that confirms a request, and carry it out.

    Raises:
        InvalidInput: when the link is not, or no longer, good.
    """
    with site.writing() as conn:
        opened = links.redeem(site, conn, secret, links.CONFIRM)
        case = load(site, conn, opened.request_id) if opened else None
        if case is None or case.row.state != VERIFYING:
            raise InvalidInput("This link is no longer good.", hint="It works once; you can ask again at any time.")
        row = vouched_for(case, "link").row
    state = at_once(site, row.id)
    return Confirmed(row.id, row.right, state or row.state, row.due_at, waits=state is None)


def open_data(site: Site, secret: str) -> str:
    """Redeem a link to somebody's data; the secret of the visit that begins with it.

    Raises:
        InvalidInput: when the link is not, or no longer, good, or its person is gone.
    """
    with site.writing() as conn:
        opened = links.redeem(site, conn, secret, links.DATA)
        case = load(site, conn, opened.request_id) if opened else None
        if case is None or case.row.person_id is None or vault.kind_of(conn, case.row.person_id) is None:
            raise InvalidInput("This link is no longer good.", hint="It works once; you can ask again at any time.")
        case.note("opened", "person")
        return links.begin_visit(site, conn, case.id)


def visitor(site: Site, secret: str) -> tuple[Opened, str, Masks] | None:
    """Request and person of a visit that still lasts, and what it does not show; None when it is over or its person gone."""
    opened = links.look(site, secret, links.VISIT) if secret else None
    if opened is None:
        return None
    with site.reading() as conn:
        case = seen(site, conn, opened.request_id)
        there = case.row.person_id is not None and vault.kind_of(conn, case.row.person_id) is not None
        return (opened, case.person_id, reviewing.masks(site, conn, case.row)) if there else None


def undo(site: Site, secret: str) -> str:
    """Redeem a link that takes an erasure back; the number of the request.

    Raises:
        InvalidInput: when the link is not, or no longer, good.
        Refused: when everything is destroyed.
    """
    with site.writing() as conn:
        opened = links.redeem(site, conn, secret, links.UNDO)
        if opened is None:
            raise InvalidInput("This link is no longer good.", hint="What is destroyed cannot be brought back.")
        erasing.undo(load(site, conn, opened.request_id))
        return opened.request_id


def cancel(site: Site, request_id: str, by: str) -> bool:
    """Take a request back while nothing irreversible has happened; False when it is over, or can no longer be."""
    with site.writing() as conn:
        return cancel_in(load(site, conn, request_id), by)


def cancel_in(case: Case, by: str) -> bool:
    """As ``cancel``, in the case's transaction."""
    if case.row.state == CLOSED:
        return False
    if case.row.ending_id is not None:
        try:
            erasing.undo(case, by)
        except Refused:
            return False
        return True
    links.end(case.conn, case.id)
    replies.queue(case.site, case.conn, case.id, "cancelled", "cancelled")
    case.close("cancelled", by)
    return True
