"""Many people who end for one cause: a shop that closes, customers handed over to somebody else. Quarantined set by set.

Who asks for themselves has an ending of their own (``ending.begin_ending``), to be restored by itself. Here a transaction takes
as many people as it can in a short time and is one ending; whoever was left out by a crash is taken when it is done again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, literal, or_, select, update

from troth.batches import batches
from troth.ids import new_id
from troth.people.tables import holding, person
from troth.retention.due import Scope
from troth.retention.entering import Entered, enter
from troth.retention.keeping import keep_apart
from troth.retention.pace import pace_of
from troth.retention.quarantine import depart, move
from troth.retention.tables import departure
from troth.store.insert import insert_into
from troth.store.site import Site

_BATCH = 1000


def begin_endings(
    site: Site,
    person_ids: Collection[str],
    cause: str,
    deadline: datetime,
    everywhere: bool | None = None,
    batch: int | None = None,
) -> list[str]:
    """Quarantine these people whole, some at a time, each time in a transaction of its own; returns the endings' ids.

    Whoever is not in use (unknown, on the way out, kept by a hold alone) is left as they are, so that it is safe to repeat.

    Args:
        cause: as in ``begin_ending``.
        everywhere: as in ``begin_ending``.
        batch: people a transaction; as many as are done in a short time when left out.
    """
    rest, pace = list(dict.fromkeys(person_ids)), pace_of(site.engine, batch)
    made: list[str | None] = []
    while rest:
        some, rest = rest[: pace.rows], rest[pace.rows :]
        with pace.timed(), site.writing() as conn:
            made.append(_begin(site, conn, some, cause, deadline, everywhere))
    return [one for one in made if one is not None]


def _begin(
    site: Site, conn: Connection, ids: Sequence[str], cause: str, deadline: datetime, everywhere: bool | None
) -> str | None:
    compiled, now, made = site.policy(conn), site.now(), new_id(site.now())
    if not sum(_leaving(conn, made, some) for some in batches(ids, _BATCH)):
        return None
    theirs = select(departure.c.person_id).where(departure.c.ending_id == made)
    _end_business(conn, theirs, now)
    free = and_(holding.c.person_id.in_(theirs), holding.c.only_for.is_(None))
    scope = Scope(holding, free, holding.c.at, by_people=True)
    while keep_apart(site, conn, scope, compiled, now, batch=_BATCH):
        pass
    counted = move(conn, scope.select(holding.c.id), made)
    depart(conn, made, person.c.id.in_(theirs), deadline)
    erasure = compiled.policy.erasure
    told = everywhere if everywhere is not None else bool(erasure and erasure.everywhere)
    enter(site, conn, [Entered(made, cause, deadline, counted, told, scope="person")])
    return made


def _leaving(conn: Connection, ending_id: str, ids: Sequence[str]) -> int:
    """Enter those of ``ids`` who are in use as leaving with this ending; how many there were."""
    active: ColumnElement[bool] = and_(person.c.id.in_(ids), person.c.state == "active")
    rows = select(person.c.id, literal(ending_id), person.c.only_for).where(active)
    new = insert_into(conn, departure).from_select(["person_id", "ending_id", "only_for"], rows)
    return conn.execute(new.on_conflict_do_nothing(), execution_options={"preserve_rowcount": True}).rowcount


def _end_business(conn: Connection, theirs: Select[Any], now: datetime) -> None:
    still = or_(person.c.relationship_ends_at.is_(None), person.c.relationship_ends_at > now)
    conn.execute(update(person).where(person.c.id.in_(theirs), still).values(relationship_ends_at=now))


def leave_at_once(site: Site, conn: Connection, person_ids: Sequence[str], cause: str) -> int:
    """Quarantine these people to be destroyed now, whole: whatever a hold keeps of them, and however else they were leaving.

    For people who were destroyed before, and whom a backup brought back: that they may go was decided then.

    Args:
        person_ids: some hundreds, who are there; a commit takes them all.
        cause: why they were destroyed then.

    Returns:
        How many they are.
    """
    if not person_ids:
        return 0
    made, now = new_id(site.now()), site.now()
    conn.execute(delete(departure).where(departure.c.person_id.in_(person_ids)))
    conn.execute(update(person).where(person.c.id.in_(person_ids)).values(state="quarantined"))
    theirs = select(person.c.id, literal(made), person.c.only_for).where(person.c.id.in_(person_ids))
    conn.execute(insert_into(conn, departure).from_select(["person_id", "ending_id", "only_for"], theirs))
    counted = move(conn, select(holding.c.id).where(holding.c.person_id.in_(person_ids)), made)
    told = _told_everywhere(site, conn, cause)
    enter(site, conn, [Entered(made, cause, now, counted, told, scope="person")])
    return len(person_ids)


def _told_everywhere(site: Site, conn: Connection, cause: str) -> bool:
    """Whether recipients are told to delete the people who end for ``cause``: as their clock says, else as the policy does."""
    compiled = site.policy(conn)
    clocks = [clock.everywhere for clock in compiled.clocks if cause == f"clock:{clock.id}"]
    return clocks[0] if clocks else bool(compiled.policy.erasure and compiled.policy.erasure.everywhere)
