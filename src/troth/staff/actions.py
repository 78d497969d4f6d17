"""Who is on the staff: adding, other roles, a lost second factor, removing.

What could go wrong: a link that lets somebody else set a log-in up; somebody who was removed and is still in; a name that is
given to somebody new while the log still speaks of whoever had it; a site whose last privacy lead removed themselves. So a
set-up link is good once and for a day, and the store knows its digest only; removing takes everything that opens anything in
the same transaction, and every request asks anew; a name that comes back is the same member of staff; and at the desk nobody
changes their own roles or removes themselves, so that whoever did it is still there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, literal, or_, select, update

from troth import ledger
from troth.clock import DAY
from troth.errors import InvalidInput, Refused
from troth.ids import is_id, new_id
from troth.ledger import events
from troth.logins import totp
from troth.logins.digests import digest_of, new_secret
from troth.policy.rules import one_word
from troth.staff import log
from troth.staff.entering import Entered, factor_key
from troth.staff.rules import IDLE, LINK_LASTS, log_kept, login_problem, roles_problem
from troth.staff.tables import staff, staff_attempt, staff_log, staff_recovery, staff_session
from troth.store.site import Site
from troth.store.turns import take_turns

CONSOLE = "console"
"""who does it where no member of staff is logged in: whoever may run commands on the machine"""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of staff, as others on the staff see them."""

    id: str
    login: str
    state: str
    roles: tuple[str, ...]
    entered_at: datetime | None


def everybody(conn: Connection) -> list[Member]:
    """Who is on the staff, by name; not who was removed."""
    query = select(staff).where(staff.c.state != "removed").order_by(staff.c.login)
    return [_member(row) for row in conn.execute(query)]


def by_id(conn: Connection, staff_id: str) -> Member | None:
    """The member of staff with this id, unless they were removed."""
    if not is_id(staff_id):  # what stands in an address may hold anything, and a database stumbles over some of it
        return None
    row = conn.execute(select(staff).where(staff.c.id == staff_id, staff.c.state != "removed")).first()
    return _member(row) if row else None


def _member(row: Row[Any]) -> Member:
    return Member(row.id, row.login, row.state, tuple(row.roles), row.entered_at)


def add(site: Site, login: str, roles: Sequence[str], by: Entered | None = None) -> str:
    """Add somebody to the staff, or take them back; returns the secret of the link with which they set themselves up.

    Raises:
        InvalidInput: when the name or a role will not do; ``problems`` says which under ``login`` and ``roles``.
        Refused: when there is somebody of that name.
    """
    roles = list(dict.fromkeys(roles))
    found = {"login": login_problem(login), "roles": roles_problem(site.policy().policy, roles)}
    if problems := {key: words for key, words in found.items() if words}:
        raise InvalidInput(next(iter(problems.values())), problems)
    with site.writing() as conn:
        take_turns(conn, "staff")  # of two who add one name at once, the second is told that it is there
        before = conn.execute(select(staff.c.id, staff.c.state).where(staff.c.login == login).with_for_update()).first()
        if before is not None and before.state != "removed":
            raise Refused("There is somebody of this name on the staff.", "Choose another login name.")
        staff_id = before.id if before is not None else new_id(site.now())
        if before is None:
            fresh = {"id": staff_id, "login": login, "state": "waiting", "roles": roles, "made_at": site.now()}
            conn.execute(insert(staff).values(fresh))
        else:
            back = update(staff).where(staff.c.id == staff_id)
            conn.execute(back.values(state="waiting", roles=roles, removed_at=None))
        link = _new_link(site, conn, staff_id)
        _tell(site, conn, events.STAFF_ADDED, staff_id, by, roles)
    return link


def change_roles(site: Site, login: str, roles: Sequence[str], by: Entered | None = None) -> None:
    """Give somebody other roles; they hold from the next request on. Raises ``InvalidInput`` and ``Refused``."""
    if problem := roles_problem(site.policy().policy, roles):
        raise InvalidInput(problem, {"roles": problem})
    roles = list(dict.fromkeys(roles))
    with site.writing() as conn:
        staff_id = _another(conn, login, by)
        conn.execute(update(staff).where(staff.c.id == staff_id).values(roles=roles))
        _tell(site, conn, events.STAFF_CHANGED, staff_id, by, roles)


