"""Logging in and staying in.

What could go wrong: guessing, by trying often or by watching the words and the time of an answer; a cookie that still opens
something after its member left, was suspended or was erased; a session that somebody else chose. So every try is counted
against the member, or the address that is nobody's, before the password is looked at; one sentence answers all of them, after
the same work; the secret of a session is made at the log-in, 256 random bits of which the store keeps the SHA-256; and each
request asks anew whether its member may still be here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select

from troth.accounts import once, tries
from troth.accounts.actions import LOG_IN, OWN_PASSWORD, by_address, spelt
from troth.accounts.factors import passkeys
from troth.accounts.factors.codes import are_on, right
from troth.accounts.factors.halves import Half
from troth.accounts.factors.halves import begin as begin_half
from troth.accounts.factors.halves import end as end_half
from troth.accounts.factors.halves import end_all as end_halves
from troth.accounts.factors.halves import whose as whose_half
from troth.accounts.factors.rules import may_try_codes
from troth.accounts.tables import account, session
from troth.decide import Ask
from troth.errors import Refused
from troth.logins.digests import Session, digest_of, new_secret
from troth.logins.passwords import matches
from troth.people import dealings
from troth.people.tables import person
from troth.policy.compile import Compiled
from troth.policy.log_in import LogIn, log_in_cookie
from troth.retention import relationship
from troth.store.site import Site
from troth.store.turns import take_turns

WRONG = "The address or the password is not right, or there were too many tries."
WRONG_CODE = "The code is not right, or there were too many tries."
WRONG_PASSWORD = "The password is not right, or there were too many tries."  # noqa: S105  (a sentence)
WRONG_HINT = "Wait a quarter of an hour, or choose a new password."
CODE_HINT = "Wait for the next code or a quarter of an hour, or log in from the beginning."


@dataclass(frozen=True, slots=True)
class Member:
    """Who is logged in, with the digest of their session."""

    person_id: str
    digest: bytes
    since: datetime


def permitted(compiled: Compiled) -> LogIn:
    """The cookie that may keep somebody logged in. Raises ``Refused`` when the policy declares none."""
    found = log_in_cookie(compiled.policy)
    if found is None or not compiled.decide(Ask("cookie", found.cookie, frozenset())).allowed:
        raise Refused("Nobody can log in here.", "The policy declares no cookie that a log-in could use.")
    return found


def log_in(site: Site, address: str, password: str) -> Session | Half:
    """Open a session for the account behind ``address``; where its member has turned codes on, it is half done only.

    Raises:
        Refused: in the same words whether the address, the password or the number of tries is at fault; a member who is
            suspended and knows the password is told so, and why.
    """
    permitted(site.policy())
    with site.writing() as conn:
        person_id = by_address(site, conn, address)
        mark = tries.mark_of(site, LOG_IN, person_id or spelt(site.policy(conn), address))
        in_time = tries.enter(site, conn, mark)
        row = conn.execute(select(account).where(account.c.person_id == person_id)).first() if person_id else None
    right = matches(password, row.password if row is not None else None)
    if row is None or not right or not in_time:
        raise Refused(WRONG, WRONG_HINT)
    with site.writing() as conn:
        tries.forgive(conn, mark)
        if conn.scalar(select(account.c.password).where(account.c.person_id == row.person_id)) != row.password:
            raise Refused(WRONG, WRONG_HINT)  # a new one was chosen meanwhile
        return (
            begin_half(site, conn, row.person_id) if are_on(conn, row.person_id) else begin(site, conn, row.person_id)
        )


def second_step(site: Site, half: str, typed: str) -> Session:
    """Complete a log-in with a code of the app or on paper.

    Raises:
        Refused: in the same words whether the code, the half log-in or the number of tries is at fault; a member who is
            suspended and has both is told so, and why.
    """
    with site.reading() as conn:
        person_id = whose_half(site, conn, half)
    mark = tries.mark_of(site, "code", person_id or half)
    with site.writing() as conn:
        in_time = tries.enter(site, conn, mark, may_try_codes)
    with site.writing() as conn:
        take_turns(conn, f"try:{mark.hex()}")
        right_one = person_id is not None and in_time and right(site, conn, person_id, typed)
        if person_id is None or not right_one or not end_half(conn, half):
            raise Refused(WRONG_CODE, CODE_HINT)
        tries.forgive(conn, mark)
        return begin(site, conn, person_id)


def begin(site: Site, conn: Connection, person_id: str) -> Session:
    """A fresh session for a member who has shown all that is asked for, in the caller's transaction.

    Raises:
        Refused: when the account is suspended, with the reason; or is not open.
    """
    compiled = site.policy(conn)
    query = select(account.c.state, account.c.because, person.c.kind).join(person, person.c.id == account.c.person_id)
    row = conn.execute(query.where(account.c.person_id == person_id, person.c.state == "active")).first()
    if row is not None and row.state == "suspended":
        raise Refused("This account is suspended.", row.because)
    if row is None or row.state != "open":
        raise Refused(WRONG, WRONG_HINT)
    fresh = Session(new_secret(), compiled.calendar.end(site.now(), permitted(compiled).life))
    kept = {"digest": digest_of(fresh.secret), "person_id": person_id, "made_at": site.now(), "ends_at": fresh.ends_at}
    conn.execute(insert(session).values(kept))
    if relationship.counts_log_ins(compiled, row.kind) and dealings.note_log_in(site, conn, person_id, site.now()):
        relationship.refresh(site, conn, [person_id], compiled)
    return fresh


def log_in_with_passkey(site: Site, token: str, answer: str) -> Session:
    """Open a session for the member whose passkey has answered the challenge of the form with ``token``.

    A passkey stands for password and code, since the device has made sure of its owner.

    Raises:
        Refused: in one sentence, whatever was wrong; a member who is suspended is told so, and why.
    """
    person_id = passkeys.whose(site, token, answer)
    with site.writing() as conn:
        return begin(site, conn, person_id)


def prove_password(site: Site, member: Member, password: str) -> None:
    """Make sure that whoever is at this machine knows the password, before something that outlives the session.

    Raises:
        Refused: in the same words for a wrong password and for too many tries.
    """
    mark = tries.mark_of(site, OWN_PASSWORD, member.person_id)
    with site.writing() as conn:
        in_time = tries.enter(site, conn, mark)
        kept = conn.scalar(select(account.c.password).where(account.c.person_id == member.person_id))
    if not matches(password, kept) or not in_time:
        raise Refused(WRONG_PASSWORD, WRONG_HINT)
    with site.writing() as conn:
        tries.forgive(conn, mark)


def who(site: Site, secret: str | None) -> Member | None:
    """The member whose session this is; None when it is over, or its member may no longer act."""
    if not secret:
        return None
    digest = digest_of(secret)
    query = (
        select(session.c.person_id, session.c.made_at)
        .join(account, account.c.person_id == session.c.person_id)
        .join(person, person.c.id == session.c.person_id)
        .where(session.c.digest == digest, session.c.ends_at > site.now())
        .where(account.c.state == "open", person.c.state == "active")
    )
    with site.reading() as conn:
        row = conn.execute(query).first()
    return Member(row.person_id, digest, row.made_at) if row else None


def link_is_good(site: Site, token: str) -> bool:
    """Whether a link that is good for once still is; asking uses nothing up."""
    with site.reading() as conn:
        return once.whose(conn, token, site.now()) is not None


def log_out(site: Site, member: Member, *, everywhere: bool = False) -> None:
    """End this session, or all of the member's."""
    mine = session.c.person_id == member.person_id if everywhere else session.c.digest == member.digest
    with site.writing() as conn:
        conn.execute(delete(session).where(mine))


