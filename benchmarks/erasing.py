"""Ten thousand people erased: Troth's quarantine and destruction beside hand-written DELETEs, and beside one UPDATE per row.

Each person has three holdings, two choices, two dealings, two delivered disclosures, an identifier and a key. Troth's side
is ``begin_endings`` and, when the time has come, ``destroy_due``: people and holdings out of use first, restorable; then rows
gone, recipients' instructions written, keys destroyed, every table read again, scrubbed. By hand: one DELETE a table for the
same people, children first, one transaction a store, nothing else; it quarantines nothing and tells nobody. One UPDATE per
row, each on a connection and in a transaction of its own, is how erasure is done where a framework masks rows one by one; it
is timed over a few hundred rows. Each run has a copy of its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Column, Connection, MetaData, String, Table, delete, func, insert, select, update

from benchmarks.measure import Figure, Goal, Pairs, figure, seconds
from benchmarks.registry import Bench, benchmark
from benchmarks.spent import spent
from benchmarks.stores import START, Kind, Stores, open_shop, settled
from benchmarks.sweeping import SHAPES, watch
from troth.clock import MovedClock, to_micros
from troth.people.keyring import make_site_key
from troth.people.tables import dealing, holding, person, person_key, shape
from troth.retention.destroy import tables_of_people
from troth.retention.ending import destroy_due
from troth.retention.leaving import begin_endings
from troth.store.site import Site, open_site

PEOPLE, LEAVING = 20_000, 10_000
HOLDINGS, OTHERS = 3, 2
"""rows a person in `holding`, and in each of choices, dealings and disclosures"""
SAMPLE = 300
WITHIN = timedelta(days=20)

going = Table("going", MetaData(), Column("id", String(26), primary_key=True), prefixes=["TEMPORARY"])

_NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {rows} - 1)",
    "postgresql": "WITH n(i) AS (SELECT generate_series(0, {rows} - 1))",
}
_WORDS = {
    "sqlite": {"id": "printf('%026d', {})", "text": "lower(hex(randomblob(12)))", "bytes": "randomblob({})"},
    "postgresql": {
        "id": "lpad(({})::text, 26, '0')",
        "text": "substr(md5(random()::text), 1, 24)",
        "bytes": "substr(decode(repeat(md5(random()::text), 10), 'hex'), 1, {})",
    },
}
_ROWS = {
    "person (id, kind, state, since)": (1, "{id}, 'customer', 'active', {start}"),
    "identifier (person_id, field, blind)": (1, "{owner}, 'email', {blind}"),
    "holding (id, person_id, shape_id, at, policy_version, told, submission, body)": (
        HOLDINGS,
        "{id}, {owner}, 2 + i % 3, {start} + i, 1, '{told}', {text}, {body}",
    ),
    "choice (id, person_id, scope, state, at, shown, channel, policy_version)": (
        OTHERS,
        "{id}, {owner}, 'marketing', 'given', {start} + i, '{told}', 'register', 1",
    ),
    "dealing (id, person_id, kind, ref, at, closed_at)": (
        OTHERS,
        "{id}, {owner}, 'order', {text}, {start} + i, {start} + i",
    ),
    "disclosure (id, person_id, recipient, purpose, fields, case_ref, ground, record, at, state)": (
        OTHERS,
        "{id}, {owner}, 'newsletter_house', 'marketing', 'email full_name', '', '', '{{}}', {start} + i, 'delivered'",
    ),
}


@dataclass
class Original:
    """Two filled stores that runs take copies of."""

    stores: Stores
    kind: Kind
    data: str
    keys: str
    leaving: list[str]
    rows: int
    longest: list[float] = field(default_factory=list)

    @contextmanager
    def copied(self) -> Iterator[Site]:
        """A site on copies of its own."""
        urls = [self.stores.copy(url) for url in (self.data, self.keys)]
        folder = self.stores.folder / f"erasing-{self.kind}"
        site = open_site(folder, MovedClock(START), database=urls[0], keys=urls[1])
        settled(site.engine)
        try:
            yield site
        finally:
            site.close()
            for url in urls:
                self.stores.drop(url)

    def side(self, act: Callable[[Site, list[str]], int]) -> Callable[[], float]:
        """One run on fresh copies, in seconds for each row that ``act`` says it did."""

        def run() -> float:
            with self.copied() as site:
                self.longest.append(0.0)
                watch(site.engine, self.longest)
                done: list[int] = []
                took = seconds(lambda: done.append(act(site, self.leaving)))
                return took / done[0]

        return run


@benchmark("erasing")
def erasing(bench: Bench) -> Iterator[Figure]:
    """Half of the people go, on each store."""
    for kind in bench.stores.kinds:
        original = _original(bench, kind)
        try:
            yield from _on(bench, original)
        finally:
            for url in (original.data, original.keys):
                bench.stores.drop(url)


def _original(bench: Bench, kind: Kind) -> Original:
    urls = [bench.stores.empty(kind), bench.stores.empty(kind)]
    site = open_shop(bench.stores.folder / f"erasing-{kind}", *urls)
    make_site_key(site)
    people = bench.size(PEOPLE)
    ids = [f"{n:026d}" for n in range(people)]
    with site.writing() as conn:
        conn.execute(insert(shape), [{"point": p, "source": s, "fields": f} for p, s, f in SHAPES])
        for table, (each, values) in _ROWS.items():
            _fill(conn, kind, table, people, each, values)
    with site.keys.begin() as conn:
        rows = [{"person_id": one, "wrapped": secrets.token_bytes(40), "site_key": "0" * 16} for one in ids]
        conn.execute(insert(person_key), rows)
    for engine in (site.engine, site.keys):
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.exec_driver_sql("VACUUM ANALYZE" if kind == "postgresql" else "ANALYZE")
        settled(engine)
    site.close()
    leaving = ids[:: people // bench.size(LEAVING)]
    a_person = sum(each for each, _ in _ROWS.values()) + 1
    return Original(bench.stores, kind, *urls, leaving, a_person * len(leaving))


def _fill(conn: Connection, kind: Kind, table: str, people: int, each: int, values: str) -> None:
    words = _WORDS[kind]
    said = {"id": words["id"].format("i"), "owner": words["id"].format(f"i / {each}"), "text": words["text"]}
    said |= {"body": words["bytes"].format(150), "blind": words["bytes"].format(32)}
    said |= {"start": to_micros(START - WITHIN), "told": "0" * 64}
    numbers = _NUMBERS[kind].format(rows=people * each)
    statement = f"INSERT INTO {table} {numbers} SELECT {values.format(**said)} FROM n"  # noqa: S608 - all words are ours
    conn.exec_driver_sql(statement.replace("%", "%%") if kind == "postgresql" else statement)


def _troth(site: Site, leaving: list[str], rows: int) -> int:
    begin_endings(site, leaving, "account:closing", site.now() + WITHIN)
    if isinstance(site.clock, MovedClock):
        site.clock.move(WITHIN)
    destroy_due(site)
    with site.reading() as conn:
        if conn.scalar(select(func.count()).select_from(person)) != len(leaving):
            raise AssertionError("somebody who should be gone is there, or the other way round")
    return rows


def _by_hand(site: Site, leaving: list[str], rows: int) -> int:
    with site.writing() as conn:
        going.create(conn)
        conn.execute(insert(going), [{"id": one} for one in leaving])
        theirs = select(going.c.id)
        for table in tables_of_people():
            if table.name != "quarantined":
                conn.execute(delete(table).where(table.c.person_id.in_(theirs)))
        conn.execute(delete(person).where(person.c.id.in_(theirs)))
    with site.keys.begin() as conn:
        for start in range(0, len(leaving), 1000):
            conn.execute(delete(person_key).where(person_key.c.person_id.in_(leaving[start : start + 1000])))
    return rows


def _row_by_row(site: Site, leaving: list[str]) -> int:
    """Mask some holdings and dealings, found beforehand, one after the other."""
    with site.reading() as conn:
        found = [
            (table, one)
            for table in (holding, dealing)
            for one in conn.scalars(
                select(table.c.id).where(table.c.person_id.in_(leaving[:SAMPLE])).limit(SAMPLE // 2)
            )
        ]
    for table, one in found:
        masked = {"body": secrets.token_bytes(32)} if table is holding else {"ref": secrets.token_hex(12)}
        with site.engine.connect() as conn, conn.begin():
            conn.execute(update(table).where(table.c.id == one).values(masked))
        site.engine.dispose()
    return len(found)


def _on(bench: Bench, original: Original) -> Iterator[Figure]:
    rows = original.rows
    size = f"{len(original.leaving):,} of {bench.size(PEOPLE):,} people, {rows:,} rows"
    told = {"store": original.kind, "size": size, "ours": "begin_endings() and destroy_due()"}
    ours = original.side(lambda site, leaving: _troth(site, leaving, rows))
    pairs = bench.in_turn(ours, original.side(lambda site, leaving: _by_hand(site, leaving, rows)))
    locks = Pairs(tuple(original.longest[2::2]), tuple(original.longest[3::2]))
    with original.copied() as site:
        where = spent(lambda: _troth(site, original.leaving, rows))
    yield figure("people erased", pairs, Goal("cost", 2.5), theirs="one DELETE a table", **told).with_spent(where)
    slow = bench.in_turn(ours, original.side(_row_by_row))
    yield figure("people erased, by row", slow, Goal("speed", 100), theirs="one UPDATE a row", **told).with_spent(where)
    if original.kind == "sqlite":
        yield figure("... longest write lock", locks, Goal("seconds", 0.5), theirs="the DELETEs'", **told)
