"""Recovery codes: ten, written down by the member, each good once, kept as a hash that only the site's key makes."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, insert, select

from troth.accounts.factors.rules import read_recovery_code, recovery_codes
from troth.accounts.factors.tables import recovery_code
from troth.people.blind import blind
from troth.people.keyring import read_ring
from troth.store.site import Site


def renew(site: Site, conn: Connection, person_id: str) -> list[str]:
    """Make ten codes in place of those there are, in the caller's transaction; they are shown once and never again."""
    forget(conn, person_id)
    codes = recovery_codes()
    rows = [{"mark": _mark(site, person_id, code), "person_id": person_id} for code in codes]
    conn.execute(insert(recovery_code), rows)
    return codes


def use(site: Site, conn: Connection, person_id: str, typed: str) -> bool:
    """Use a code up, in the caller's transaction; of two who type the same at once, one was right."""
    mark = _mark(site, person_id, typed)
    mine = (recovery_code.c.mark == mark) & (recovery_code.c.person_id == person_id)
    return conn.execute(delete(recovery_code).where(mine)).rowcount == 1


def left(conn: Connection, person_id: str) -> int:
    """How many codes a member has left."""
    mine = recovery_code.c.person_id == person_id
    return conn.scalar(select(func.count()).select_from(recovery_code).where(mine)) or 0


def forget(conn: Connection, person_id: str) -> None:
    """Make every code of a member useless."""
    conn.execute(delete(recovery_code).where(recovery_code.c.person_id == person_id))


def _mark(site: Site, person_id: str, typed: str) -> bytes:
    return blind(read_ring(site).index, f"recovery code of {person_id}", read_recovery_code(typed) or "")
