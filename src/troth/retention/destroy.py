"""Destroying what is in quarantine, and re-reading every table to show that it is gone.

What could go wrong: rows gone and the key left, or the key gone and rows left that nobody can account for; a table that
somebody added and nobody told this module of; *complete* said of what was only begun. So the tables are taken from the
metadata, children before parents, in one transaction; the keys follow when that is committed; and the numbers of the people
who must be gone are kept until a re-reading of every table and of the key store has found nothing of them. A crash anywhere is
finished by the next sweep: each step is found by the state the one before it left.

    quarantined -> (rows gone) destroying -> (keys gone) destroyed -> (re-read, every recipient acknowledged) complete
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Connection,
    Row,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal,
    not_,
    select,
    union_all,
    update,
)

from troth import ledger
from troth.batches import batches
from troth.ledger import events
from troth.people.keystore import BATCH, destroy_keys, keys_read
from troth.people.tables import dealing, holding, person, person_key, quarantined
from troth.policy.compile import Compiled
from troth.recipients.instructions import instruct, waiting
from troth.recipients.tables import disclosure
from troth.retention.tables import departure, ending
from troth.store.schema import data_tables
from troth.store.site import Site

NEEDED_BY_HOLDS = frozenset({"holding", "hold", "quarantined", "choice", "dealing"})
"""What stays of somebody a hold keeps: what it keeps, choices that still bind, and open dealings that a use is tied to."""
UNTOLD = frozenset({disclosure.name})
"""What stays besides where nobody was told to delete: whom the end of the hold leaves to be told is found by it."""


def tables_of_people() -> list[Table]:
    """Every table with rows about a person that must go with them, children before parents, straight from the metadata."""
    parents = reversed(data_tables.sorted_tables)
    return [table for table in parents if "person_id" in table.c and "outlives" not in table.info]


def destroy(site: Site, ending_id: str) -> None:
    """Destroy what is quarantined under one ending, as far as it is not destroyed already."""
    with site.writing() as conn:
        row = _row(conn, ending_id)
        if row.state == "quarantined":
            _destroy_rows(site, conn, row)
    with site.reading() as conn:
        people = _departed(conn, ending_id)
    destroy_keys(site, people)
    with site.writing() as conn:
        row = _row(conn, ending_id)
        if row.state == "destroying":
            change = {"state": "destroyed", "destroyed_at": site.now()}
            conn.execute(update(ending).where(ending.c.id == ending_id).values(**change))
            body = destroyed_body(ending_id, row.cause, row.counted, len(people))
            body |= {"gone": sorted(people)} if people else {}
            ledger.append(conn, site.now(), events.ENDING_DESTROYED, body)


def destroyed_body(ending_id: str, cause: str, holdings: int, people: int) -> dict[str, object]:
    """What the ledger says of a destruction."""
    return {"ending": ending_id, "cause": cause, "holdings": holdings, "people": people}


def _row(conn: Connection, ending_id: str) -> Row[Any]:
    return conn.execute(select(ending).where(ending.c.id == ending_id).with_for_update()).one()


def _departed(conn: Connection, ending_id: str) -> list[str]:
    return list(conn.scalars(select(departure.c.person_id).where(departure.c.ending_id == ending_id)))


def _destroy_rows(site: Site, conn: Connection, row: Row[Any]) -> None:
    everyone = _departed(conn, row.id)
    if row.everywhere and everyone:
        instruct(site, conn, row.id, everyone, row.destroy_by)
    _let_stay(conn, row.id, site.policy(conn), NEEDED_BY_HOLDS if row.everywhere else NEEDED_BY_HOLDS | UNTOLD)
    conn.execute(delete(quarantined).where(quarantined.c.ending_id == row.id))
    theirs = select(departure.c.person_id).where(departure.c.ending_id == row.id)
    for table in tables_of_people() if everyone else ():
        conn.execute(delete(table).where(table.c.person_id.in_(theirs)))
    conn.execute(delete(person).where(person.c.id.in_(theirs)))
    conn.execute(update(ending).where(ending.c.id == row.id).values(state="destroying"))


def _let_stay(conn: Connection, ending_id: str, compiled: Compiled, needed_tables: Collection[str]) -> None:
    """People of whom a hold keeps something go another day; all but ``needed_tables``, and dealings that are over, goes now."""
    held = and_(holding.c.person_id == departure.c.person_id, holding.c.only_for.is_not(None))
    left = exists().where(held).correlate(departure)
    stay = and_(departure.c.ending_id == ending_id, left)
    theirs = select(departure.c.person_id).where(stay)
    if conn.execute(theirs.limit(1)).first() is None:
        return
    for table in tables_of_people():
        if table.name not in needed_tables:
            conn.execute(delete(table).where(table.c.person_id.in_(theirs)))
    needed = and_(dealing.c.closed_at.is_(None), dealing.c.kind.in_(_kinds(compiled)))
    conn.execute(delete(dealing).where(dealing.c.person_id.in_(theirs), not_(needed)))
    conn.execute(delete(departure).where(stay))


def _kinds(compiled: Compiled) -> list[str]:
    """The kinds of dealings that some use is tied to while they are open."""
    return sorted({need.removeprefix("open ") for use in compiled.policy.purposes.values() for need in use.needs})


@dataclass(frozen=True, slots=True)
class Reread:
    """What a re-reading found: rows left, by table, and instructions that recipients have not acknowledged."""

    left: Mapping[str, int]
    waiting: Mapping[str, int]

    @property
    def complete(self) -> bool:
        """Nothing is left and everyone has answered."""
        return not any(self.left.values()) and not self.waiting


def reread(site: Site, ending_id: str) -> Reread:
    """Look again for everyone who departed with an ending: in every table that could name them, and among the keys."""
    with site.reading() as conn:
        people = _departed(conn, ending_id)
        counts = conn.execute(_counting(tuple(tables_of_people())), {"ending": ending_id})
        left = {row.name: int(row.rows) for row in counts}
        silent = waiting(conn, ending_id)
    return Reread({**left, person_key.name: _keys(site, people)}, silent)


@lru_cache(maxsize=4)
def _counting(tables: tuple[Table, ...]) -> CompoundSelect[Any]:
    """The query for the rows that are left of an ending, by table; remembered, since it is long and asked for at every turn."""
    mine: BindParameter[str] = bindparam("ending")
    theirs = select(departure.c.person_id).where(departure.c.ending_id == mine)
    counts = [_count(table.name, table, table.c.person_id.in_(theirs)) for table in tables]
    counts.append(_count(person.name, person, person.c.id.in_(theirs)))
    return union_all(*counts, _count("quarantine", quarantined, quarantined.c.ending_id == mine))


def _count(name: str, table: Table, which: ColumnElement[bool]) -> Any:
    return select(literal(name).label("name"), func.count().label("rows")).select_from(table).where(which)


def _keys(site: Site, people: Collection[str]) -> int:
    found = 0
    with keys_read(site) as conn:
        for ids in batches(people, BATCH):
            some = person_key.c.person_id.in_(ids)
            found += conn.scalar(select(func.count()).select_from(person_key).where(some)) or 0
    return found


def complete(site: Site, ending_id: str) -> bool:
    """Call an ending complete if a re-reading says so; if rows were found, it is destroyed once more at the next sweep."""
    found = reread(site, ending_id)
    if found.waiting and not any(found.left.values()):
        return False
    destroyed = and_(ending.c.id == ending_id, ending.c.state == "destroyed")
    with site.writing() as conn:
        if any(found.left.values()):
            conn.execute(update(ending).where(destroyed).values(state="quarantined"))
        if not found.complete:
            return False
        change = {"state": "complete", "complete_at": site.now()}
        if not conn.execute(update(ending).where(destroyed).values(**change)).rowcount:
            return False
        conn.execute(delete(departure).where(departure.c.ending_id == ending_id))
        ledger.append(conn, site.now(), events.ENDING_COMPLETE, {"ending": ending_id, "left": dict(found.left)})
    return True
