"""Codes as a second factor: from an app, and ten on paper for the day when the app is gone.

What could go wrong: a secret that a stolen database gives away; a code that is typed twice, by its owner and by whoever looked
over a shoulder; codes that are on before the app is known to have them, so that the member is locked out; a recovery code that
two use at once. So the secret is sealed with its person's key; codes count only after the first was typed back; the step of
each that was right is raised in one statement, which has one winner, and a recovery code is deleted by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from troth.accounts.changed import note_change
from troth.accounts.factors.tables import recovery_code, second_factor
from troth.errors import Refused
from troth.logins.recovery import digest_of_code, new_codes
from troth.logins.totp import new_totp, step_of
from troth.people.kept import open_kept, seal_kept
from troth.store.insert import insert_into
from troth.store.site import Site

_PLACE, _NAMES = "second factor", ("secret",)


@dataclass(frozen=True, slots=True)
class Codes:
    """Whether codes are asked for, since when, and how many recovery codes are left."""

    since: datetime | None
    left: int


def state(conn: Connection, person_id: str) -> Codes:
    """What a member's page says of codes."""
    row = _row(conn, person_id)
    mine = recovery_code.c.person_id == person_id
    left = conn.scalar(select(func.count()).select_from(recovery_code).where(mine)) or 0
    return Codes(row.confirmed_at if row else None, left)


def are_on(conn: Connection, person_id: str) -> bool:
    """Whether logging in takes a code."""
    return state(conn, person_id).since is not None


def begin(site: Site, conn: Connection, person_id: str) -> str:
    """A fresh secret for the member's app, in base 32, in the caller's transaction; it counts when a first code is typed back.

    Raises:
        Refused: when codes are on already.
    """
    secret = new_totp()
    fresh: dict[str, Any] = {"secret": seal_kept(site, person_id, _PLACE, {"secret": secret}), "made_at": site.now()}
    new = insert_into(conn, second_factor).values(person_id=person_id, **fresh)
    waiting = second_factor.c.confirmed_at.is_(None)
    entering = new.on_conflict_do_update(index_elements=["person_id"], set_={**fresh, "last_step": None}, where=waiting)
    if conn.execute(entering.returning(second_factor.c.person_id)).first() is None:
        raise Refused("Codes are on already.", "Turn them off first to set up another app.")
    return secret


def pending(site: Site, conn: Connection, person_id: str) -> str | None:
    """The secret that waits for a first code; None when none does."""
    row = _row(conn, person_id)
    return _opened(site, row) if row is not None and row.confirmed_at is None else None


def turn_on(site: Site, conn: Connection, person_id: str, typed: str) -> Sequence[str] | None:
    """Ask for codes from now on, if ``typed`` is one: the ten recovery codes, which nobody sees again; None if it is wrong."""
    row = _row(conn, person_id)
    if row is None or row.confirmed_at is not None or not _app_code(site, conn, row, typed):
        return None
    mine = second_factor.c.person_id == person_id
    conn.execute(update(second_factor).where(mine).values(confirmed_at=site.now()))
    note_change(site, conn, person_id, "codes-on")
    return _fresh_recovery(conn, person_id)


def renew_recovery(site: Site, conn: Connection, person_id: str) -> Sequence[str]:
    """Ten recovery codes in place of those there are, in the caller's transaction."""
    note_change(site, conn, person_id, "recovery-renewed")
    return _fresh_recovery(conn, person_id)


def _fresh_recovery(conn: Connection, person_id: str) -> Sequence[str]:
    conn.execute(delete(recovery_code).where(recovery_code.c.person_id == person_id))
    codes = new_codes()
    conn.execute(insert(recovery_code), [{"digest": digest_of_code(one), "person_id": person_id} for one in codes])
    return codes


def right(site: Site, conn: Connection, person_id: str, typed: str) -> bool:
    """Whether ``typed`` is a code of the app or on paper; in the caller's transaction it is used up.

    Both are looked for whatever was typed, so that the time says nothing about which it was.
    """
    row = _row(conn, person_id)
    if row is None or row.confirmed_at is None:
        return False
    from_app = _app_code(site, conn, row, typed)
    mine = (recovery_code.c.digest == digest_of_code(typed)) & (recovery_code.c.person_id == person_id)
    on_paper = conn.execute(delete(recovery_code).where(mine)).rowcount == 1
    if on_paper:
        note_change(site, conn, person_id, "recovery-used")
    return from_app or on_paper


def turn_off(site: Site, conn: Connection, person_id: str) -> bool:
    """Ask for no code any more, in the caller's transaction, and forget secret and recovery codes; whether there were any.

    For the member, who has shown a code; or for staff who have made sure in another way whom they deal with.
    """
    conn.execute(delete(recovery_code).where(recovery_code.c.person_id == person_id))
    gone = conn.execute(delete(second_factor).where(second_factor.c.person_id == person_id)).rowcount == 1
    if gone:
        note_change(site, conn, person_id, "codes-off")
    return gone


def _app_code(site: Site, conn: Connection, row: Row[Any], typed: str) -> bool:
    step = step_of(_opened(site, row), typed, site.now(), row.last_step)
    if step is None:
        return False
    later = or_(second_factor.c.last_step.is_(None), second_factor.c.last_step < step)
    taking = update(second_factor).where(second_factor.c.person_id == row.person_id, later)
    return conn.execute(taking.values(last_step=step)).rowcount == 1


def _opened(site: Site, row: Row[Any]) -> str:
    return open_kept(site, row.person_id, _PLACE, _NAMES, row.secret)["secret"]


def _row(conn: Connection, person_id: str) -> Row[Any] | None:
    return conn.execute(select(second_factor).where(second_factor.c.person_id == person_id)).first()
