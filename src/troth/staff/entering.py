"""Logging in at the desk and staying in.

What could go wrong: guessing, by trying often or by watching words and time; a code seen over a shoulder, or used twice at
once; a session that somebody else chose, or that goes on after its owner was removed, went home or lost a role. So every try
at an open door is counted against the name, known or not, before anything is looked at; password and code are asked for
together, and one sentence answers all that is wrong, after the same work; a code's step and a recovery code are used up by
one statement that has one winner; the secret of a session is made at the log-in; each request asks anew who it is and in
which roles; and every try is in the log, with its time and address.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from troth.errors import Refused
from troth.logins import totp
from troth.logins.digests import Session, digest_of, new_secret
from troth.logins.passwords import matches
from troth.logins.recovery import digest_of_code
from troth.logins.tries import Tries
from troth.staff import log
from troth.staff.rules import LONGEST, UNCOUNTED, is_open, login_problem
from troth.staff.tables import staff, staff_attempt, staff_recovery, staff_session
from troth.store.secret import derived_key
from troth.store.site import Site

WRONG = "The name, the password or the code is not right, or there were too many tries."
WRONG_HINT = "Wait for the next code, or a quarter of an hour; each code works once."
RECOVERY = "staff:recovery"
"""the act of a log-in with a recovery code"""
_TRIES = Tries(staff_attempt)
_SEEN_EVERY = 60
"""seconds between two notes that a session is used: not every page needs a write"""


@dataclass(frozen=True, slots=True)
class Entered:
    """Who is at the desk: their roles as they are now, the digest of their session, and where the request came from."""

    staff_id: str
    login: str
    roles: tuple[str, ...]
    digest: bytes
    since: datetime
    ip: str


def factor_key(site: Site) -> bytes:
    """The key that second factors of staff are sealed under."""
    return derived_key(site, "staff second factor", totp.SEALING_KEY)


def log_in(site: Site, login: str, password: str, code: str, ip: str) -> Session:
    """Open a session for ``login``; ``code`` is what their app shows, or one of their recovery codes.

    Raises:
        Refused: in the same words whatever was not right; the try is in the log.
    """
    found = tried(site, login, password)
    with site.writing() as conn:
        row = found.row
        way = _used_up(site, conn, row, code) if row is not None else None
        if row is not None and way is not None:
            forgive(site, conn, login)
            conn.execute(update(staff).where(staff.c.id == row.id).values(entered_at=site.now()))
            return enter(site, conn, row.id, ip, way)
        named = select(staff.c.id).where(staff.c.login == _named(login), staff.c.state != "removed")
        log.note(site, conn, "failed", conn.execute(named).scalar_one_or_none(), ip, found.act)
    raise Refused(WRONG, WRONG_HINT)


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a try at a password: the member of staff if it was right and in time, and the word for the log if not."""

    row: Row[Any] | None
    act: str


def tried(site: Site, login: str, password: str) -> Tried:
    """Count a try, if the door is open, then look. It stays counted until it is forgiven."""
    with site.writing() as conn:
        in_time = _TRIES.enter(conn, _mark(site, login), site.now())
        row = conn.execute(select(staff).where(staff.c.login == _named(login), staff.c.state == "open")).first()
    right = matches(password, row.password if row is not None else None)
    return Tried(row if right and in_time else None, "" if in_time else UNCOUNTED)


def forgive(site: Site, conn: Connection, login: str) -> None:
    """Forget the tries of whoever turned out to be right; the log must say in the same transaction that they were."""
    _TRIES.forgive(conn, _mark(site, login))


def _mark(site: Site, login: str) -> bytes:
    return hmac.new(derived_key(site, "staff log-in"), login.strip().lower().encode(), sha256).digest()


def _named(login: str) -> str:
    """The login name that somebody means; blank, which is nobody's, for what can be none."""
    name = login.strip().lower()
    return "" if login_problem(name) else name


def _used_up(site: Site, conn: Connection, row: Row[Any], code: str) -> str | None:
    """Use a code or a recovery code up: the word for the log, for the one who did it first; None for anybody else."""
    secret = totp.opened(factor_key(site), row.totp, row.id)
    step = totp.step_of(secret, code, site.now(), row.totp_step)
    same = (staff.c.id == row.id) & (staff.c.state == "open") & (staff.c.password == row.password)
    if step is not None:
        unused = or_(staff.c.totp_step.is_(None), staff.c.totp_step < step)
        return "" if conn.execute(update(staff).where(same, unused).values(totp_step=step)).rowcount == 1 else None
    still = select(staff.c.id).where(same).scalar_subquery()
    one = (staff_recovery.c.digest == digest_of_code(code)) & (staff_recovery.c.staff_id == still)
    return RECOVERY if conn.execute(delete(staff_recovery).where(one)).rowcount == 1 else None


def enter(site: Site, conn: Connection, staff_id: str, ip: str, act: str = "") -> Session:
    """A session for somebody who has shown who they are, in the caller's transaction; ``act`` says how, if not as usual."""
    now = site.now()
    fresh = Session(new_secret(), now + LONGEST)
    times = {"made_at": now, "seen_at": now, "ends_at": fresh.ends_at}
    conn.execute(insert(staff_session).values(digest=digest_of(fresh.secret), staff_id=staff_id, **times))
    log.note(site, conn, "entered", staff_id, ip, act)
    return fresh


def who(site: Site, secret: str | None, ip: str) -> Entered | None:
    """Whose session this is; None when it is over, or its owner may no longer act."""
    if not secret:
        return None
    digest, now = digest_of(secret), site.now()
    query = (
        select(staff.c.id, staff.c.login, staff.c.roles, *_TIMES)
        .join(staff_session, staff_session.c.staff_id == staff.c.id)
        .where(staff_session.c.digest == digest, staff.c.state == "open")
    )
    with site.reading() as conn:
        row = conn.execute(query).first()
    if row is None or not is_open(row.seen_at, row.ends_at, now):
        return None
    if (now - row.seen_at).total_seconds() >= _SEEN_EVERY:
        with site.writing() as conn:
            conn.execute(update(staff_session).where(staff_session.c.digest == digest).values(seen_at=now))
    return Entered(row.id, row.login, tuple(row.roles), digest, row.made_at, ip)


_TIMES = (staff_session.c.made_at, staff_session.c.seen_at, staff_session.c.ends_at)


def log_out(site: Site, entered: Entered) -> None:
    """End this session."""
    with site.writing() as conn:
        if conn.execute(delete(staff_session).where(staff_session.c.digest == entered.digest)).rowcount:
            log.note(site, conn, "left", entered.staff_id, entered.ip)
