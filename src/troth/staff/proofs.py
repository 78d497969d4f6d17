"""Whether the log of the staff says what happened: each row as it was written, and nobody let in who guessed too often."""

from __future__ import annotations

from sqlalchemy import func, select

from troth.proof import Proof, Proving, Some
from troth.staff import log
from troth.staff.rules import let_in_wrongly, log_kept
from troth.staff.tables import staff_log
from troth.store import versions


def logins(proving: Proving) -> Proof:
    """Every row is what the ledger vouches for, and no log-in came after too many that failed."""
    limit = proving.say("each log-in of staff on record, and none let in after too many wrong ones")
    total = proving.conn.scalar(select(func.count()).select_from(staff_log)) or 0
    columns = (staff_log.c.staff_id, staff_log.c.what, staff_log.c.act, staff_log.c.at)
    rows = proving.conn.execute(select(*columns).order_by(staff_log.c.at, staff_log.c.id))
    guessed = let_in_wrongly((row.staff_id, row.what, row.act, row.at) for row in rows)
    changed = log.altered(proving.site, proving.conn, versions.whole_since(proving.conn, proving.now, log_kept))
    wrong = len(changed) + guessed
    return proving.counted(wrong, Some(total, "entry"), limit, "{wrong} altered, taken out, or let in against that")
