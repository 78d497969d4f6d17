"""A request as its sender knows it: found by its number, how it stands, taken back, its results.

What could go wrong: a controller that takes back what the person themselves asked for; an answer that lands with somebody who
was never trusted with it; one peer that sees another's requests. So a request is found by protocol, sender and number
together; what joined an open request, or was joined since, is left by its sender and not cancelled; and where the answer is
somebody's data, the sender gets a link to it only when ``site.yaml`` says that this sender vouches for people and the request
rests on that, and otherwise nobody but the person does.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime

from sqlalchemy import Connection, select, update

from troth.messages.links import once_token
from troth.rights import links
from troth.rights.carrying import cancel_in
from troth.rights.cases import CARRYING, CLOSED, OPEN, VERIFYING, Case, load
from troth.rights.protocols.tables import protocol_request
from troth.rights.protocols.telling import note_change
from troth.rights.replies import PAGES
from troth.rights.rules import COPIES
from troth.rights.tables import request, request_link, request_step
from troth.store.site import Site

OPENDSR, DRP = "opendsr", "drp"
LEFT = "left"
"""what a sender was told who took back a request that others wanted, too: for them it is cancelled"""
PENDING = frozenset({VERIFYING, OPEN})
NOT_ENDED = PENDING | {CARRYING}
ANSWERED = frozenset({"done", "partly done"})


@dataclass(frozen=True, slots=True)
class Known:
    """A request as its sender knows it, and how it stands."""

    id: str
    protocol: str
    peer: str
    number: str
    reference: str
    joined: int
    received_at: datetime
    told: str
    told_at: datetime
    callbacks: str
    request_id: str
    link: str | None
    right: str
    state: str
    outcome: str
    due_at: datetime
    verified_by: str


_ITS = ("right", "state", "outcome", "due_at", "verified_by")
_OWN = [one.name for one in fields(Known) if one.name not in _ITS]
_KNOWN = select(*(protocol_request.c[name] for name in _OWN), *(request.c[name] for name in _ITS)).join(
    request, request.c.id == protocol_request.c.request_id
)


def known(site: Site, protocol: str, peer: str, number: str) -> Known | None:
    """The request that ``peer`` knows under ``number``; None when it is not theirs, or is not there."""
    theirs = (protocol_request.c.protocol == protocol) & (protocol_request.c.peer == peer)
    with site.reading() as conn:
        row = conn.execute(_KNOWN.where(theirs, protocol_request.c.number == number)).first()
    return _as_told(Known(**row._mapping)) if row is not None else None


def by_id(conn: Connection, row_id: str) -> Known | None:
    """The request of one row; None when it is forgotten."""
    row = conn.execute(_KNOWN.where(protocol_request.c.id == row_id)).first()
    return _as_told(Known(**row._mapping)) if row is not None else None


def _as_told(one: Known) -> Known:
    return replace(one, state=CLOSED, outcome="cancelled") if one.told == LEFT else one


def take_back(site: Site, one: Known, states: frozenset[str]) -> bool:
    """Cancel a request that is in one of ``states``, or leave it where others want it, too; False when it is too late.

    What was cancelled already stays so, which is true as well.
    """
    if one.outcome == "cancelled":
        return True
    with site.writing() as conn:
        case = load(site, conn, one.request_id)  # locked: whoever would join it now comes after
        if case.row.state not in states:
            return False
        if one.joined or _joined(conn, one.request_id):
            note_change(site, conn, one.id, one.callbacks, LEFT, ended=True)
            return True
        return cancel_in(case, by=one.protocol)


def _joined(conn: Connection, request_id: str) -> bool:
    mine = (request_step.c.request_id == request_id) & (request_step.c.act == "joined")
    return conn.execute(select(request_step.c.id).where(mine).limit(1)).first() is not None


def results_url(site: Site, one: Known, vouches: bool) -> str:
    """A link to the answer that is good for once; blank when there is none for this sender, or it was used or has ended."""
    rests = one.verified_by == "mandate" and vouches and not one.joined
    if not rests or one.right not in COPIES or one.state != CLOSED or one.outcome not in ANSWERED:
        return ""
    with site.writing() as conn:
        case = load(site, conn, one.request_id)  # locked, so that two who ask at once get one link
        mine = protocol_request.c.id == one.id
        link = conn.scalar(select(protocol_request.c.link).where(mine)) or _new_link(site, conn, case, one.id)
        good = (request_link.c.id == link) & (request_link.c.ends_at > site.now()) & request_link.c.used_at.is_(None)
        still = conn.execute(select(request_link.c.id).where(good)).first() is not None
    base = site.wiring.base_url.rstrip("/")
    return f"{base}/{PAGES[links.DATA]}/{once_token(site, link)}" if still else ""


def _new_link(site: Site, conn: Connection, case: Case, row_id: str) -> str:
    made = links.issue(site, conn, case.id, links.DATA, case.link_lasts)
    conn.execute(update(protocol_request).where(protocol_request.c.id == row_id).values(link=made))
    return made
