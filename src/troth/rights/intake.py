"""Requests coming in: recorded whole in one transaction, joined to one that is open already, and sent on their way.

What could go wrong: a request that is answered for somebody else; one that is lost between its arrival and its first step; the
same one arriving twice, by post and by mail, and both running; an answer that tells a stranger who is known here. So nothing is
done before whoever asks has shown that they read the mail at the address on file, or logged in, or convinced a member of staff;
what comes next is on the agenda in the transaction that records the request; one person has one open request of a kind; and
whoever is unknown is told so at the address they gave, where only its reader learns it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from troth import agenda
from troth.accounts.actions import by_address
from troth.errors import InvalidInput
from troth.ids import new_id
from troth.ledger import events
from troth.messages.rules import addresses
from troth.people import vault
from troth.people.vault import By
from troth.policy.compile import Compiled
from troth.policy.notice.language import LANGUAGES
from troth.policy.rules import OWN_ACCESS
from troth.rights import links, mail_limits, papers, replies, rules
from troth.rights.cases import CARRYING, OPEN, PERSON, STAFF, SYSTEM, VERIFYING, Case, load
from troth.rights.rules import Intake, Terms
from troth.rights.tables import request
from troth.store.site import Site
from troth.store.turns import take_turns

CARRY = "request:carry"
LONGEST = 20_000
"""characters of what somebody writes"""
_KEY = re.compile(r"[!-~]{1,64}")


@dataclass(frozen=True, slots=True)
class Received:
    """What came of an intake: the request, how far it is, by when it is answered, and whether it joined an open one."""

    id: str
    state: str
    due_at: datetime
    joined: bool
    waits: bool = False
    """whether a store failed after it was recorded, so that the agenda carries it out"""


def receive(site: Site, intake: Intake) -> Received:
    """Take in a request and do at once what can be done at once.

    Raises:
        InvalidInput: when it names no right, no way in, or a key that is none or another request's. Nothing was recorded.
        StoreError: when a store is locked or gone. Nothing was recorded.
    """
    intake = _with_address(site, intake)
    with site.writing() as conn:
        received = receive_in(site, conn, intake)
    return begun(site, received)


def begun(site: Site, received: Received) -> Received:
    """Do at once, after the commit, what can be done at once. It fails no more: what a store keeps from being done waits."""
    from troth.rights.carrying import at_once  # which needs what stands here

    if received.state != CARRYING or received.joined:
        return received
    state = at_once(site, received.id)
    return replace(received, state=state or CARRYING, waits=state is None)


def receive_in(site: Site, conn: Connection, intake: Intake) -> Received:
    """As ``receive``, in the caller's transaction; what is to be done is on the agenda and begins after the commit."""
    _refuse_the_unfit(intake, site.now())
    mark = papers.mark_of(site, intake.email) if intake.email else b""
    take_turns(conn, f"request:{intake.key}", f"request-of:{intake.member or mark.hex()}")
    if before := conn.execute(select(request).where(request.c.key == intake.key)).first():
        _refuse_anothers(conn, intake, before, mark)
        return Received(before.id, before.state, before.due_at, joined=True)
    compiled = site.policy(conn)
    person_id = intake.member or (by_address(site, conn, intake.email) if intake.email else None)
    if there := _to_join(conn, compiled, intake, person_id, mark):
        return _joined(site, conn, intake, there)
    return _taken_in(site, conn, compiled, intake, person_id, mark)


def _refuse_the_unfit(intake: Intake, now: datetime) -> None:
    problems = {}
    if intake.right not in rules.RIGHTS:
        problems["right"] = "There is no such right."
    if intake.channel not in rules.CHANNELS:
        problems["channel"] = "There is no such way."
    if not _KEY.fullmatch(intake.key):
        problems["key"] = "A request needs a key of 1 to 64 visible ASCII characters."
    if intake.language not in LANGUAGES:
        problems["language"] = "There are no answers in this language."
    if intake.at is not None and not now - rules.LAY_AT_MOST <= intake.at <= now:
        problems["at"] = "It cannot have been received then."
    lengths = {"text": (intake.text, LONGEST), "name": (intake.name, 200), "email": (intake.email, 320)}
    problems |= {one: "This is too long." for one, (said, most) in lengths.items() if len(said) > most}
    if problems:
        raise InvalidInput("This is no request that we can take in. Nothing was recorded.", problems)


