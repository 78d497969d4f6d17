"""Logging in and staying in.

What could go wrong: guessing, by trying often or by watching the words and the time of an answer; a cookie that still opens
something after its member left, was suspended or was erased; a session that somebody else chose. So every try is counted
against the address, known or not, before the password is looked at; one sentence answers all of them, after the same work; the
secret of a session is made at the log-in, 256 random bits of which the store keeps the SHA-256; and each request asks anew
whether its member may still be here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from troth.accounts import once
from troth.accounts.actions import by_address
from troth.accounts.rules import LogIn, log_in_cookie
from troth.accounts.tables import account, attempt, session
from troth.decide import Ask
from troth.errors import Refused
from troth.logins.digests import digest_of, new_secret
from troth.logins.passwords import matches
from troth.logins.rules import may_try
from troth.people.blind import blind, normal_email
from troth.people.tables import person
from troth.policy.compile import Compiled
from troth.store.secret import read_ring
from troth.store.site import Site
from troth.store.turns import take_turns

WRONG = "The address or the password is not right, or there were too many tries."
WRONG_HINT = "Wait a quarter of an hour, or choose a new password."


@dataclass(frozen=True, slots=True)
class Session:
    """A fresh session: the secret for the cookie, which nobody sees again, and when it ends."""

    secret: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """Who is logged in, with the digest of their session."""

    person_id: str
    digest: bytes
    since: datetime


def permitted(compiled: Compiled) -> LogIn:
    """The cookie that may keep somebody logged in. Raises ``Refused`` when the policy declares none."""
    found = log_in_cookie(compiled)
    if found is None or not compiled.decide(Ask("cookie", found.cookie, frozenset())).allowed:
        raise Refused("Nobody can log in here.", "The policy declares no cookie that a log-in could use.")
    return found


def log_in(site: Site, address: str, password: str) -> Session:
    """Open a session for the account behind ``address``.

    Raises:
        Refused: in the same words whether the address, the password or the number of tries is at fault; a member who is
            suspended and knows the password is told so, and why.
    """
    compiled, mark = site.policy(), _mark(site, address)
    life = permitted(compiled).life
    with site.writing() as conn:
        take_turns(conn, f"log-in:{mark.hex()}")
        person_id = by_address(site, conn, address)
        row = conn.execute(select(account).where(account.c.person_id == person_id)).first() if person_id else None
        in_time = may_try(_failures(conn, mark), site.now())
        conn.execute(insert(attempt).values(mark=mark, at=site.now()))  # taken back when it was right
    right = matches(password, row.password if row is not None else None)
    if row is None or not right or not in_time:
        raise Refused(WRONG, WRONG_HINT)
    if row.state == "suspended":
        raise Refused("This account is suspended.", row.because)
    fresh = Session(new_secret(), site.now() + life)
    with site.writing() as conn:
        conn.execute(delete(attempt).where(attempt.c.mark == mark))
        kept = {"digest": digest_of(fresh.secret), "person_id": row.person_id}
        conn.execute(insert(session).values(**kept, made_at=site.now(), ends_at=fresh.ends_at))
    return fresh


def _mark(site: Site, address: str) -> bytes:
    return blind(read_ring(site).index, "log in", normal_email(address.strip()))


def _failures(conn: Connection, mark: bytes) -> list[datetime]:
    return list(conn.scalars(select(attempt.c.at).where(attempt.c.mark == mark)))


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


def open_sessions(site: Site, member: Member) -> int:
    """How many sessions of this member are open, on this machine and others."""
    mine = (session.c.person_id == member.person_id) & (session.c.ends_at > site.now())
    with site.reading() as conn:
        return conn.scalar(select(func.count()).select_from(session).where(mine)) or 0
