"""Thirty days of visits of which a third expires: Troth's sweep beside dropping partitions by hand and beside DELETE.

Troth's side is ``troth.visits.sweep``: it counts what goes, drops the days, makes the coming ones, writes the ledger, destroys
the days' keys and scrubs. By hand: the same ten tables dropped in one transaction, nothing else. DELETE: one table with the
same columns and an index on the time, one indexed statement. All have the same settings; each run begins with full tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from sqlalchemy import Column, Connection, Index, LargeBinary, MetaData, String, Table, delete

from benchmarks.measure import Figure, Goal, Pairs, figure, seconds
from benchmarks.registry import Bench, benchmark
from benchmarks.spent import spent
from benchmarks.stores import START, Kind, settled, shop
from troth.clock import DAY, MovedClock, to_micros
from troth.store.schema import Instant
from troth.store.site import Site
from troth.visits import sweep
from troth.visits.partitions import drop, ensure_days, start_of, table_of

A_DAY = 100_000
DAYS, EXPIRED = 30, 10
BODY = 130  # bytes of a sealed visit

plain = Table(
    "plain_visit",
    MetaData(),
    Column("at", Instant, nullable=False),
    Column("id", String(26), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_plain_visit_at", "at", "id"),
)

_FILL = {
    "sqlite": """INSERT INTO {table} WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {rows} - 1)
        SELECT {start} + i * {step}, lower(hex(randomblob(13))), randomblob({body}) FROM n""",
    "postgresql": """INSERT INTO {table} SELECT {start} + i::bigint * {step}, substr(md5(random()::text), 1, 26),
        decode(repeat(md5(random()::text), {body} / 16 + 1), 'hex') FROM generate_series(0, {rows} - 1) AS i""",
}


def fill(conn: Connection, table: str, day: date, rows: int) -> None:
    """``rows`` visits spread over ``day``, made by the database: their bodies open for nobody and are as long as real ones."""
    start, step = to_micros(start_of(day)), 86_400_000_000 // rows
    statement = _FILL[conn.dialect.name].format(table=table, rows=rows, start=start, step=step, body=BODY)
    conn.exec_driver_sql(statement)


@benchmark("visits")
def visits(bench: Bench) -> Iterator[Figure]:
    """A third of the visit log goes, on each store, three ways."""
    for kind in bench.stores.kinds:
        with shop(bench.stores, kind) as site:
            yield from _on(bench, site, kind)


def _on(bench: Bench, site: Site, kind: Kind) -> Iterator[Figure]:
    a_day = bench.size(A_DAY)
    first = START.date()
    days = [first + n * DAY for n in range(DAYS)]
    clock = site.clock
    if not isinstance(clock, MovedClock):
        raise TypeError("a benchmark needs a clock that it can move")
    clock.at = start_of(first) + (DAYS + EXPIRED) * DAY
    plain.metadata.create_all(site.engine)
    _filled(site, days, days, a_day)
    runs: dict[str, list[float]] = {"sweep": [], "drop": [], "delete": []}
    over = days[:EXPIRED]
    for _ in range(bench.pairs + 1):
        for way, act in (
            ("sweep", lambda: sweep.sweep(site)),
            ("drop", lambda: _drop(site, over)),
            ("delete", lambda: _delete(site)),
        ):
            _filled(site, over if way != "delete" else (), over if way == "delete" else (), a_day)
            settled(site.engine)
            runs[way].append(seconds(act))
    size = f"{EXPIRED * a_day:,} of {DAYS * a_day:,} visits go"
    told = {"store": kind, "size": size, "ours": "visits.sweep()"}
    _filled(site, over, (), a_day)
    where = spent(lambda: sweep.sweep(site))
    sides = {way: tuple(taken[1:]) for way, taken in runs.items()}
    dropped, deleted = Pairs(sides["sweep"], sides["drop"]), Pairs(sides["sweep"], sides["delete"])
    by_hand = f"DROP TABLE of the {EXPIRED} days"
    yield figure("visits expire, by drop", dropped, Goal("cost", 1.5), theirs=by_hand, **told).with_spent(where)
    yield figure(
        "visits expire, by DELETE", deleted, Goal("speed", 15), theirs="one indexed DELETE", **told
    ).with_spent(where)


def _filled(site: Site, days: list[date] | tuple[()], plain_days: list[date] | tuple[()], a_day: int) -> None:
    """Fill the tables of ``days``, which are missing or empty, and the plain table with ``plain_days``."""
    with site.writing() as conn:
        drop(conn, days)
        ensure_days(conn, days)
        for day in days:
            fill(conn, table_of(day).name, day, a_day)
        if plain_days:
            conn.execute(delete(plain).where(plain.c.at < start_of(plain_days[-1]) + timedelta(days=1)))
        for day in plain_days:
            fill(conn, plain.name, day, a_day)
        if conn.dialect.name == "postgresql":  # as its own housekeeping does within the thirty days
            conn.exec_driver_sql("ANALYZE")


def _drop(site: Site, days: list[date]) -> None:
    with site.writing() as conn:
        for day in days:
            conn.exec_driver_sql(f"DROP TABLE {table_of(day).name}")


def _delete(site: Site) -> None:
    with site.writing() as conn:
        conn.execute(delete(plain).where(plain.c.at <= site.now() - timedelta(days=DAYS)))
