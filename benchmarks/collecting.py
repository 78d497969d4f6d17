"""Collecting a form of eight fields beside inserting the same bytes as one plain row.

Troth's side is ``troth.collection.collect``: the answers checked and decided upon, sealed, with two consents, the words that
were shown, an open dealing and five ledger entries, in one committed transaction of the data store. A new person also gets a
key, which is a second committed transaction in the key store; somebody known does not. The plain side is the database's own
driver with one prepared INSERT of eight columns into a table with a primary key, in a committed transaction, as durable.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from sqlalchemy import Column, Engine, MetaData, String, Table, insert

from benchmarks.measure import Figure, Goal, Side, figure, seconds
from benchmarks.people import FIELDS, answers, fresh, registration
from benchmarks.registry import Bench, benchmark
from benchmarks.spent import spent
from benchmarks.stores import Kind, driver, shop
from troth.collection.actions import collect
from troth.store.site import Site

FORMS = 60
GOALS: dict[Kind, float] = {"sqlite": 5, "postgresql": 3}

plain = Table(
    "plain",
    MetaData(),
    Column("id", String(26), primary_key=True),
    *(Column(field, String, nullable=False) for field in FIELDS),
)


def inserts(engine: Engine, raw: Any, forms: int) -> Callable[[], None]:
    """Inserts ``forms`` rows, each committed before the next."""
    sign = "%s" if engine.dialect.name == "postgresql" else "?"
    statement = f"INSERT INTO plain VALUES ({', '.join([sign] * 9)})"  # noqa: S608

    def run() -> None:
        for _ in range(forms):
            raw.execute(statement, (secrets.token_hex(13), *fresh()[1].values()))

    return run


@benchmark("collecting")
def collecting(bench: Bench) -> Iterator[Figure]:
    """Forms of new and of known people on each store."""
    for kind in bench.stores.kinds:
        with shop(bench.stores, kind) as site:
            yield from _on(bench, site, kind)


def _on(bench: Bench, site: Site, kind: Kind) -> Iterator[Figure]:
    forms = bench.size(FORMS)
    plain.metadata.create_all(site.engine)
    raw = driver(site.engine)
    bare = inserts(site.engine, raw, forms)
    who = fresh()[0]

    def new() -> None:
        for _ in range(forms):
            collect(site, registration(fresh()[1]))

    def known() -> None:
        for _ in range(forms):
            collect(site, registration(answers(who)))

    def through_sqlalchemy() -> None:
        for _ in range(forms):
            with site.writing() as conn:
                conn.execute(insert(plain).values(id=secrets.token_hex(13), **fresh()[1]))

    theirs: Side = lambda: seconds(bare, forms)  # noqa: E731
    told = {"store": kind, "size": f"{forms} forms a run, {sum(map(len, answers(1).values()))} bytes each"}
    row = "one row, the database's driver, one commit"
    for what, act, ours in (
        ("form of 8, new person", new, "collect(): two stores, a commit each"),
        ("form of 8, known person", known, "collect(): one commit"),
    ):
        pairs = bench.in_turn(partial(seconds, act, forms), theirs)
        yield figure(what, pairs, Goal("cost", GOALS[kind]), ours=ours, theirs=row, **told).with_spent(spent(act))
    pairs = bench.in_turn(lambda: seconds(known, forms), lambda: seconds(through_sqlalchemy, forms))
    yield figure(
        "... beside SQLAlchemy", pairs, None, ours="collect(): one commit", theirs=f"{row[:7]}, SQLAlchemy", **told
    )
    raw.close()
