"""Looks for values in every table of both stores, declared or not.

On SQLite other writers wait for a trial, so there a table of many rows is searched from the row on at which the trial began;
what is written into an older row of such a table is not seen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnClause,
    ColumnElement,
    Engine,
    Integer,
    LargeBinary,
    String,
    cast,
    column,
    func,
    inspect,
    literal,
    literal_column,
    or_,
    select,
    table,
    true,
)

from troth.people.spellings import written
from troth.store.engines import reading
from troth.store.site import Site

_NOTHING: Mapping[str, int] = {}
MANY = 50_000
"""rows of a table from which on SQLite searches only what is new of it"""


def floors(site: Site) -> dict[str, int]:
    """The newest row of each table of many rows, by its name; none where other writers need not wait for a search."""
    return {name: top for engine in (site.engine, site.keys) for name, top in _tops(engine).items() if top > MANY}


def _tops(engine: Engine) -> dict[str, int]:
    if engine.dialect.name != "sqlite":
        return {}
    with reading(engine) as conn:
        names = inspect(conn).get_table_names()
        tops = {name: select(func.max(literal_column("rowid", Integer))).select_from(table(name)) for name in names}
        return {name: conn.scalar(top) or 0 for name, top in tops.items()}


def search(site: Site, values: Collection[str], skip: Collection[str] = (), since: Mapping[str, int] = _NOTHING) -> int:
    """How many rows of all tables of both stores, but for those in ``skip``, hold one of ``values`` in a text or in bytes.

    Of tables in ``since`` only the rows after that one are looked at. Other spellings of a value count (``written``).
    """
    spelled = list(dict.fromkeys(one for value in values for one in written(value)))
    return sum(_search_engine(engine, spelled, skip, since) for engine in (site.engine, site.keys))


def _search_engine(engine: Engine, values: Collection[str], skip: Collection[str], since: Mapping[str, int]) -> int:
    found = 0
    with reading(engine) as conn:
        for (_, name), columns in inspect(conn).get_multi_columns().items():
            if name in skip:
                continue
            dialect, there = engine.dialect.name, [column(one["name"], one["type"]) for one in columns]
            wanted = [look for one in there for value in values for look in _holds(dialect, one, value)]
            new = literal_column("rowid") > since[name] if name in since else true()
            if wanted:
                found += conn.scalar(select(func.count()).select_from(table(name)).where(new, or_(*wanted))) or 0
    return found


def _holds(dialect: str, searched: ColumnClause[Any], value: str) -> Iterator[ColumnElement[bool]]:
    if isinstance(searched.type, LargeBinary):
        if dialect == "sqlite":
            yield func.instr(searched, literal(value.encode(), LargeBinary)) > 0
        else:
            yield func.strpos(func.encode(searched, "hex"), value.encode().hex()) > 0
    elif isinstance(searched.type, (String, JSON)):
        yield cast(searched, String).contains(value, autoescape=True)
