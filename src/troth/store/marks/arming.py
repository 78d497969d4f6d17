"""Arms an engine's connections: from then on what they write carries marks.

The key comes from the site's secret, which is made after the first tables. So a connection is armed when it first writes and
the secret and the marks are there; until then it is asked again each time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, event

from troth.store.marks import on_postgresql, on_sqlite
from troth.store.marks.hashing import Hasher
from troth.store.prepared import as_statements

Key = Callable[[], bytes | None]
"""the key of marks, 32 bytes; nothing while the site has no secret"""
UNMARKED = "troth_unmarked"
"""execution option of a transaction that migrates: it writes without marks, and everything is marked anew after it"""
_MARKS, _ARMED, _ARMED_NOW = "troth marks", "troth armed", "troth armed now"


@dataclass
class Marks:
    """The marks of one store, behind one engine."""

    key: Key
    _hasher: Hasher | None = field(default=None, init=False)

    def hasher(self) -> Hasher | None:
        """What marks; nothing while there is no key."""
        if self._hasher is None:
            key = self.key()
            self._hasher = Hasher(key) if key else None
        return self._hasher


def listen(engine: Engine, key: Key | None) -> None:
    """Let each connection of ``engine`` that writes be armed with ``key``."""
    marks = Marks(key or (lambda: None))
    if engine.dialect.name == "sqlite":
        _listen_on_sqlite(engine, marks)
    else:
        _listen_on_postgresql(engine, marks)


def marks_of(conn: Connection) -> Marks | None:
    """The marks of the store behind ``conn``; nothing when Troth did not open it."""
    marks: Marks | None = conn.connection.info.get(_MARKS)
    return marks


def armed(conn: Connection) -> bool:
    """Whether what ``conn`` writes, in a transaction that writes, carries marks."""
    return bool(conn.connection.info.get(_ARMED))


def arm_now(conn: Connection) -> None:
    """Arm the connection within its transaction: for the one that makes the site's secret."""
    marks = marks_of(conn)
    hasher = marks.hasher() if marks else None
    raw: Any = conn.connection.dbapi_connection
    if hasher is None:
        return
    if conn.dialect.name == "sqlite":
        conn.connection.info[_ARMED_NOW] = on_sqlite.arm(raw, hasher)
    else:
        on_postgresql.arm(raw, hasher)


def _listen_on_sqlite(engine: Engine, marks: Marks) -> None:
    @event.listens_for(engine, "connect")
    def _connected(raw: Any, record: Any) -> None:
        record.info[_MARKS] = marks
        on_sqlite.register(raw, marks.hasher())

    @event.listens_for(engine, "commit")
    def _commits(conn: Connection) -> None:
        info = conn.connection.info
        info[_ARMED] = info.get(_ARMED, False) or info.pop(_ARMED_NOW, False)
        if info[_ARMED] and conn.get_execution_options().get("troth_writes", False):
            with as_statements(conn, "bring the sums of marks up to date"):
                on_sqlite.flush(conn.connection.dbapi_connection)

    @event.listens_for(engine, "rollback")
    def _rolls_back(conn: Connection) -> None:
        conn.connection.info.pop(_ARMED_NOW, None)


def before_writing(conn: Connection) -> None:
    """See on SQLite that a connection which is about to write does so with marks, or, for a migration, without."""
    info = conn.connection.info
    if conn.get_execution_options().get(UNMARKED, False):
        on_sqlite.uncover(conn.connection.dbapi_connection)
        info.pop(_ARMED, None)
    elif not info.get(_ARMED):
        marks = marks_of(conn)
        hasher = marks.hasher() if marks else None
        if hasher is not None:
            with as_statements(conn, "begin to mark rows"):
                info[_ARMED] = on_sqlite.arm(conn.connection.dbapi_connection, hasher)


def _listen_on_postgresql(engine: Engine, marks: Marks) -> None:
    @event.listens_for(engine, "connect")
    def _connected(_raw: Any, record: Any) -> None:
        record.info[_MARKS] = marks

    @event.listens_for(engine, "checkout")
    def _checked_out(raw: Any, record: Any, _proxy: object) -> None:
        if not record.info.get(_ARMED):
            hasher = marks.hasher()
            if hasher is not None:
                on_postgresql.arm(raw, hasher)
                raw.commit()
                record.info[_ARMED] = True
