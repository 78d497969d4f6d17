"""The days on which people reach an age that a clock counts from: they follow from the date of birth, and are kept for such
clocks alone.

What could go wrong: the clock is declared after the date was given, and never starts for those who are there. So a version that
asks for an age has it noted for everybody whose date of birth is held, before anything is swept under that version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Select, delete, exists, func, insert, select

from troth.ids import new_id
from troth.people.keystore import open_keys
from troth.people.sealing import unseal
from troth.people.tables import happening, holding, shape
from troth.policy.compile import Compiled
from troth.policy.happenings import AGES, age
from troth.policy.periods import add_months
from troth.store.insert import insert_into
from troth.store.site import Site

BIRTH = "pd:BirthDate"
BATCH = 500


def note_ages(conn: Connection, compiled: Compiled, person_id: str, values: Mapping[str, str], now: datetime) -> None:
    """Note when somebody reaches each age that a clock asks for, if ``values`` hold their date of birth; anew each time."""
    rows = _rows(compiled, person_id, values, now)
    if rows:
        mine = (happening.c.person_id == person_id) & happening.c.event.in_(AGES)
        conn.execute(delete(happening).where(mine))
        conn.execute(insert(happening), rows)


def note_ages_held(site: Site, compiled: Compiled) -> int:
    """Note the ages that ``compiled`` asks for of everybody whose date of birth is held, and forget those it asks for no more.

    In transactions of ``BATCH`` people, and safe to repeat. Returns of how many people an age was noted.
    """
    asked = ages_asked(compiled)
    with site.writing() as conn:
        conn.execute(delete(happening).where(happening.c.event.in_([word for word in AGES if word not in asked])))
    last, noted = "", 0
    while asked:
        with site.writing() as conn:
            ids: list[str] = list(conn.scalars(_without(conn, compiled).where(holding.c.person_id > last).limit(BATCH)))
            noted += _note_all(site, conn, compiled, ids)
        if len(ids) < BATCH:
            break
        last = ids[-1]
    return noted


def unnoted(conn: Connection, compiled: Compiled) -> int:
    """Of how many people a date of birth is held, and an age that a clock counts from is not known."""
    if not ages_asked(compiled):
        return 0
    return conn.scalar(select(func.count()).select_from(_without(conn, compiled).subquery("without"))) or 0


def ages_asked(compiled: Compiled) -> tuple[str, ...]:
    """The ages that a clock of the policy counts from, as ``18 years old``."""
    return tuple(sorted({word for clock in compiled.clocks for word in clock.after if word in AGES}))


def _without(conn: Connection, compiled: Compiled) -> Select[Any]:
    """The people, by id, of whom a date of birth is held, and not every age is noted that is asked for."""
    dates = {key for key, entry in compiled.policy.data.items() if entry.category == BIRTH}
    shapes = [id_ for id_, fields in conn.execute(select(shape.c.id, shape.c.fields)) if dates & set(fields.split())]
    lacking = (
        ~exists().where(happening.c.person_id == holding.c.person_id, happening.c.event == word)
        for word in ages_asked(compiled)
    )
    some = next(lacking)
    for one in lacking:
        some |= one
    theirs = select(holding.c.person_id).where(holding.c.shape_id.in_(shapes), some)
    return theirs.distinct().order_by(holding.c.person_id)


def _note_all(site: Site, conn: Connection, compiled: Compiled, ids: Sequence[str]) -> int:
    """Note the ages of these people; where another date was given meanwhile, that one counts."""
    rows = [
        row
        for person_id, values in _born_of(site, conn, compiled, ids)
        for row in _rows(compiled, person_id, values, site.now())
    ]
    if rows:
        conn.execute(insert_into(conn, happening).on_conflict_do_nothing(), rows)
    return len({row["person_id"] for row in rows})


def _born_of(
    site: Site, conn: Connection, compiled: Compiled, ids: Sequence[str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Each of these people with what was last said of their date of birth; not whoever's key is gone."""
    query = select(holding, shape.c.fields).join(shape, shape.c.id == holding.c.shape_id)
    rows = conn.execute(
        query.where(holding.c.person_id.in_(ids)).order_by(holding.c.person_id, holding.c.at, holding.c.id)
    ).all()
    keys = open_keys(site, ids) if ids else {}
    for person_id, theirs in groupby(rows, lambda row: str(row.person_id)):
        said: dict[str, str] = {}
        for row in theirs if person_id in keys else ():
            fields = row.fields.split()
            if any(_is_birth(compiled, field) for field in fields):
                said |= unseal(keys[person_id], person_id, row.id, fields, row.body)
        yield person_id, said


def _rows(compiled: Compiled, person_id: str, values: Mapping[str, str], now: datetime) -> list[dict[str, object]]:
    """What is to be noted of somebody, if ``values`` hold their date of birth and a clock asks for an age."""
    born = next(_born(compiled, values), None)
    if born is None:
        return []
    days = {word: compiled.calendar.begins(add_months(born, 12 * int(age(word) or 0))) for word in ages_asked(compiled)}
    return [
        {"id": new_id(now), "person_id": person_id, "event": word, "ref": person_id, "at": at}
        for word, at in days.items()
    ]


def _is_birth(compiled: Compiled, field: str) -> bool:
    entry = compiled.policy.data.get(field)
    return entry is not None and entry.category == BIRTH


def _born(compiled: Compiled, values: Mapping[str, str]) -> Iterator[date]:
    for field, value in values.items():
        if _is_birth(compiled, field):
            try:
                yield date.fromisoformat(value.strip())
            except ValueError:
                continue
