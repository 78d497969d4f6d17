"""Reading a person's eight fields for a purpose beside selecting a plain row by its key.

Troth's side decides over facts it gathers (consents, dealings, restrictions), commits the decision to the ledger, fetches
the key and opens the holding. The plain side is the database's own driver with one prepared SELECT by primary key; it
writes nothing, so that on Troth's side the wait for the disk is part of the price of the audit.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from sqlalchemy import insert, select

from benchmarks.collecting import plain
from benchmarks.measure import Figure, Goal, figure, seconds
from benchmarks.people import FIELDS, fresh, registered
from benchmarks.registry import Bench, benchmark
from benchmarks.spent import spent
from benchmarks.stores import Kind, driver, shop
from troth.people import vault
from troth.store.site import Site

PEOPLE = 1000
READS = 150
TOGETHER = 50
BY = vault.By("staff", role="service")


@benchmark("reading")
def reading(bench: Bench) -> Iterator[Figure]:
    """Reads one by one and in batches on each store."""
    for kind in bench.stores.kinds:
        with shop(bench.stores, kind) as site:
            yield from _on(bench, site, kind)


def _on(bench: Bench, site: Site, kind: Kind) -> Iterator[Figure]:
    people, reads = bench.size(PEOPLE), TOGETHER if bench.quick else READS
    ids = registered(site, people)
    plain.metadata.create_all(site.engine)
    with site.writing() as conn:
        conn.execute(insert(plain), [{"id": one, **fresh()[1]} for one in ids])
    raw = driver(site.engine)
    goal, told = Goal("cost", 4), {"store": kind, "size": f"{people} people, {reads} reads a run"}
    cases: list[tuple[str, Callable[[list[str]], None], str, Callable[[list[str]], None], str]] = [
        ("read of 8 fields", partial(_one_by_one, site), "vault.read()", partial(_rows, raw, kind), "one SELECT each"),
        (
            "read of 50 people",
            partial(_many, site),
            "vault.read_many() of 50",
            partial(_lists, raw, kind),
            "one SELECT for 50",
        ),
        (
            "... beside one by one",
            partial(_many, site),
            "vault.read_many() of 50",
            partial(_rows, raw, kind),
            "one SELECT each",
        ),
        (
            "... and SQLAlchemy",
            partial(_many, site),
            "vault.read_many() of 50",
            partial(_core, site),
            "SQLAlchemy, one for 50",
        ),
    ]
    for what, act, ours, other, theirs in cases:
        pairs = bench.in_turn(_side(act, ids, reads), _side(other, ids, reads))
        aimed = None if what.startswith("...") else goal
        found = figure(what, pairs, aimed, ours=ours, theirs=theirs, **told)
        yield found.with_spent(spent(_side(act, ids, reads))) if aimed else found
    raw.close()


def _side(act: Callable[[list[str]], None], ids: list[str], reads: int) -> Callable[[], float]:
    def side() -> float:
        some = [secrets.choice(ids) for _ in range(reads)]
        return seconds(lambda: act(some), reads)

    return side


def _batches(ids: list[str]) -> Iterator[list[str]]:
    return (ids[start : start + TOGETHER] for start in range(0, len(ids), TOGETHER))


def _one_by_one(site: Site, ids: list[str]) -> None:
    for one in ids:
        if len(vault.read(site, one, FIELDS, "service", BY).values) != len(FIELDS):
            raise AssertionError("a read opened less than was asked for")


def _many(site: Site, ids: list[str]) -> None:
    for batch in _batches(ids):
        if len(dict(vault.read_many(site, batch, FIELDS, "service", BY))) != len(set(batch)):
            raise AssertionError("a read left somebody out")


def _rows(raw: Any, kind: Kind, ids: list[str]) -> None:
    query = f"SELECT * FROM plain WHERE id = {'%s' if kind == 'postgresql' else '?'}"  # noqa: S608
    for one in ids:
        raw.execute(query, (one,)).fetchone()


def _lists(raw: Any, kind: Kind, ids: list[str]) -> None:
    for batch in _batches(ids):
        if kind == "postgresql":
            raw.execute("SELECT * FROM plain WHERE id = ANY(%s)", (batch,)).fetchall()
        else:
            raw.execute(f"SELECT * FROM plain WHERE id IN ({', '.join('?' * len(batch))})", batch).fetchall()  # noqa: S608


def _core(site: Site, ids: list[str]) -> None:
    for batch in _batches(ids):
        with site.reading() as conn:
            conn.execute(select(plain).where(plain.c.id.in_(batch))).all()
