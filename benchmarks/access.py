"""Everything about a person of ten thousand holdings, as JSON, beside a bare SELECT and ``json.dumps`` of the same rows.

Troth's side decides, commits that to the ledger, reads what is known of the person, opens each holding with their key, works
out of each who received it and when it goes, and writes the document in pieces that nobody keeps. The plain side is the
database's own driver with one SELECT by person of rows that hold the same in the clear (eight answers, where and when they
came in, under which version), and one ``json.dumps`` of all of them.

The page of an ordinary person (an account's form, three orders, two choices) is a figure in seconds: everything read, laid
out and drawn for one request of a member, as the server does it, without the network.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from functools import partial
from typing import Any

from sqlalchemy import Column, Integer, MetaData, String, Table, insert

from benchmarks.measure import Figure, Goal, figure, seconds
from benchmarks.people import FIELDS, answers, fresh, registration
from benchmarks.registry import Bench, benchmark
from benchmarks.spent import spent
from benchmarks.stores import Kind, driver, shop
from troth.clock import iso
from troth.collection.actions import collect
from troth.people import vault
from troth.people.vault import By
from troth.rights.copy.as_json import as_json
from troth.rights.copy.overview import everything_told, overview
from troth.store.site import Site
from troth.web.held import fragment

HOLDINGS = 10_000
ORDINARY = 4
plain = Table(
    "plain_holding",
    MetaData(),
    Column("id", String(26), primary_key=True),
    Column("person_id", String(26), nullable=False, index=True),
    *(Column(name, String, nullable=False) for name in ("point", "source", "at")),
    Column("version", Integer, nullable=False),
    *(Column(field, String, nullable=False) for field in FIELDS),
)
PAGES = 20


@benchmark("access")
def access(bench: Bench) -> Iterator[Figure]:
    """The answer and the page on each store."""
    for kind in bench.stores.kinds:
        with shop(bench.stores, kind) as site:
            yield from _answer(bench, site, kind)
            yield from _page(bench, site, kind)


def _answer(bench: Bench, site: Site, kind: Kind) -> Iterator[Figure]:
    holdings = bench.size(HOLDINGS)
    one = somebody(site, holdings)
    plain.metadata.create_all(site.engine)
    with site.writing() as conn:
        common = {"person_id": one, "point": "register", "source": "registration", "at": iso(site.now()), "version": 1}
        rows = [{"id": f"{n:026d}", **common, **answers(n)} for n in range(holdings)]
        conn.execute(insert(plain), rows)
    raw = driver(site.engine)
    ours = partial(_told, site, one, holdings)
    pairs = bench.in_turn(
        partial(seconds, ours, holdings), partial(seconds, partial(_dumped, raw, one, holdings), holdings)
    )
    found = figure(
        "access as JSON",
        pairs,
        Goal("speed", 0.2),
        ours="as_json(everything_told())",
        theirs="one SELECT, json.dumps",
        store=kind,
        size=f"{holdings:,} holdings of one person",
    )
    yield found.with_spent(spent(ours))
    raw.close()


def somebody(site: Site, holdings: int) -> str:
    """Somebody who registered, and sent the form again until there are so many holdings."""
    person = collect(site, registration(fresh()[1])).person_id
    with site.writing() as conn:
        policy = site.policy(conn)
        for number in range(1, holdings):
            values = fresh()[1]
            vault.hold(
                site, conn, person_id=person, point="register", source="registration", values=values,
                told="0" * 64, submission=f"{number:04d}{person[-20:]}", policy=policy,
            )  # fmt: skip
    return person


def _told(site: Site, person: str, holdings: int) -> None:
    size = sum(len(piece) for piece in as_json(everything_told(site, person, By("person", ref=person), "en")))
    if size < 200 * holdings:
        raise AssertionError("something is missing from the answer")


def _dumped(raw: Any, person: str, holdings: int) -> None:
    sign = "?" if isinstance(raw, sqlite3.Connection) else "%s"
    cursor = raw.execute(f"SELECT * FROM {plain.name} WHERE person_id = {sign}", (person,))  # noqa: S608
    names = [column[0] for column in cursor.description]
    if len(json.dumps([dict(zip(names, row, strict=True)) for row in cursor.fetchall()])) < 200 * holdings:
        raise AssertionError("something is missing from the rows")


def _page(bench: Bench, site: Site, kind: Kind) -> Iterator[Figure]:
    person = somebody(site, ORDINARY)
    ours = partial(_shown, site, person)
    pairs = bench.in_turn(partial(seconds, lambda: [ours() for _ in range(PAGES)], PAGES), lambda: 1.0)
    yield figure(
        "page of what is held",
        pairs,
        Goal("seconds", 0.05),
        ours="overview(), pictures and page",
        theirs="-",
        store=kind,
        size=f"{ORDINARY} holdings of 8 fields",
    ).with_spent(spent(ours))


def _shown(site: Site, person: str) -> None:
    if "record-4" not in fragment(overview(site, person, By("person", ref=person), "en")):
        raise AssertionError("something is missing from the page")
