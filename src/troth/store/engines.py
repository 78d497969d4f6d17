"""Engines and transactions for SQLite and PostgreSQL, with one meaning on both.

What could go wrong: two writers on SQLite each read, then both try to write, and one dies halfway; so a writing transaction
takes the write lock at its start (``BEGIN IMMEDIATE``) and waits for it a bounded time. A full disk, a lock held too long or a
database that is gone turns into a ``StoreError`` with a hint, after the whole transaction was rolled back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from select import POLLIN, poll
from time import perf_counter
from typing import Any

from sqlalchemy import URL, Connection, Dialect, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError

from troth.errors import StoreError
from troth.store.marks import arming
from troth.store.pipelined import WaitingCursor, drained, pipelined
from troth.store.prepared import as_statements, carried_out, heard

LOCK_WAIT_MS = 10_000
ASKED_AFTER_S = 30
"""seconds after which a connection to a server that was not used is asked whether it is still there"""
_NO_SUCH_TABLE = "42P01"  # PostgreSQL counts it among a programmer's errors
_BUSY, _FULL = {"55P03", "40P01"}, {"53100"}  # whatever language the server speaks


def open_engine(
    url: str, folder: Path, lock_wait_ms: int = LOCK_WAIT_MS, *, mark_key: arming.Key | None = None
) -> Engine:
    """An engine for ``url``; a relative SQLite path counts from ``folder``, and its parents are made.

    What it writes carries marks under ``mark_key``; without one, nothing that it writes passes for Troth's.

    Raises:
        StoreError: when the database is neither SQLite nor PostgreSQL.
    """
    address = make_url(url)
    if address.get_backend_name() == "postgresql":
        engine = _postgres(address, lock_wait_ms)
        arming.listen(engine, mark_key)
        return engine
    if address.get_backend_name() != "sqlite":
        raise StoreError(f"`{address.get_backend_name()}` stores are not supported.", "Use SQLite or PostgreSQL.")
    path = folder / (address.database or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(address.set(database=str(path)), pool_size=5, max_overflow=15, hide_parameters=True)
    _tune_sqlite(engine, lock_wait_ms)
    arming.listen(engine, mark_key)
    return engine


def _postgres(address: URL, lock_wait_ms: int) -> Engine:
    waits = {} if "options" in address.query else {"options": f"-c lock_timeout={lock_wait_ms}"}
    asked = {"cursor_factory": WaitingCursor, **waits}
    engine = create_engine(address, connect_args=asked, hide_parameters=True, pool_size=5, max_overflow=15)
    event.listen(engine, "handle_error", _without_detail)
    _tend_postgres(engine)
    return engine


def _tend_postgres(engine: Engine) -> None:
    """See that no connection is used that the server has ended: asking it each time would be a round trip each time.

    A connection that was ended has something to read, and whoever has nothing to say for long may be cut off without a word:
    only those two are asked whether they are still there.
    """

    @event.listens_for(engine, "checkin")
    def _rests(_raw: Any, record: Any) -> None:
        record.info["rests since"] = perf_counter()

    @event.listens_for(engine, "checkout")
    def _still_there(raw: Any, record: Any, _proxy: object) -> None:
        since = record.info.get("rests since")
        if since is None or (perf_counter() - since < ASKED_AFTER_S and not _something_to_read(raw)):
            return
        try:
            gone = not engine.dialect.do_ping(raw)
        except Exception:
            gone = True
        if gone:
            raise InvalidatePoolError  # and every other connection of that time with it


def _something_to_read(raw: Any) -> bool:
    if raw.closed:
        return True
    waiting = poll()
    waiting.register(raw.fileno(), POLLIN)
    return bool(waiting.poll(0))


def _without_detail(context: ExceptionContext) -> None:
    """Take the server's details out of its errors: ``Failing row contains (...)`` would write a person's values to the log."""
    diagnosis = getattr(context.original_exception, "diag", None)
    if diagnosis is None or not diagnosis.message_primary:
        return
    whole = str(context.original_exception)
    context.original_exception.args = (diagnosis.message_primary,)
    if context.sqlalchemy_exception is not None:
        said = (str(part).replace(whole, diagnosis.message_primary) for part in context.sqlalchemy_exception.args)
        context.sqlalchemy_exception.args = tuple(said)


def _tune_sqlite(engine: Engine, lock_wait_ms: int) -> None:
    @event.listens_for(engine, "connect")
    def _connect(raw: Any, _record: object) -> None:
        raw.isolation_level = None  # transactions are begun below, not by the driver
        cursor = raw.cursor()
        for pragma in (
            f"busy_timeout = {lock_wait_ms}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "temp_store = MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(conn: Connection) -> None:
        writes = conn.get_execution_options().get("troth_writes", False)
        if writes:
            arming.before_writing(conn)
        carried_out(conn, "BEGIN IMMEDIATE" if writes else "BEGIN", ())


@dataclass
class Joined:
    """Takes the place of an engine while everything is to happen inside one transaction that is open (``store.trial``)."""

    dialect: Dialect
    conn: Connection | None = None

    @contextmanager
    def within(self) -> Iterator[Connection]:
        """A part of that transaction: all of it happens or nothing does."""
        if self.conn is None:
            raise StoreError("The trial is over.", "Nothing that it did was kept.")
        with explained(), self.conn.begin_nested():
            yield self.conn

    def execution_options(self, **_: object) -> Joined:
        """As it is: a transaction that is open has its options."""
        return self

    def dispose(self) -> None:
        """Nothing to give back."""


@contextmanager
def writing(engine: Engine | Joined, *, in_pipeline: bool = False) -> Iterator[Connection]:
    """A transaction that writes: committed whole at the end of the block, or rolled back whole.

    ``in_pipeline`` lets PostgreSQL be sent its statements without waiting where nobody looks at the answer; rows cannot be
    streamed within it.

    Raises:
        StoreError: when the store is locked, full or gone; nothing was changed.
    """
    if isinstance(engine, Joined):
        with engine.within() as conn:
            yield conn
        return
    with explained(), engine.connect().execution_options(troth_writes=True) as conn:
        if not in_pipeline:
            with conn.begin():
                yield conn
            return
        # all answers are in before the commit is sent: a server that goes away meanwhile has committed nothing
        with conn.begin(), as_statements(conn, "what was sent together"), pipelined(conn):
            try:
                yield conn
            except BaseException:
                drained(conn)
                raise


@contextmanager
def hurried(engine: Engine | Joined, wait_ms: int) -> Iterator[Connection]:
    """As ``writing``, for what can be done another time: it waits for other writers no longer than ``wait_ms``."""
    if isinstance(engine, Joined):
        with engine.within() as conn:
            yield conn
        return
    with explained(), engine.connect().execution_options(troth_writes=True) as conn:
        if engine.dialect.name == "postgresql":
            with conn.begin():
                conn.exec_driver_sql(f"SET LOCAL lock_timeout = {int(wait_ms)}")
                yield conn
            return
        raw: Any = conn.connection.driver_connection
        [usual] = raw.execute("PRAGMA busy_timeout").fetchone()
        raw.execute(f"PRAGMA busy_timeout = {int(wait_ms)}")
        try:
            with conn.begin():
                yield conn
        finally:
            raw.execute(f"PRAGMA busy_timeout = {usual}")


@contextmanager
def reading(engine: Engine | Joined) -> Iterator[Connection]:
    """A transaction that only reads. Raises ``StoreError`` as ``writing`` does.

    On SQLite it sees one state from its first statement to its end; on PostgreSQL each statement sees what is committed when it
    begins. Whoever must see one state there hands in an engine with the isolation level ``REPEATABLE READ``.
    """
    if isinstance(engine, Joined):
        with engine.within() as conn:
            yield conn
        return
    with explained(), engine.connect() as conn, conn.begin():
        yield conn


@contextmanager
def alone(engine: Engine | Joined, *, writes: bool = False) -> Iterator[Connection]:
    """For one statement, which is a transaction by itself: no word to the database before it and none after.

    One that ``writes`` has a transaction on SQLite all the same, since sums are brought up to date before its end.

    Raises:
        StoreError: as ``writing`` does.
    """
    in_one = writes and engine.dialect.name == "sqlite"
    if isinstance(engine, Joined) or in_one or heard(engine):  # somebody who listens hears of a transaction too
        with writing(engine) as conn:
            yield conn
        return
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="AUTOCOMMIT")
    with explained(), engine.connect().execution_options(troth_writes=True) as conn:
        try:
            yield conn
            conn.commit()  # of nothing, unless somebody listens to statements
        except DBAPIError:
            conn.invalidate()  # nobody inherits a transaction whose end failed
            raise


@contextmanager
def explained() -> Iterator[None]:
    """What goes wrong with a store within the block, in words: for statements outside ``writing`` and ``reading``.

    Raises:
        StoreError: when the store is locked, full or gone.
    """
    try:
        yield
    except OperationalError as error:
        raise _in_words(error) from error
    except DBAPIError as error:
        if error.connection_invalidated or getattr(error.orig, "sqlstate", "") == _NO_SUCH_TABLE:
            raise _in_words(error) from error
        raise


def _in_words(error: DBAPIError) -> StoreError:
    text, state = str(error.orig).lower(), getattr(error.orig, "sqlstate", "")
    if "locked" in text or state in _BUSY:
        return StoreError("The database is busy with another writer.", "Nothing was changed; try again in a moment.")
    if "full" in text or "disk i/o" in text or state in _FULL:
        return StoreError("The disk of the database is full.", "Nothing was changed; make room and try again.")
    if "no such table" in text or state == _NO_SUCH_TABLE:
        return StoreError("The database is not prepared.", "Run `troth publish SITE` once; it makes the tables.")
    return StoreError("The database does not answer.", "Nothing was changed; check `store` in site.yaml.")
