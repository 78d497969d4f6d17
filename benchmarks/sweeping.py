"""Ordinary holdings that come due under a clock: Troth's sweep beside one bare DELETE of the same rows from the same tables.

An eighth of the holdings is due: the older answers to one of four forms, scattered among those that stay. Troth's side is
``retention.sweep`` (found by clocks and holds, destroyed window by window with an ending and a ledger entry each, whoever has
nothing left looked for, the ends of business worked out anew), and in a line of its own the same with ``destroy_due`` after it,
which re-reads, calls it complete and scrubs. The bare side is one DELETE by shape and time on a copy of the very same database,
and in the second line the same scrubbing after it (a VACUUM, an emptied log), since rows are not gone before. Each run has its
own copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from time import perf_counter

from sqlalchemy import Connection, Engine, delete, event, func, insert, select

from benchmarks.measure import Figure, Goal, Pairs, figure, seconds
from benchmarks.registry import Bench, benchmark
from benchmarks.spent import spent
from benchmarks.stores import START, Kind, Stores, open_shop, settled
from troth.clock import MovedClock, to_micros
from troth.people.keyring import make_site_key
from troth.people.tables import holding, shape
from troth.retention.ending import destroy_due
from troth.retention.scrub import scrub
from troth.retention.sweep import sweep
from troth.store.site import Site, open_site

HOLDINGS, PEOPLE = (2_000_000, 10_000_000), (200_000, 1_000_000)
"""as usual, and as the goal names them"""
GOAL = 1.3
WHOLE: dict[Kind, float] = {"sqlite": 2.5, "postgresql": 1.7}
"""goals of the sweep alone, and with its re-reading and scrubbing"""
SPAN = timedelta(days=200)
KEEP, MARGIN = timedelta(days=100), timedelta(days=2)
DUE = START - KEEP + MARGIN
"""What was collected by then is due: the clock keeps for 100 days, and what goes by its age goes two days before."""
SHAPES = (
    ("survey", "survey", "interest"),
    *(("register", "registration", one) for one in ("email", "phone", "question")),
)

_FILL = {
    "sqlite": (
        """INSERT INTO person (id, kind, state, since) WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n
            WHERE i < {people} - 1) SELECT printf('%026d', i), 'customer', 'active', {start} FROM n""",
        """INSERT INTO holding (id, person_id, shape_id, at, policy_version, told, submission, body)
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {rows} - 1)
            SELECT printf('%013d', i) || substr(hex(randomblob(7)), 1, 13), printf('%026d', abs(random()) % {people}),
            1 + abs(random()) % 4, {start} + i * {step}, 1, '{told}', lower(hex(randomblob(12))), randomblob(150) FROM n""",
        "ANALYZE",
    ),
    "postgresql": (
        """INSERT INTO person (id, kind, state, since)
            SELECT lpad(i::text, 26, '0'), 'customer', 'active', {start} FROM generate_series(0, {people} - 1) AS i""",
        """INSERT INTO holding (id, person_id, shape_id, at, policy_version, told, submission, body)
            SELECT lpad(i::text, 13, '0') || substr(md5(random()::text), 1, 13),
            lpad(floor(random() * {people})::int::text, 26, '0'), 1 + floor(random() * 4)::int, {start} + i::bigint * {step}, 1,
            '{told}', substr(md5(random()::text), 1, 24), decode(repeat(md5(random()::text), 10), 'hex')
            FROM generate_series(0, {rows} - 1) AS i""",
    ),
}


@dataclass
class Original:
    """A filled data store that runs take copies of, and the key store that they share."""

    stores: Stores
    kind: Kind
    url: str
    keys: str
    longest: list[float] = field(default_factory=list)

    @contextmanager
    def copied(self) -> Iterator[Site]:
        """A site on a copy of its own."""
        url = self.stores.copy(self.url)
        site = open_site(self.stores.folder / f"sweeping-{self.kind}", MovedClock(START), database=url, keys=self.keys)
        settled(site.engine)
        try:
            yield site
        finally:
            site.close()
            self.stores.drop(url)

    def side(self, act: Callable[[Site], object], due: int) -> Callable[[], float]:
        """One run of ``act`` on a fresh copy, in seconds for a holding."""

        def run() -> float:
            with self.copied() as site:
                self.longest.append(0.0)
                watch(site.engine, self.longest)
                return seconds(lambda: act(site), due)

        return run


def watch(engine: Engine, longest: list[float]) -> None:
    """Keep the seconds of the longest transaction of a run in the last of ``longest``, to the end of its commit."""
    began = 0.0

    @event.listens_for(engine, "begin")
    def _begin(_conn: Connection) -> None:
        nonlocal began
        began = perf_counter()

    @event.listens_for(engine, "checkin")
    def _given_back(_raw: object, _record: object) -> None:
        longest[-1] = max(longest[-1], perf_counter() - began)


@benchmark("sweeping")
def sweeping(bench: Bench) -> Iterator[Figure]:
    """A tenth of the holdings goes, on each store."""
    for kind in bench.stores.kinds:
        original = _original(bench, kind)
        try:
            yield from _on(bench, original)
        finally:
            bench.stores.drop(original.url)
            bench.stores.drop(original.keys)


def _original(bench: Bench, kind: Kind) -> Original:
    made = Original(bench.stores, kind, bench.stores.empty(kind), bench.stores.empty(kind))
    site = open_shop(bench.stores.folder / f"sweeping-{kind}", made.url, made.keys)
    make_site_key(site)
    rows = bench.size(*HOLDINGS)
    step = int(SPAN.total_seconds() * 1e6) // rows
    values = {
        "rows": rows,
        "people": bench.size(*PEOPLE),
        "start": to_micros(START - SPAN),
        "step": step,
        "told": "0" * 64,
    }
    with site.writing() as conn:
        conn.execute(insert(shape), [{"point": p, "source": s, "fields": f} for p, s, f in SHAPES])
        for statement in _FILL[kind]:
            conn.exec_driver_sql(statement.format(**values).replace("%", "%%" if kind == "postgresql" else "%"))
    if kind == "postgresql":
        with site.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.exec_driver_sql("VACUUM ANALYZE")
    settled(site.engine)
    site.close()
    return made


def _due(site: Site) -> int:
    with site.reading() as conn:
        query = select(func.count()).where(holding.c.shape_id == 1, holding.c.at <= DUE)
        return conn.scalar(query.select_from(holding)) or 0


def _bare(site: Site) -> None:
    with site.writing() as conn:
        conn.execute(delete(holding).where(holding.c.shape_id == 1, holding.c.at <= DUE))


def _swept(site: Site) -> None:
    sweep(site)
    if _due(site):
        raise AssertionError("the sweep left something that is due")


def _destroyed(site: Site) -> None:
    sweep(site)
    destroy_due(site)


def _bare_and_scrubbed(site: Site) -> None:
    _bare(site)
    scrub(site.engine, ["holding", "quarantined"])


def _on(bench: Bench, original: Original) -> Iterator[Figure]:
    rows = bench.size(*HOLDINGS)
    with original.copied() as site:
        due = _due(site)
    told = {"store": original.kind, "size": f"{due:,} of {rows:,} holdings are due"}
    for what, act, ours, bare, theirs, goal in (
        ("a clock's rows go", _swept, "sweep()", _bare, "one DELETE", GOAL),
        (
            "... re-read, scrubbed",
            _destroyed,
            "sweep() and destroy_due()",
            _bare_and_scrubbed,
            "and scrubbed",
            WHOLE[original.kind],
        ),
    ):
        pairs = bench.in_turn(original.side(act, due), original.side(bare, due))
        with original.copied() as site:
            where = spent(partial(act, site))
        yield figure(what, pairs, Goal("cost", goal), ours=ours, theirs=theirs, **told).with_spent(where)
        if act is _swept and original.kind == "sqlite":
            locks = Pairs(tuple(original.longest[2::2]), tuple(original.longest[3::2]))
            longest = {"ours": "sweep()'s longest", "theirs": "the DELETE's"}
            yield figure("... longest write lock", locks, Goal("seconds", 0.5), **longest, **told)
