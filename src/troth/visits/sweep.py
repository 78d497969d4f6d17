"""The sweep of the visit log: whole days are dropped, what has expired of a day in part is deleted, and days' keys follow.

The order makes a crash harmless: data first, in one transaction, then keys; a key whose day is gone is found by its name, not
by its data, so the next sweep finishes what this one began. A dropped day's pages may keep what was in them until they are
used again: that is noise once the day's key is destroyed, in this file as in every backup. Of a day that goes in part the key
must stay, so those rows are overwritten.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select

from troth import ledger
from troth.ledger import events
from troth.policy.compile import Compiled
from troth.retention import heartbeat
from troth.retention.alarms import Alarm
from troth.retention.scrub import scrub
from troth.store.marks.writing import cover
from troth.store.site import Site
from troth.visits import daykeys
from troth.visits.partitions import count, days_present, drop, ensure_days, over_by, table_of
from troth.visits.rules import cutoff, recorded

DAYS_AHEAD = 2
"""How many days after today have a table already, so that no visitor waits for one to be made."""
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep of the visit log did: days dropped, and visits destroyed with them and besides.

    ``first``: the instant of the oldest of these; None when there were none.
    """

    days: int
    visits: int
    first: datetime | None


def sweep(site: Site) -> int:
    """Destroy every visit that has expired, with its copies in backups, and say how many.

    Safe to repeat and to interrupt anywhere.
    """
    visits = sweep_quietly(site)
    with site.writing() as conn:
        heartbeat.beat(conn, heartbeat.VISITS, site.now())
    return visits


def sweep_quietly(site: Site) -> int:
    """As ``sweep``, without its heartbeat, which the worker notes together with those of its other tasks."""
    now = site.now()
    with site.reading() as conn:
        compiled = site.policy(conn)
        expired, coming = cutoff(compiled, now), _coming(compiled, now)
        waits = _something_to_do(conn, expired, coming)
    if waits:
        visits = _swept(site, expired, coming, now)
    if daykeys.keys_before(site, expired.date()):
        daykeys.destroy_keys_before(site, expired.date())
        scrub(site.keys, ["day_key"])
    return visits if waits else 0


def _coming(compiled: Compiled, now: datetime) -> list[date]:
    """The days that should have a table: today's and the next ones, as long as visits are recorded."""
    ahead = range(DAYS_AHEAD + 1 if recorded(compiled) is not None else 0)
    return [now.date() + timedelta(days=n) for n in ahead]


def _something_to_do(conn: Connection, expired: datetime, coming: Collection[date]) -> bool:
    present = days_present(conn)
    if over_by(present, expired) or not set(coming) <= set(present):
        return True
    return any(_begins(conn, day, expired) for day in present if day <= expired.date())


def _begins(conn: Connection, day: date, expired: datetime) -> bool:
    first = conn.execute(_first(day)).scalar_one()
    return first is not None and first <= expired


@lru_cache(maxsize=1024)
def _first(day: date) -> Select[Any]:
    return select(func.min(table_of(day).c.at))


def _swept(site: Site, expired: datetime, coming: Collection[date], now: datetime) -> int:
    with site.writing() as conn:
        touched, swept = _destroy(conn, expired)
        ensure_days(conn, coming)
        if swept.visits or swept.days:
            ledger.append(conn, now, events.VISIT_SWEPT, _told(swept, now))
    if swept.visits:
        scrub(site.engine, touched)
    return swept.visits


def _told(swept: Swept, now: datetime) -> dict[str, object]:
    """What the ledger says of a sweep: how old the oldest was, in whole hours, by which it is seen whether it came late.

    No deadline, since that would be the sweep's own word for it; and nothing finer, since it may be somebody's only visit.
    """
    body: dict[str, object] = {"days": swept.days, "count": swept.visits}
    return body if swept.first is None else body | {"oldest": (now - swept.first) // _HOUR}


def _destroy(conn: Connection, expired: datetime) -> tuple[list[str], Swept]:
    present = days_present(conn)
    over = over_by(present, expired)
    first, gone = oldest(conn), count(conn, over)
    drop(conn, over)
    parts = [day for day in present if day not in over and day <= expired.date()]
    for day in parts:
        cover(conn, table_of(day).name)
        gone += conn.execute(delete(table_of(day)).where(table_of(day).c.at <= expired)).rowcount
    return [table_of(day).name for day in parts], Swept(
        len(over), gone, first if first is not None and first <= expired else None
    )


def oldest(conn: Connection) -> datetime | None:
    """The instant of the oldest visit that is physically there; None when there is none."""
    for day in days_present(conn):
        found: datetime | None = conn.execute(_first(day)).scalar_one()
        if found is not None:
            return found
    return None


def overdue(site: Site) -> tuple[Alarm, ...]:
    """An alarm when a visit is still physically there two sweeps after it expired."""
    with site.reading() as conn:
        found, expired = oldest(conn), cutoff(site.policy(conn), site.now())
    late = expired - 2 * heartbeat.SWEEP_EVERY
    if found is None or found > late:
        return ()
    return (Alarm("visits overdue", "visits", found + (site.now() - expired), "Visits are kept past their time."),)
