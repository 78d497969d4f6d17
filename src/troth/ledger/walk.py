"""Reads the whole ledger in the order in which it was sealed, holding a thousand rows at a time however long it is."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, func, select, text

from troth.clock import from_micros
from troth.ledger.checkpoints import Checkpoint
from troth.ledger.tables import checkpoint, entry
from troth.store.engines import reading
from troth.store.prepared import Prepared
from troth.store.site import Site

BATCH = 1000  # rows


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the ledger as it stands in the database, true or not."""

    id: int
    at: datetime
    event: str
    body: str
    leaf: bytes
    position: int | None


Raw = tuple[Any, ...]
"""the columns of a row as the driver gives them, in the order of ``Entry``, ``at`` in microseconds"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows that follow each other, all of them sealed and under one checkpoint, or none of them sealed."""

    rows: list[Raw]

    def entries(self) -> Iterator[Entry]:
        """The same, one by one."""
        return (Entry(id_, from_micros(at), *rest) for id_, at, *rest in self.rows)


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A checkpoint that somebody else kept: the ledger must have had this tree at its size."""

    checkpoint: Checkpoint

    @property
    def size(self) -> int:
        """How many entries it covers."""
        return self.checkpoint.size


@dataclass(frozen=True, slots=True)
class Extent:
    """What the ledger says of its own size. ``last_id`` is the last id ever given, also to a row that is no longer there;
    ``gapless`` says that this database gives every id to a row, so that a missing one was removed."""

    entries: int
    sealed: int
    last_position: int
    last_size: int
    last_id: int
    gapless: bool


@contextmanager
def unmoving(site: Site) -> Iterator[Connection]:
    """A transaction that sees one state of the ledger from beginning to end while others go on writing."""
    with unmoving_on(site.engine) as conn:
        yield conn


@contextmanager
def unmoving_on(engine: Engine) -> Iterator[Connection]:
    """As ``unmoving``, on the store behind ``engine``."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with reading(engine) as conn:
        yield conn


def extent(conn: Connection, after: int = 0) -> Extent:
    """Count the ledger; the first ``after`` entries are taken to be there."""
    sealed = select(func.count(), func.coalesce(func.max(entry.c.position), after - 1)).where(_sealed(after))
    more, last_position = conn.execute(sealed).one()
    waiting = conn.execute(select(func.count()).where(entry.c.position.is_(None))).scalar_one()
    size = conn.execute(select(func.coalesce(func.max(checkpoint.c.size), 0))).scalar_one()
    gapless = conn.dialect.name == "sqlite"  # there a transaction that is rolled back gives its ids back
    entries = after + more + waiting
    return Extent(entries, after + more, last_position, size, _last_id(conn, gapless), gapless)


def _last_id(conn: Connection, sqlite: bool) -> int:
    if sqlite:
        given = conn.execute(text("SELECT seq FROM sqlite_sequence WHERE name = 'ledger_entry'")).scalar()
        return int(given or 0)
    sequence = conn.execute(text("SELECT pg_get_serial_sequence('ledger_entry', 'id')")).scalar_one()
    given = conn.execute(text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}"))  # noqa: S608
    return int(given.scalar_one())


def walk(conn: Connection, after: int = 0) -> Iterator[Entry | Checkpoint]:
    """Sealed entries by position, each checkpoint after the last entry it covers, then what is not sealed, by id.

    The first ``after`` entries, which a checkpoint covers, are left out with all checkpoints up to it.
    """
    for part in stretches(conn, after):
        if isinstance(part, Stretch):
            yield from part.entries()
        elif isinstance(part, Checkpoint):
            yield part


def stretches(
    conn: Connection, after: int = 0, witnessed: Iterable[Checkpoint] = ()
) -> Iterator[Stretch | Checkpoint | Witnessed]:
    """As ``walk``, but many entries at a time, and what was ``witnessed``, by size, where it belongs."""
    signed = _marks(conn, after, witnessed)
    ahead = next(signed, None)
    for page in Prepared(sealed_entries(after)).pages(conn, BATCH):
        rows = page
        while ahead is not None and ahead.size <= rows[-1][_POSITION]:
            ends = bisect_left(rows, ahead.size, key=itemgetter(_POSITION))
            if ends:
                yield Stretch(rows[:ends])
            yield ahead
            rows, ahead = rows[ends:], next(signed, None)
        yield Stretch(rows)
    if ahead is not None:
        yield ahead
    yield from signed
    for page in Prepared(unsealed_entries()).pages(conn, BATCH):
        yield Stretch(page)


def _marks(conn: Connection, after: int, witnessed: Iterable[Checkpoint]) -> Iterator[Checkpoint | Witnessed]:
    """The checkpoints there are and those that were witnessed, by size; of one size, the witness comes last."""
    later = select(checkpoint).where(checkpoint.c.size > after).order_by(checkpoint.c.size)
    rows = (Checkpoint(*row) for row in conn.execute(later, execution_options={"yield_per": BATCH}))
    return merge(rows, map(Witnessed, witnessed), key=lambda one: one.size)


_POSITION = 5


def sealed_entries(after: int = 0) -> Select[Any]:
    """The query for sealed entries from position ``after`` on, by position."""
    return select(*entry.c).where(_sealed(after)).order_by(entry.c.position)


def _sealed(after: int) -> ColumnElement[bool]:
    return entry.c.position >= after if after else entry.c.position.is_not(None)


def unsealed_entries() -> Select[Any]:
    """The query for entries not sealed yet, by id."""
    return select(*entry.c).where(entry.c.position.is_(None)).order_by(entry.c.id)
