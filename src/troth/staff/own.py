"""One's own log-in: setting it up with a link, the password, the recovery codes, and the sessions that are open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from troth import ledger
from troth.errors import InvalidInput, Refused
from troth.ledger import events
from troth.logins import totp
from troth.logins.digests import Session, digest_of
from troth.logins.passwords import hashed
from troth.logins.recovery import digest_of_code, new_codes
from troth.logins.rules import password_problem
from troth.staff import log
from troth.staff.entering import WRONG, WRONG_HINT, Entered, enter, factor_key, forgive, tried
from troth.staff.rules import is_open
from troth.staff.tables import staff, staff_recovery, staff_session
from troth.store.site import Site

SPENT = "This link is no longer good."
SPENT_HINT = "Ask whoever sent it for a new one; each works once."
WRONG_CODE = "This code is not right. Wait for the next one, and see that the clock of your telephone is right."


@dataclass(frozen=True, slots=True)
class SettingUp:
    """Whose link it is, and the fresh secret for their app."""

    staff_id: str
    login: str
    secret: str


def setting_up(site: Site, link: str) -> SettingUp | None:
    """Who sets themselves up with ``link``; None when it is not, or no longer, good. Asking uses nothing up."""
    good = (staff.c.setup_digest == digest_of(link)) & (staff.c.setup_until > site.now()) & (staff.c.state == "waiting")
    with site.reading() as conn:
        row = conn.execute(select(staff.c.id, staff.c.login, staff.c.totp).where(good)).first()
    return SettingUp(row.id, row.login, totp.opened(factor_key(site), row.totp, row.id)) if row else None


@dataclass(frozen=True, slots=True)
class SetUp:
    """What came of it: a session, and the recovery codes that are shown this once."""

    session: Session
    codes: tuple[str, ...]


def set_up(site: Site, link: str, password: str, code: str, ip: str) -> SetUp:
    """Use a link up: the password is chosen, the app shows right codes, the log-in is open.

    Raises:
        InvalidInput: when the password or the code will not do (the link is still good; ``problems`` says which), or the link.
    """
    mine = setting_up(site, link)
    if mine is None:
        raise InvalidInput(SPENT, hint=SPENT_HINT)
    step = totp.step_of(mine.secret, code, site.now(), None)
    found = {"password": password_problem(password, [mine.login]), "code": "" if step is not None else WRONG_CODE}
    if problems := {key: words for key, words in found.items() if words}:
        raise InvalidInput(next(iter(problems.values())), problems)
    kept = hashed(password)  # outside the transaction: it takes long on purpose
    good = (staff.c.setup_digest == digest_of(link)) & (staff.c.setup_until > site.now()) & (staff.c.state == "waiting")
    opened = {"state": "open", "password": kept, "totp_step": step, "setup_digest": None, "setup_until": None}
    with site.writing() as conn:
        change = update(staff).where(staff.c.id == mine.staff_id, good)
        if not conn.execute(change.values(**opened, entered_at=site.now())).rowcount:
            raise InvalidInput(SPENT, hint=SPENT_HINT)
        forgive(site, conn, mine.login)
        ledger.append(conn, site.now(), events.STAFF_READY, {"staff": mine.staff_id})
        return SetUp(enter(site, conn, mine.staff_id, ip, events.STAFF_READY), _new_codes(conn, mine.staff_id))


def _new_codes(conn: Connection, staff_id: str) -> tuple[str, ...]:
    conn.execute(delete(staff_recovery).where(staff_recovery.c.staff_id == staff_id))
    codes = new_codes()
    conn.execute(insert(staff_recovery), [{"digest": digest_of_code(one), "staff_id": staff_id} for one in codes])
    return codes


def codes_left(conn: Connection, entered: Entered) -> int:
    """How many recovery codes were not used yet."""
    mine = staff_recovery.c.staff_id == entered.staff_id
    return conn.scalar(select(func.count()).select_from(staff_recovery).where(mine)) or 0


def renew_codes(site: Site, entered: Entered, password: str) -> tuple[str, ...]:
    """Ten new recovery codes in place of the old ones. Raises ``Refused`` when the password is not theirs."""
    _sure(site, entered, password)
    with site.writing() as conn:
        forgive(site, conn, entered.login)
        codes = _new_codes(conn, entered.staff_id)
        log.note(site, conn, "acted", entered.staff_id, entered.ip, "staff:codes", entered.staff_id)
    return codes


def change_password(site: Site, entered: Entered, password: str, fresh: str) -> None:
    """Choose another password; all other sessions end.

    Raises:
        Refused: when ``password`` is not the one they have.
        InvalidInput: when ``fresh`` will not do.
    """
    if problem := password_problem(fresh, [entered.login]):
        raise InvalidInput(problem, {"fresh": problem})
    _sure(site, entered, password)
    kept = hashed(fresh)
    others = (staff_session.c.staff_id == entered.staff_id) & (staff_session.c.digest != entered.digest)
    with site.writing() as conn:
        mine = update(staff).where(staff.c.id == entered.staff_id, staff.c.state == "open")
        if not conn.execute(mine.values(password=kept)).rowcount:
            raise Refused(WRONG, WRONG_HINT)
        conn.execute(delete(staff_session).where(others))
        forgive(site, conn, entered.login)
        log.note(site, conn, "acted", entered.staff_id, entered.ip, "staff:password", entered.staff_id)


def _sure(site: Site, entered: Entered, password: str) -> None:
    """It is they who sit there: whoever found an open session may not guess the password at it either.

    The caller forgives the tries, together with what it writes into the log.
    """
    found = tried(site, entered.login, password)
    if found.row is None:
        with site.writing() as conn:
            log.note(site, conn, "failed", entered.staff_id, entered.ip, found.act)
        raise Refused(WRONG, WRONG_HINT)


@dataclass(frozen=True, slots=True)
class Open:
    """An open session: ``ref`` names it and opens nothing."""

    ref: str
    since: datetime
    seen_at: datetime
    here: bool


def sessions(site: Site, conn: Connection, entered: Entered) -> list[Open]:
    """Where they are logged in, newest first."""
    query = select(staff_session).where(staff_session.c.staff_id == entered.staff_id)
    rows = conn.execute(query.order_by(staff_session.c.made_at.desc(), staff_session.c.digest))
    return [
        Open(_ref(row.digest), row.made_at, row.seen_at, row.digest == entered.digest)
        for row in rows
        if is_open(row.seen_at, row.ends_at, site.now())
    ]


def end_session(site: Site, entered: Entered, ref: str) -> None:
    """End one of one's own sessions; somebody else's is none."""
    with site.writing() as conn:
        mine = conn.scalars(select(staff_session.c.digest).where(staff_session.c.staff_id == entered.staff_id))
        digest = next((one for one in mine if _ref(one) == ref), None)
        if digest is not None:
            conn.execute(delete(staff_session).where(staff_session.c.digest == digest))
            log.note(site, conn, "left", entered.staff_id, entered.ip)


def _ref(digest: bytes) -> str:
    return digest.hex()[:16]
