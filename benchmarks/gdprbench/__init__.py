"""GDPRbench (Shastri et al., VLDB 2020) through Troth's doors, beside a plain table with metadata columns.

The workloads are written anew from the paper. Both sides do the same operations on the same records, each as durable as the
other, on copies of databases that were loaded once. Every answer and a sample of the end state are compared with a model in
memory: a run that is not right in everything is no measurement and ends the benchmark.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from sqlalchemy import Engine

from benchmarks.gdprbench.model import Model
from benchmarks.gdprbench.plain import Plain
from benchmarks.gdprbench.policy import text
from benchmarks.gdprbench.run import Backend, Run, run
from benchmarks.gdprbench.troths import Troth, load
from benchmarks.gdprbench.workloads import WORKLOADS, Step, loaded
from benchmarks.measure import Figure, Goal, Pairs, figure
from benchmarks.registry import Bench, benchmark
from benchmarks.spent import spent
from benchmarks.stores import START, Kind, Stores, driver, looked_through, settled
from troth.clock import MovedClock, utc
from troth.people.keyring import make_site_key
from troth.store import versions
from troth.store.engines import open_engine
from troth.store.prepare import prepare
from troth.store.site import Site, open_site

RECORDS, OPS = 100_000, 10_000
GOALS: dict[tuple[str, Kind], float] = {
    ("controller", "sqlite"): 10,
    ("controller", "postgresql"): 5,
    ("customer", "sqlite"): 0.6,
    ("customer", "postgresql"): 0.5,
    ("processor", "sqlite"): 0.5,
}
OURS, THEIRS = "the doors, up to 50 operations a commit", "one table, the database's driver"
_WIRES = 'name: bench\ntitle: Bench\nstore: {database: "sqlite:///data.db", country: GB}\n'


@dataclass
class Loaded:
    """Databases that hold the records at the start and are only copied."""

    stores: Stores
    kind: Kind
    records: int
    site: str = ""
    keys: str = ""
    plain: str = ""
    people: dict[str, str] = field(default_factory=dict)
    bytes_ours: float = 0
    bytes_theirs: float = 0
    """on disk for each record, indexes, keys and ledger included"""

    def make(self) -> None:
        """Load both sides."""
        model = loaded(self.records)
        self.site, self.keys, self.plain = (self.stores.empty(self.kind) for _ in range(3))
        site = self._opened(self.site, self.keys)
        prepare(site)
        make_site_key(site)
        with site.writing() as conn:
            versions.archive(conn, text(), "", effective_at=utc(2024), at=utc(2023, 12))
        self.people = load(site, model)
        looked_through(site.engine)
        looked_through(site.keys)
        self.bytes_ours = (_bytes(site.engine) + _bytes(site.keys)) / self.records
        site.close()
        with self._table(self.plain) as table:
            table.make()
            table.load(model)
        engine = open_engine(self.plain, self.stores.folder)
        looked_through(engine)
        self.bytes_theirs = _bytes(engine) / self.records
        engine.dispose()

    def _opened(self, data: str, keys: str) -> Site:
        folder = self.stores.folder / "gdprbench" / self.kind  # with the secret that belongs to these keys
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "site.yaml").write_text(_WIRES)
        return open_site(folder, MovedClock(START), database=data, keys=keys)

    @contextmanager
    def _table(self, url: str) -> Iterator[Plain]:
        engine = open_engine(url, self.stores.folder)
        raw = driver(engine)
        if self.kind == "sqlite":
            raw.execute("PRAGMA journal_mode = WAL")
        yield Plain(raw, self.kind == "postgresql")
        raw.close()
        settled(engine)
        engine.dispose()

    @contextmanager
    def troth(self) -> Iterator[Troth]:
        """A fresh copy of the site."""
        urls = [self.stores.copy(self.site), self.stores.copy(self.keys)]
        site = self._opened(*urls)
        yield Troth(site, dict(self.people))
        site.close()
        for url in urls:
            self.stores.drop(url)

    @contextmanager
    def table(self) -> Iterator[Plain]:
        """A fresh copy of the table."""
        url = self.stores.copy(self.plain)
        with self._table(url) as table:
            yield table
        self.stores.drop(url)

    def drop(self) -> None:
        """Remove the databases."""
        for url in (self.site, self.keys, self.plain):
            self.stores.drop(url)


def _bytes(engine: Engine) -> int:
    """How much a database takes on disk, once its log is written to its tables."""
    settled(engine)
    with engine.connect() as conn:
        if engine.dialect.name == "postgresql":
            tables = "FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            return int(conn.exec_driver_sql(f"SELECT sum(pg_total_relation_size(oid)) {tables}").scalar_one())
        return int(
            conn.exec_driver_sql("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").scalar_one()
        )


@contextmanager
def one_core() -> Iterator[None]:
    """This process on one core, so that a client does not run faster for moving about; where the system knows of cores."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


@benchmark("gdprbench")
def gdprbench(bench: Bench) -> Iterator[Figure]:
    """The four workloads on each store, or one of them: ``gdprbench:customer``."""
    for kind in bench.stores.kinds:
        start = Loaded(bench.stores, kind, bench.size(RECORDS))
        start.make()
        with one_core():
            for name in [bench.part] if bench.part else WORKLOADS:
                yield from _figures(bench, start, name)
        start.drop()


def _figures(bench: Bench, start: Loaded, name: str) -> Iterator[Figure]:
    end = loaded(start.records)
    steps = WORKLOADS[name](end, bench.size(OPS), secrets.randbelow(2**32))
    ours, theirs = [], []
    for _ in range(bench.pairs):
        ours.append(_run(start.troth, steps, end))
        theirs.append(_run(start.table, steps, end))
    right = f"{len(steps):,} operations, all {ours[0].checked:,} answers right on both sides"
    told = f"{start.records:,} records of {start.bytes_ours:.0f} bytes beside {start.bytes_theirs:.0f}, {right}"

    def line(what: str, of: Callable[[Run], float], goal: Goal | None = None) -> Figure:
        pairs = Pairs(tuple(map(of, ours)), tuple(map(of, theirs)))
        return figure(what, pairs, goal, ours=OURS, theirs=THEIRS, store=start.kind, size=told)

    value = GOALS.get((name, start.kind))
    goal = Goal("speed", value) if value is not None else None
    first = line(f"gdprbench, {name}", lambda one: one.seconds / len(steps), goal)
    yield first.with_spent(_spent(start, steps)) if first.met is False else first
    if median(one.finishing for one in ours) > 0.01:
        yield line("... and destroyed", lambda one: (one.seconds + one.finishing) / len(steps))
    yield line("... half are done in", lambda one: one.p50)
    yield line("... 99 % are done in", lambda one: one.p99)


def _run(opened: Callable[[], object], steps: list[Step], end: Model) -> Run:
    with opened() as backend:  # type: ignore[attr-defined]
        came = run(backend, steps, end)
    if came.first_wrong:
        raise AssertionError(
            f"{came.right} of {came.checked} are right, so there is nothing to compare: {came.first_wrong}"
        )
    return came


def _spent(start: Loaded, steps: list[Step]) -> str:
    with start.troth() as backend:
        ours: Backend = backend
        return spent(lambda: list(ours.run(op for op, _ in steps)))