def _refuse_anothers(conn: Connection, intake: Intake, before: Row[Any], mark: bytes) -> None:
    """A key brings back the request it stands for, and never one that asks for something else or for somebody else.

    Raises:
        InvalidInput: when ``before`` is of another right, unless staff sorted it since, or of another person or address.
    """
    came = papers.mark_kept(conn, before.id)
    others = bool(mark) and came is not None and came != mark
    if intake.member:
        others = before.person_id != intake.member
    if others or (before.right != intake.right and not papers.was_sorted(conn, before.id)):
        raise InvalidInput("This key is that of another request. Nothing was recorded.", hint="Each needs its own.")


def _with_address(site: Site, intake: Intake) -> Intake:
    """Whoever is logged in is written to at the address on file, kept with the request since it may outlive what is held."""
    fields = addresses(site.policy().policy)
    if intake.email or intake.member is None or not fields:
        return intake
    read = vault.read(site, intake.member, fields, OWN_ACCESS, By("person", ref=intake.member)).values
    return replace(intake, email=next((read[key] for key in sorted(fields) if read.get(key)), ""))


def _to_join(
    conn: Connection, compiled: Compiled, intake: Intake, person_id: str | None, mark: bytes
) -> Row[Any] | None:
    """An open request of the same kind and the same things, of the same person or from the same address; locked."""
    same = (request.c.right == intake.right) & (request.c.closed_at.is_(None))
    query = select(request).where(same).order_by(request.c.at).with_for_update()
    if person_id is not None:
        mine = query.where(request.c.person_id == person_id)
    elif mark:
        came = papers.came_from(conn, mark, _LONG_AGO)
        mine = query.where(request.c.person_id.is_(None), request.c.id.in_(came))
    else:
        return None
    about = list(_about(compiled, intake))
    return next((row for row in conn.execute(mine) if row.about == about and not intake.changes), None)


_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _about(compiled: Compiled, intake: Intake) -> tuple[str, ...]:
    return rules.about(compiled.policy, intake.right, intake.about, intake.changes.keys())


def _joined(site: Site, conn: Connection, intake: Intake, there: Row[Any]) -> Received:
    """The same wish again: logged and noted with the one that is open, with its own words; whoever is known moves it on."""
    case = load(site, conn, there.id)
    entered = new_id(site.now())
    case.note("joined", intake.by or PERSON, intake.text)
    case.tell(events.REQUEST_RECEIVED, joined=1, **_logged(site, conn, intake, entered))
    if case.row.state == VERIFYING and intake.vouched:
        case = vouched_for(case, intake.vouched)
    elif case.row.state == VERIFYING:
        ask_to_confirm(case)
    return Received(case.id, case.row.state, case.row.due_at, joined=True)


def _logged(site: Site, conn: Connection, intake: Intake, entry_id: str) -> dict[str, object]:
    """Enter it into the log; what the ledger is told of the row."""
    log, at = site.policy(conn).policy.request_log, intake.at or site.now()
    fields = rules.logged(log.records if log else (), site.policy(conn).policy, intake)
    return {"entry": entry_id, "received": at, "log": papers.log(site, conn, entry_id, at, intake.channel, fields)}


