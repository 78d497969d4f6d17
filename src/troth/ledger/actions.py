"""Writes entries in the transaction of their cause: there is no act without its entry and no entry without its act."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import (
    Connection,
    Executable,
    Insert,
    LargeBinary,
    bindparam,
    cast,
    column,
    func,
    insert,
    literal_column,
    table,
)

from troth.clock import from_micros, to_micros
from troth.decide import Ask, Decision
from troth.ledger.bodies import asked, texts
from troth.ledger.events import EVENTS
from troth.ledger.guard import NotForTheLedger, instant
from troth.ledger.tables import entry
from troth.ledger.tree import leaf_hash
from troth.store.marks.protected import COLUMN as MARK
from troth.store.marks.protected import LEDGER
from troth.store.prepared import Prepared

Told = tuple[str, Mapping[str, object]]
"""an event and its body"""


def append(conn: Connection, at: datetime, event: str, body: Mapping[str, object]) -> int:
    """Write one entry in the caller's transaction and return its id.

    Raises:
        NotForTheLedger: when the event is unknown or the body might hold a personal value.
    """
    return int(_APPENDING.rows(conn, rows_of(at, [(event, body)])[0])[0][0])


def append_many(conn: Connection, at: datetime, event: str, bodies: Sequence[Mapping[str, object]]) -> int:
    """Write an entry for each of ``bodies`` in one go, in the caller's transaction, and return how many.

    Raises:
        NotForTheLedger: when the event is unknown or a body might hold a personal value; nothing was written.
    """
    return append_all(conn, at, [(event, body) for body in bodies])


def append_all(conn: Connection, at: datetime, told: Sequence[Told]) -> int:
    """Write an entry for each event and body in one go, in this order, in the caller's transaction, and return how many.

    Raises:
        NotForTheLedger: as ``append_many`` does.
    """
    rows = rows_of(at, told)
    ENTRIES.send(conn, *rows)
    return len(rows)


def rows_of(at: datetime, told: Sequence[Told]) -> list[dict[str, object]]:
    """Entries as rows of the table, for ``ENTRIES``.

    Raises:
        NotForTheLedger: as ``append_many`` does.
    """
    for event, _ in told:
        if event not in EVENTS:
            raise NotForTheLedger(
                f"The ledger knows no event `{event}`.", "Name it in ledger/events.py, with a sentence."
            )
    instant_, kept = instant(at), to_micros(at)
    return [
        {"at": kept, "event": event, "body": text, "leaf": leaf_hash(_sealed(instant_, event, text))}
        for (event, _), text in zip(told, texts([body for _, body in told]), strict=True)
    ]


def decision_body(ask: Ask, decision: Decision, version: int) -> dict[str, object]:
    """What is kept of a decision: enough to ask the same question again under the same ``version`` of the policy."""
    return {"ask": asked(ask), "allowed": decision.allowed, "because": list(decision.because), "version": version}


def canonical(at: datetime, event: str, body: str) -> bytes:
    """The bytes that are sealed: RFC 8785 JSON of the entry, put together around a ``body`` that is canonical already."""
    return _sealed(instant(at), event, body)


def leaves_of(rows: Iterable[tuple[int, str, str]]) -> list[bytes]:
    """The leaves of entries, each its instant in microseconds, event and body as they stand in the table."""
    seconds: dict[int, str] = {}
    return [
        leaf_hash(_sealed(f"{seconds.get(at // SECOND) or _second(at, seconds)}{at % SECOND:06d}Z", event, body))
        for at, event, body in rows
    ]


def _second(at: int, seconds: dict[int, str]) -> str:
    """An instant as far as its seconds, with the point; entries of one second share it."""
    if len(seconds) > _SECONDS:
        seconds.clear()
    written = seconds[at // SECOND] = instant(from_micros(at))[:20]
    return written


def _sealed(at: str, event: str, body: str) -> bytes:
    return f'{{"at":"{at}","body":{body},"event":"{event}"}}'.encode()


SECOND = 1_000_000
_SECONDS = 1000
COLUMNS = ("at", "event", "body", "leaf")
WHOLE = ("id", *COLUMNS, "position")
_MARKED = table(LEDGER, *(column(name, entry.c[name].type) for name in WHOLE), column(MARK))


def _inserting(dialect: str, names: Sequence[str] = COLUMNS) -> Insert:
    """An insert that gives the entry its mark, which the database itself does on PostgreSQL."""
    if dialect == "postgresql":
        return insert(entry)
    told = cast(literal_column(f"'{LEDGER},'").concat(func.hex(bindparam("leaf"))), LargeBinary)
    return insert(_MARKED).values({**{name: bindparam(name) for name in names}, MARK: func.troth_mark(told)})


def _appending(dialect: str) -> Executable:
    made = _inserting(dialect)
    return made.returning(made.table.c.id)


ENTRIES = Prepared(_inserting, COLUMNS, together=True)
CARRIED = Prepared(lambda dialect: _inserting(dialect, WHOLE), WHOLE, together=True)
"""entries that were made elsewhere, with their ids and positions: for a ledger that is carried over to a restored store"""
_APPENDING = Prepared(_appending, COLUMNS)
