"""Whether the log of the staff says what happened: each log-in, as it was written, and nobody let in who guessed too often."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from troth.proof import Proof, Proving, Some
from troth.staff import log
from troth.staff.rules import Logged, let_in_wrongly, log_kept, unlogged
from troth.staff.tables import staff, staff_log, staff_session
from troth.store import versions


def logins(proving: Proving) -> Proof:
    """Every row is what the ledger vouches for, every session has its row, and no log-in came after too many that failed."""
    limit = proving.say("each log-in of staff on record, and none let in after too many wrong ones")
    conn = proving.conn
    total = conn.scalar(select(func.count()).select_from(staff_log)) or 0
    columns = (staff_log.c.staff_id, staff_log.c.what, staff_log.c.act, staff_log.c.at)
    found = conn.execute(select(*columns).order_by(staff_log.c.at, staff_log.c.id))
    rows = [(row.staff_id, row.what, row.act, row.at) for row in found]
    since = versions.whole_since(conn, proving.now, log_kept)
    changed = log.altered(proving.site, conn, since)
    wrong = len(changed) + let_in_wrongly(rows) + _without_a_row(conn, since, rows)
    return proving.counted(wrong, Some(total, "entry"), limit, "{wrong} altered, missing, or let in against that")


def _without_a_row(conn: Connection, since: datetime, rows: list[Logged]) -> int:
    """How many sessions, or last log-ins of members of staff, the log does not tell of; one may be both."""
    sessions = select(staff_session.c.staff_id, staff_session.c.made_at).where(staff_session.c.made_at > since)
    last = select(staff.c.id, staff.c.entered_at).where(staff.c.entered_at > since)
    return max(unlogged([(who, at) for who, at in conn.execute(query)], rows) for query in (sessions, last))