def _taken_in(
    site: Site, conn: Connection, compiled: Compiled, intake: Intake, person_id: str | None, mark: bytes
) -> Received:
    now, terms = intake.at or site.now(), rules.terms(compiled, intake.right)
    made = new_id(site.now())
    row: dict[str, Any] = {"id": made, "key": intake.key, "right": intake.right, "channel": intake.channel}
    row |= {"language": intake.language, "person_id": person_id, "policy_version": compiled.version}
    due = terms.due(compiled.calendar, now)
    row |= {"about": list(_about(compiled, intake)), "at": now, "due_at": due, "extended": 0}
    row |= {"state": OPEN, "waits_for": STAFF, "waits_until": due, "verified_by": "", "failures": 0}
    conn.execute(insert(request), row | {"outcome": ""})
    papers.keep(site, conn, made, now, intake)
    case = load(site, conn, made)
    case.note("received", intake.by or PERSON)
    case.tell(
        events.REQUEST_RECEIVED,
        channel=intake.channel,
        **_logged(site, conn, intake, made),
        due=case.row.due_at,
    )
    case = _sent_on_its_way(case, intake, terms)
    return Received(made, case.row.state, case.row.due_at, joined=False)


def _sent_on_its_way(case: Case, intake: Intake, terms: Terms) -> Case:
    known = case.row.person_id is not None
    step = rules.next_step(intake.right, terms, known=known, verified=bool(intake.vouched), by_staff=bool(intake.by))
    if step == "carry out":
        return vouched_for(case, intake.vouched) if intake.vouched else goes_on(case)
    if step == "verify":
        return ask_to_confirm(case)
    if step == "not found":
        _reply(case, "not_found", "not-found")
        return case.close("not found")
    if intake.silent:
        return case
    kind = "complaint" if intake.right == "complaint" else "received"
    _reply(case, kind, "received", due=case.day(case.row.due_at), authority=authority(case))
    return case


def vouched_for(case: Case, how: str, by: str = PERSON) -> Case:
    """Whoever asked has shown who they are; what they asked for is carried out, after this transaction."""
    if case.row.verified_at is None:
        case.note("verified", by)
        case.tell(events.REQUEST_VERIFIED, how=how)
        case = case.change(verified_at=case.site.now(), verified_by=how)
    return goes_on(case)


def goes_on(case: Case) -> Case:
    """Put what the request asks for on the agenda: again, when it came back from there to be read or decided by staff."""
    now, key = case.site.now(), f"{CARRY}:{case.id}"
    if not agenda.put(case.conn, CARRY, key, case.id, due_at=now, at=now):
        agenda.put(case.conn, CARRY, f"{key}:{new_id(now)}", case.id, due_at=now, at=now)
    return case.waits(CARRYING, SYSTEM, case.row.due_at)


def ask_to_confirm(case: Case) -> Case:
    """Send a link to the address on file, which is the one that was given; a few times a day and no more.

    The time to confirm counts from the first such mail. While it may not leave, the request waits for the day on which it may.
    """
    site, now, conn = case.site, case.site.now(), case.conn
    reachable, asked = papers.mark_kept(conn, case.id) is not None, mail_limits.was_asked(conn, case.id)
    begun = case.row.state == VERIFYING and (asked or not reachable)
    case = case.waits(VERIFYING, PERSON, case.row.waits_until if begun else now + rules.VERIFY_WITHIN)
    if not reachable:
        return case
    if mail_limits.enough(conn, case.row, now):
        return case if asked else case.waits(VERIFYING, SYSTEM, mail_limits.free_at(conn, case.row, now))
    link = links.issue(site, case.conn, case.id, links.CONFIRM, case.link_lasts)
    lasts = case.speaker.duration(case.terms.link_life)
    replies.queue(site, case.conn, case.id, "confirm", f"confirm:{link}", link=link, opens=links.CONFIRM, lasts=lasts)
    return case


def _reply(case: Case, kind: str, key: str, **values: str) -> None:
    replies.queue(case.site, case.conn, case.id, kind, key, **values)


def authority(case: Case) -> str:
    """Whom people can complain to about the operator, in words."""
    found = rules.authority(case.compiled.policy)
    return f"{found.name} ({found.url})" if found and found.url else found.name if found else ""
