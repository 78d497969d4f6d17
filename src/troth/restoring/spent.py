"""What is good for once, in a copy that is put back: nothing that was used up since it was made is good again.

What could go wrong: a link, a recovery code, a code of an app or the challenge of a passkey was used since the backup, the copy
does not know, and whoever saw it uses it once more. Where the former store can be read, it says row by row what was used. Where
it cannot, the ledger says whose recovery codes were used, and of the rest nobody knows: every link is over then, no code of the
minute is taken, and where there is no record at all, no recovery code opens anything either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, and_, delete, or_, select, update

from troth.accounts.factors.tables import passkey, recovery_code, second_factor, spent
from troth.accounts.tables import once
from troth.batches import batches
from troth.ledger import events
from troth.logins.totp import TOLERANCE, step_at
from troth.restoring.record import Said, of
from troth.rights.protocols.tables import agent_token
from troth.rights.tables import request_link
from troth.staff.entering import RECOVERY
from troth.staff.tables import staff, staff_recovery
from troth.store.insert import insert_into
from troth.store.site import Site

LINKS = (once, request_link)
RECOVERY_CODES: Mapping[Table, str] = {recovery_code: "person_id", staff_recovery: "staff_id"}
LAST_CODES: tuple[tuple[Column[Any], Column[Any]], ...] = (
    (second_factor.c.person_id, second_factor.c.last_step),
    (staff.c.id, staff.c.totp_step),
)
"""the step of the last code that an app showed and that was used"""
COUNTERS = (*LAST_CODES, (passkey.c.id, passkey.c.sign_count))
"""numbers that only rise: nothing up to one is taken again"""
BATCH = 500
OTHERWISE: Mapping[str, str] = {
    "session": "All sessions end.",
    "staff_session": "All sessions end.",
    "half_log_in": "All log-ins that are half done end.",
    "program_token": "A token is good until it is revoked, and a revocation is done again.",
    "policy_version": "The digest of a text.",
    "shown": "The digest of a text.",
    "account": "A password that was replaced is taken out.",
}
"""other tables with digests of what opens something, or of nothing that does, and what becomes of them"""


def spend_again(copy: Site, said: Sequence[Said], former: Site | None, all_is_said: bool) -> Counter[str]:
    """Use up in ``copy`` what was used up since it was made; how many, by kind.

    Args:
        former: the store whose place the copy takes, if it can be read.
        all_is_said: whether ``said`` is all that was done since.
    """
    done = Counter[str]()
    if former is not None:
        with former.reading() as there, copy.writing() as here:
            done["links used since"] += sum(_links_as_in(there, here, one, copy.now()) for one in LINKS)
            done["recovery codes taken out"] += sum(_codes_as_in(there, here, one) for one in RECOVERY_CODES)
            _counters_as_in(there, here)
            _kept(there, here)
        return done
    now = copy.now()
    with copy.writing() as here:
        for table in LINKS:
            unused = update(table).where(table.c.used_at.is_(None)).values(used_at=now)
            done["links that may have been used"] += here.execute(unused).rowcount
        here.execute(update(agent_token).where(agent_token.c.ends_at > now).values(ends_at=now))
        for _, column in LAST_CODES:
            here.execute(update(column.table).values({column: step_at(now) + TOLERANCE}))
        for table, whose in RECOVERY_CODES.items():
            mine = table.c[whose].in_(_used_by(said, whose)) if all_is_said else table.c[whose].is_not(None)
            done["recovery codes taken out"] += here.execute(delete(table).where(mine)).rowcount
    return done


def _used_by(said: Iterable[Said], whose: str) -> list[str]:
    """Who used a recovery code or made new ones: people, or members of staff."""
    if whose == "staff_id":
        return sorted(
            {str(one.body["staff"]) for one in of(said, events.STAFF_ENTERED) if one.body.get("act") == RECOVERY}
        )
    changed = of(said, events.ACCOUNT_CHANGED)
    return sorted({str(one.body["person"]) for one in changed if str(one.body.get("what", "")).startswith("recovery-")})


def _links_as_in(there: Connection, here: Connection, table: Table, now: datetime) -> int:
    """Use up what is used up there, or is there no more; links that were made since are not taken over."""
    open_here = here.scalars(select(table.c.digest).where(table.c.used_at.is_(None))).all()
    gone = set(open_here) - _there(there, table.c.digest, open_here, table.c.used_at.is_(None))
    for some in batches(sorted(gone), BATCH):
        here.execute(update(table).where(table.c.digest.in_(some)).values(used_at=now))
    return len(gone)


def _codes_as_in(there: Connection, here: Connection, table: Table) -> int:
    digests = here.scalars(select(table.c.digest)).all()
    gone = set(digests) - _there(there, table.c.digest, digests)
    for some in batches(sorted(gone), BATCH):
        here.execute(delete(table).where(table.c.digest.in_(some)))
    return len(gone)


def _there(conn: Connection, column: Column[Any], values: Sequence[Any], *also: Any) -> set[Any]:
    """Those of ``values`` that a row has."""
    found: set[Any] = set()
    for some in batches(values, BATCH):
        found |= set(conn.scalars(select(column).where(column.in_(some), *also)))
    return found


def _counters_as_in(there: Connection, here: Connection) -> None:
    for id_, column in COUNTERS:
        risen = there.execute(select(id_, column).where(column.is_not(None))).all()
        for whose, number in risen:
            lower = and_(id_ == whose, or_(column.is_(None), column < number))
            here.execute(update(column.table).where(lower).values({column: number}))


def _kept(there: Connection, here: Connection) -> None:
    """Challenges that were answered, and tokens of agents as they are there: a request for one is good for one."""
    for table in (spent, agent_token):
        rows = [dict(row) for row in there.execute(select(table)).mappings()]
        fresh = insert_into(here, table)
        newer = fresh.on_conflict_do_update(index_elements=["digest"], set_={"ends_at": fresh.excluded.ends_at})
        for row in rows:
            here.execute(newer, row)
    mine = here.scalars(select(agent_token.c.digest)).all()
    for some in batches(sorted(set(mine) - _there(there, agent_token.c.digest, mine)), BATCH):
        here.execute(delete(agent_token).where(agent_token.c.digest.in_(some)))
