"""PostgreSQL's pipeline mode for a transaction: statements are sent without waiting for the answer to the one before.

A form is some eighteen statements, and to wait for a server takes longer than what it does. Within ``pipelined`` only what
somebody looks at is waited for: the rows of a query, or how many rows were touched. What ``Prepared.send`` sends is not; where
it fails, the next answer says so, at the latest the last one, which is waited for before the commit is sent: so that whoever is
told that nothing was changed is told the truth.

What could go wrong: a statement's answer is taken for none while it is still on its way. So every cursor of such a connection
waits before it says what came.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import Connection

if TYPE_CHECKING:
    _Cursor = psycopg.Cursor[Any]
else:
    _Cursor = psycopg.Cursor


class WaitingCursor(_Cursor):
    """A cursor that waits for its answer before it says what came."""

    @property
    def description(self) -> Any:
        self._answered()
        return super().description

    @property
    def rowcount(self) -> int:
        self._answered()
        return super().rowcount

    def _answered(self) -> None:
        if self.pgresult is None and (pipeline := _of(self.connection)):
            pipeline.sync()


@contextmanager
def pipelined(conn: Connection) -> Iterator[None]:
    """Send the statements of the block without waiting; all their answers are in at its end.

    Does nothing on SQLite.
    """
    if conn.dialect.name != "postgresql":
        yield
        return
    raw: Any = conn.connection.driver_connection
    with raw.pipeline() as pipeline:
        raw.troth_pipeline = pipeline
        try:
            yield
        finally:
            raw.troth_pipeline = None


def is_pipelined(conn: Connection) -> bool:
    """Whether statements of ``conn`` are sent without waiting."""
    return _of(conn.connection.driver_connection) is not None


def drained(conn: Connection) -> None:
    """Take in all answers that are on their way, whatever they say: before what was sent is undone."""
    pipeline = None if conn.invalidated else _of(conn.connection.driver_connection)
    if pipeline:
        with suppress(psycopg.Error):
            pipeline.sync()


def _of(raw: Any) -> psycopg.Pipeline | None:
    pipeline: psycopg.Pipeline | None = getattr(raw, "troth_pipeline", None)
    return pipeline
