"""Bytes on disk: what Troth keeps beside a plain table of the same rows with the same indexes.

What counts: the pages of a table and of all its indexes, as the database itself counts them, after as many registrations of
eight fields as are named. *Sealed holdings* is the table ``holding`` (the answers sealed in one value) beside a table with the
same columns and indexes where the eight answers stand as eight columns of text. The second line, which has no goal, is
everything that a registration leaves behind (the person, the blind index, consents with the words that were shown, the dealing,
five entries of the ledger, the person's key) beside a table of the eight answers alone with a primary key and an index on the
e-mail address: what an application keeps that records none of this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Column, Connection, Engine, Index, MetaData, String, Table, insert, inspect, select, text

from benchmarks.measure import Figure, Goal, Pairs, figure
from benchmarks.people import FIELDS, answers, registered
from benchmarks.registry import Bench, benchmark
from benchmarks.stores import Kind, settled, shop
from troth.people.tables import holding
from troth.store.site import Site

PEOPLE = 1000
_same = [Column(one.name, one.type, primary_key=one.primary_key) for one in holding.c if one.name != "body"]
in_columns = Table("in_columns", MetaData(), *_same, *(Column(field, String, nullable=False) for field in FIELDS))
for _index in holding.indexes:
    _where = {
        f"{kind}_where": of["where"] for kind, of in _index.dialect_options.items() if of.get("where") is not None
    }
    _columns = (in_columns.c[column.name] for column in _index.columns)
    Index(f"same_{_index.name}", *_columns, unique=_index.unique, **_where)
alone = Table(
    "alone",
    MetaData(),
    Column("id", String(26), primary_key=True),
    *(Column(field, String, nullable=False, index=field == "email") for field in FIELDS),
)


@benchmark("space")
def space(bench: Bench) -> Iterator[Figure]:
    """Bytes on each store."""
    for kind in bench.stores.kinds:
        with shop(bench.stores, kind) as site:
            yield from _on(bench, site, kind)


def _on(bench: Bench, site: Site, kind: Kind) -> Iterator[Figure]:
    people = bench.size(PEOPLE)
    registered(site, people)
    tables = [name for name in inspect(site.engine).get_table_names() if name != "policy_version"]
    with site.reading() as conn:
        rows = [dict(row._mapping) for row in conn.execute(select(*(holding.c[one.name] for one in _same)))]
    for table, made in (
        (in_columns, [{**row, **answers(number)} for number, row in enumerate(rows)]),
        (alone, [{"id": row["id"], **answers(number)} for number, row in enumerate(rows)]),
    ):
        table.metadata.create_all(site.engine)
        with site.writing() as conn:
            conn.execute(insert(table), made)
    sizes = {name: bytes_of(site.engine, [name]) / people for name in ("holding", "in_columns", "alone")}
    whole = (bytes_of(site.engine, tables) + bytes_of(site.keys, ["person_key"])) / people
    told = {"store": kind, "size": f"{people:,} registrations of {sum(map(len, answers(1).values()))} bytes; for each"}
    sealed = Pairs((sizes["holding"],), (sizes["in_columns"],))
    ours, theirs = "holding and its indexes", "the same in columns"
    yield figure("bytes, sealed holdings", sealed, Goal("cost", 1.25), ours=ours, theirs=theirs, unit="B", **told)
    ours, theirs = "every table, and the keys", "the answers alone"
    yield figure(
        "... with all records", Pairs((whole,), (sizes["alone"],)), None, ours=ours, theirs=theirs, unit="B", **told
    )


def bytes_of(engine: Engine, tables: Sequence[str]) -> int:
    """Bytes of these tables with their indexes, all of them written to the disk."""
    settled(engine)
    with engine.connect() as conn:
        return sum(_bytes(conn, name) for name in tables)


def _bytes(conn: Connection, name: str) -> int:
    if conn.dialect.name == "postgresql":
        return int(conn.scalar(text("SELECT pg_total_relation_size(to_regclass(:name))"), {"name": name}) or 0)
    query = "SELECT sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_master WHERE tbl_name = :name)"
    return int(conn.scalar(text(query), {"name": name}) or 0)
