"""The ledger: entries appended in batches beside bare rows, and the whole of it verified beside bare hashing.

Append: ``append_many`` guards, canonicalises and hashes each body; the bare side hands ready-made rows to the driver's
``executemany``, into the same table with the same indexes. Both commit each batch. Verify: ``verify`` reads every row, puts its
bytes together, hashes it, grows two trees and checks signatures; the bare side is one SHA-256 for each entry over the same
bytes, already in memory. In a line for comparison the bare side also fetches them from the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import select

from benchmarks.measure import Figure, Goal, figure, seconds
from benchmarks.registry import Bench, benchmark
from benchmarks.spent import spent
from benchmarks.stores import START, Kind, driver, shop
from troth import ledger
from troth.clock import to_micros
from troth.decide import Ask
from troth.ids import new_id
from troth.ledger import events
from troth.ledger.actions import canonical
from troth.ledger.tables import entry
from troth.store.site import Site

BATCH, BATCHES = 200, 10
LENGTH = 20_000


def bodies(site: Site, number: int) -> list[dict[str, object]]:
    """What the vault writes of ``number`` reads of eight fields."""
    compiled = site.policy()
    ask = Ask(
        "read",
        "service",
        frozenset(compiled.policy.purposes["service"].uses),
        "customer",
        facts=frozenset({"by:staff"}),
    )
    made = ledger.decision_body(ask, compiled.decide(ask), compiled.version)
    return [{**made, "person": new_id(START), "by": "staff"} for _ in range(number)]


@benchmark("ledger")
def of_ledger(bench: Bench) -> Iterator[Figure]:
    """Appending and verifying on each store."""
    for kind in bench.stores.kinds:
        with shop(bench.stores, kind) as site:
            yield from _append(bench, site, kind)
            yield from _verify(bench, site, kind)


def _append(bench: Bench, site: Site, kind: Kind) -> Iterator[Figure]:
    batches = bench.size(BATCHES)
    made = bodies(site, BATCH)
    raw = driver(site.engine)
    with site.writing() as conn:
        ledger.append_many(conn, START, events.PERSON_READ, made)
    with site.reading() as conn:
        ready = [(to_micros(row.at), row.event, row.body, row.leaf) for row in conn.execute(select(entry))]

    def ours() -> None:
        for _ in range(batches):
            with site.writing() as conn:
                ledger.append_many(conn, START, events.PERSON_READ, made)

    def theirs() -> None:
        for _ in range(batches):
            _executemany(raw, kind, ready)

    entries = batches * BATCH
    pairs = bench.in_turn(lambda: seconds(ours, entries), lambda: seconds(theirs, entries))
    told = {
        "store": kind,
        "size": f"{entries:,} entries a run, {BATCH} a commit",
        "theirs": "executemany of ready-made rows",
    }
    yield figure("ledger append", pairs, Goal("speed", 0.5), ours="append_many()", **told).with_spent(spent(ours))
    raw.close()


def _executemany(raw: Any, kind: Kind, rows: Sequence[tuple[object, ...]]) -> None:
    marks = ", ".join(["%s" if kind == "postgresql" else "?"] * 4)
    cursor = raw.cursor()
    cursor.execute("BEGIN")
    cursor.executemany(f"INSERT INTO ledger_entry (at, event, body, leaf) VALUES ({marks})", rows)  # noqa: S608
    cursor.execute("COMMIT")


def _verify(bench: Bench, site: Site, kind: Kind) -> Iterator[Figure]:
    length = bench.size(LENGTH)
    with site.writing() as conn:
        ledger.append_many(conn, START, events.PERSON_READ, bodies(site, length))
    ledger.seal(site)
    with site.reading() as conn:
        there = [canonical(row.at, row.event, row.body) for row in conn.execute(select(entry))]
    raw = driver(site.engine)

    def hashed() -> None:
        for one in there:
            sha256(one).digest()

    def fetched() -> None:
        for row in raw.execute("SELECT id, at, event, body, leaf, position FROM ledger_entry ORDER BY position"):
            sha256(row[3].encode()).digest()

    def ours() -> None:
        if ledger.verify(site).verdict != "whole":
            raise AssertionError("the ledger does not verify")

    size = f"{len(there):,} entries of {sum(map(len, there)) // len(there)} bytes"
    told = {"store": kind, "size": size, "ours": "verify()"}
    pairs = bench.in_turn(lambda: seconds(ours, len(there)), lambda: seconds(hashed, len(there)))
    yield figure("ledger verify", pairs, Goal("speed", 0.3), theirs="SHA-256 in memory", **told).with_spent(spent(ours))
    pairs = bench.in_turn(lambda: seconds(ours, len(there)), lambda: seconds(fetched, len(there)))
    yield figure("... beside fetched", pairs, None, theirs="SHA-256 of fetched rows", **told)
    raw.close()