@dataclass(frozen=True, slots=True)
class Open:
    """One session of a member, as their page lists it: nothing tells the machine, since nothing of it is kept.

    ``name`` stands for it in a form, and neither opens it nor says what does.
    """

    name: str
    since: datetime
    until: datetime
    here: bool


def open_sessions(site: Site, member: Member) -> list[Open]:
    """The open sessions of this member, on this machine and others, oldest first."""
    with site.reading() as conn:
        rows = conn.execute(_mine(site, member).order_by(session.c.made_at, session.c.digest)).all()
    return [Open(_name(row.digest), row.made_at, row.ends_at, row.digest == member.digest) for row in rows]


def end_one(site: Site, member: Member, name: str) -> bool:
    """End the session of this member that goes by ``name``; whether there was one."""
    with site.writing() as conn:
        digests = [row.digest for row in conn.execute(_mine(site, member)) if _name(row.digest) == name]
        return bool(digests) and conn.execute(delete(session).where(session.c.digest.in_(digests))).rowcount == 1


def end_others(conn: Connection, member: Member) -> None:
    """End every session of a member but this one, in the caller's transaction, and what is half done."""
    mine = (session.c.person_id == member.person_id) & (session.c.digest != member.digest)
    conn.execute(delete(session).where(mine))
    end_halves(conn, member.person_id)


def _mine(site: Site, member: Member) -> Select[Any]:
    return select(session).where(session.c.person_id == member.person_id, session.c.ends_at > site.now())


def _name(digest: bytes) -> str:
    return hashlib.sha256(b"session " + digest).hexdigest()[:20]