def reset(site: Site, login: str, by: Entered | None = None) -> str:
    """Somebody lost their second factor or password: end what they had, and return the secret of a new set-up link."""
    with site.writing() as conn:
        staff_id = _another(conn, login, by)
        close(conn, staff_id, "waiting")
        link = _new_link(site, conn, staff_id)
        _tell(site, conn, events.STAFF_RESET, staff_id, by)
    return link


def remove(site: Site, login: str, by: Entered | None = None) -> None:
    """Take somebody off the staff: their sessions end now; their name stays while the log speaks of them."""
    with site.writing() as conn:
        staff_id = _another(conn, login, by)
        close(conn, staff_id, "removed")
        conn.execute(update(staff).where(staff.c.id == staff_id).values(removed_at=site.now()))
        _tell(site, conn, events.STAFF_REMOVED, staff_id, by)


def close(conn: Connection, staff_id: str, state: str) -> None:
    """Nothing that a member of staff had opens anything from now on; in the caller's transaction."""
    nothing = {"password": None, "totp": None, "totp_step": None, "setup_digest": None, "setup_until": None}
    conn.execute(update(staff).where(staff.c.id == staff_id).values(state=state, **nothing))
    conn.execute(delete(staff_session).where(staff_session.c.staff_id == staff_id))
    conn.execute(delete(staff_recovery).where(staff_recovery.c.staff_id == staff_id))


def _another(conn: Connection, login: str, by: Entered | None) -> str:
    """Whom something is done to. Two who would remove each other take turns, and the second is not on the staff any more."""
    take_turns(conn, "staff")
    if by is not None and by_id(conn, by.staff_id) is None:
        raise Refused("You are no longer on the staff.", "Somebody removed you a moment ago.")
    query = select(staff.c.id).where(staff.c.login == login, staff.c.state != "removed").with_for_update()
    staff_id = conn.execute(query).scalar_one_or_none()
    if staff_id is None:
        raise Refused("There is nobody of this name on the staff.", "`troth staff list` says who there is.")
    if by is not None and by.staff_id == staff_id:
        raise Refused("Somebody else on the staff has to do this.", "Nobody changes or removes themselves.")
    return str(staff_id)


def _new_link(site: Site, conn: Connection, staff_id: str) -> str:
    link, secret = new_secret(), totp.new_totp()
    kept = {"totp": totp.sealed(factor_key(site), secret, staff_id), "setup_digest": digest_of(link)}
    mine = update(staff).where(staff.c.id == staff_id)
    conn.execute(mine.values(**kept, setup_until=site.now() + LINK_LASTS))
    return link


def _tell(
    site: Site, conn: Connection, event: str, staff_id: str, by: Entered | None, roles: Sequence[str] = ()
) -> None:
    """The ledger, and the log where a member of staff did it."""
    body: dict[str, object] = {"staff": staff_id, "by": by.staff_id if by else CONSOLE}
    if roles:
        body["roles"] = [one_word(role) for role in roles]
    ledger.append(conn, site.now(), event, body)
    if by is not None:
        log.note(site, conn, "acted", by.staff_id, by.ip, event, staff_id)


def forget_the_past(site: Site) -> int:
    """Remove sessions, links and tries that are over, and destroy the log's rows past their time; returns how many."""
    compiled, now = site.policy(), site.now()
    until = compiled.calendar.cutoff(now, log_kept(compiled.policy))
    past = [
        (staff_session, or_(staff_session.c.ends_at <= now, staff_session.c.seen_at <= now - IDLE)),
        (staff_attempt, staff_attempt.c.at <= now - DAY),
        (staff_log, staff_log.c.at <= until),
        (staff, staff.c.setup_until <= now),
        (staff, (staff.c.state == "removed") & (staff.c.removed_at <= until)),
    ]
    with site.reading() as conn:
        if not any(
            conn.execute(select(literal(1)).select_from(one).where(over).limit(1)).first() for one, over in past
        ):
            return 0
    with site.writing() as conn:
        gone = sum(conn.execute(delete(one).where(over)).rowcount for one, over in past[:2])
        spent = update(staff).where(staff.c.setup_until <= now)
        conn.execute(spent.values(setup_digest=None, setup_until=None))
        return gone + log.sweep(conn, until)
