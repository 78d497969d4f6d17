"""Before an answer leaves: what people wrote freely and may tell of somebody else is shown to staff, who say what is masked.

What could go wrong: a copy that tells one person about another; one that is refused whole for a telephone number; an answer
that waits for ever. So a copy whose right the policy limits by `reveals another person` waits for staff only when
something was found that looks like another person's, and is due as before; what staff ticked is kept sealed with the request's
paper and left out of everything that its link shows; the rest is shown. A mask names a place in a record and the text that
stood there; where that was changed since, the whole field is left out. It goes with the paper, which outlives every link.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import astuple, dataclass

from sqlalchemy import Connection, Row, select

from troth.errors import Refused
from troth.people.vault import By, Held, everything
from troth.policy.model import Policy
from troth.rights import papers, rules
from troth.rights.cases import CARRYING, OPEN, STAFF, SYSTEM, Case, load
from troth.rights.copy.masks import NONE, Masks, Span, suggest
from troth.rights.intake import goes_on
from troth.rights.rules import log_over
from troth.rights.tables import reply, request, request_step
from troth.store import versions
from troth.store.site import Site

REVIEW, REVIEWED = "review", "reviewed"
LIMIT = "reveals another person"
"""as `limits` of a right says it"""
AROUND = 40
"""signs before and after what was found, by which staff see whose it is"""


@dataclass(frozen=True, slots=True)
class Found:
    """Something that may be another person's: its number in a form, the field, and the text with a little around it."""

    number: str
    field: str
    looks_like: str
    before: str
    text: str
    after: str
    span: Span


def needed(site: Site, request_id: str) -> bool:
    """Whether a copy that is about to be answered has to be looked at first. Asked outside of any transaction."""
    with site.reading() as conn:
        row = conn.execute(select(request).where(request.c.id == request_id)).first()
        if row is None or row.state != CARRYING or row.person_id is None or not _is_limited(conn, row):
            return False
        if _noted(conn, request_id, REVIEWED) or _answered(conn, request_id):
            return False
        policy = versions.deciding(conn, row.policy_version).policy
    try:
        return bool(_found(site, row.person_id, policy))
    except Refused:  # there is nobody to be seen any more, which is for whoever carries it out to say
        return False


def _is_limited(conn: Connection, row: Row[tuple[object, ...]]) -> bool:
    """Whether the policy masks other people in such an answer, and it leaves by a link: a member reads what they wrote."""
    if row.right not in rules.COPIES or row.channel == "account":
        return False
    policy = versions.deciding(conn, row.policy_version).policy
    return any(one.right == row.right and LIMIT in one.limits for one in policy.rights.values())


def _noted(conn: Connection, request_id: str, act: str) -> bool:
    mine = (request_step.c.request_id == request_id) & (request_step.c.act == act)
    return conn.execute(select(request_step.c.id).where(mine).limit(1)).first() is not None


def _answered(conn: Connection, request_id: str) -> bool:
    mine = (reply.c.request_id == request_id) & (reply.c.template == "data")
    return conn.execute(select(reply.c.id).where(mine).limit(1)).first() is not None


def hold(case: Case) -> Case:
    """Let a request wait for staff to look at what was found, in the case's transaction."""
    case.note(REVIEW, SYSTEM)
    return case.waits(OPEN, STAFF, case.row.due_at)


def waits(conn: Connection, request_id: str) -> bool:
    """Whether a request waits for staff to say what is masked."""
    return _noted(conn, request_id, REVIEW) and not _noted(conn, request_id, REVIEWED)


def found(site: Site, request_id: str) -> list[Found]:
    """What staff are to look at; nothing when the request does not wait for that. Reading it is on the ledger."""
    with site.reading() as conn:
        row = conn.execute(select(request).where(request.c.id == request_id)).first()
        if row is None or row.state != OPEN or row.person_id is None or not waits(conn, request_id):
            return []
        policy = versions.deciding(conn, row.policy_version).policy
    try:
        return _found(site, row.person_id, policy)
    except Refused:
        return []


def _found(site: Site, person_id: str, policy: Policy) -> list[Found]:
    records: dict[str, Held] = {one.id: one for one in everything(site, person_id, By("person", ref=person_id))}
    return [_shown(records[one.span.holding], one.span, one.looks_like) for one in suggest(policy, records.values())]


def _shown(held: Held, span: Span, looks_like: str) -> Found:
    text, start, end = held.fields[span.field], span.start, span.end
    before, after = text[max(0, start - AROUND) : start], text[end : end + AROUND]
    number = f"{span.holding}.{span.field}.{start}.{end}"
    return Found(number, span.field, looks_like, before, text[start:end], after, span)


def decide(site: Site, request_id: str, masked: Collection[str], by: str) -> int:
    """Mask what was found under the numbers of ``masked``, and let the answer go; how much that was.

    Raises:
        Refused: when the request does not wait for that, or a number stands for nothing that was found.
    """
    shown = {one.number: one.span for one in found(site, request_id)}
    if not shown or not shown.keys() >= set(masked):
        raise Refused("There is nothing to mask.", "Somebody has done it, or what was found has changed.")
    with site.writing() as conn:
        case = load(site, conn, request_id)
        if case.row.state != OPEN or not waits(conn, request_id):
            raise Refused("There is nothing to mask.", "Somebody has done it, or what was found has changed.")
        papers.keep_masks(site, conn, case.id, case.row.at, _written([shown[one] for one in sorted(masked)]))
        case.note(REVIEWED, by)
        goes_on(case)
    return len(masked)


def _written(spans: Collection[Span]) -> str:
    return json.dumps([astuple(one) for one in spans])


def masks(site: Site, conn: Connection, row: Row[tuple[object, ...]]) -> Masks:
    """What staff decided to leave out of what a request's link shows."""
    if not _noted(conn, row.id, REVIEWED):
        return NONE
    over = log_over(versions.deciding(conn, row.policy_version), site.now())
    written = papers.read(site, conn, row.id, over).get(papers.MASKS, "[]")
    return Masks(spans=frozenset(Span(*one) for one in json.loads(written)))
