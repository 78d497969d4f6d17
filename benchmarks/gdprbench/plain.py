"""The plain side, as in the paper: one table with the metadata in columns, each indexed, and SQL through the driver.

Every operation is a transaction of its own, as durable as Troth's. Nothing is sealed, decided or logged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import Any

from benchmarks.gdprbench.model import LOGS, PAGE, Meta, Model, Op, ends
from benchmarks.gdprbench.policy import party, purpose
from troth.clock import to_micros

_TABLE = (
    "CREATE TABLE records (id TEXT PRIMARY KEY, data TEXT NOT NULL, pur TEXT NOT NULL, ttl BIGINT NOT NULL, usr TEXT NOT NULL, "
    "obj INTEGER NOT NULL, dec INTEGER NOT NULL, shr TEXT NOT NULL, src TEXT NOT NULL)"
)
_LOG = "CREATE TABLE log (at BIGINT NOT NULL, event TEXT NOT NULL, id TEXT NOT NULL)"
_INDEXED = ("pur, ttl", "ttl", "usr", "obj", "dec", "shr", "src")
OFF = "-"
"""before a purpose or a recipient that is suspended"""


class Plain:
    """The table behind a connection of the database's own driver."""

    def __init__(self, raw: Any, postgres: bool) -> None:
        self.raw, self.sign = raw, "%s" if postgres else "?"

    def make(self) -> None:
        """The tables and their indexes."""
        for statement in (_TABLE, _LOG, "CREATE INDEX log_at ON log (at)"):
            self._do(statement)
        for columns in _INDEXED:
            self._do(f"CREATE INDEX by_{columns.replace(', ', '_')} ON records ({columns})")

    def load(self, model: Model) -> None:
        """The records at the start."""
        self._do("BEGIN")
        rows = [self._row(model.meta(key), key, one.data) for key, one in model.records.items()]
        self._many("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._many("INSERT INTO log VALUES (?, ?, ?)", ((to_micros(at), "create", "") for at in model.logged))
        self._do("COMMIT")

    def _row(self, meta: Meta, key: str, data: str, kind: int = -1) -> tuple[Any, ...]:
        pur, ttl, user, obj, dec, shr, src = meta
        return key, data, pur or OFF + purpose(kind), ttl, user, int(obj), int(dec), shr or OFF + party(kind), src

    def run(self, ops: Iterable[Op]) -> Iterator[tuple[Any, float]]:
        """Do each operation; yields its answer and how long it took."""
        for op in ops:
            act: Callable[[Op], Any] = getattr(self, op.name)
            began = perf_counter()
            answer = act(op)
            yield answer, perf_counter() - began

    def finish(self) -> None:
        """Nothing waits."""

    def state(self, key: str) -> tuple[Meta, str] | None:
        """A record with its metadata; None when it is gone."""
        rows = self._rows("SELECT pur, ttl, usr, obj, dec, shr, src, data FROM records WHERE id = ?", key)
        return (_meta(rows[0][:7]), rows[0][7]) if rows else None

    def _do(self, statement: str, *values: Any) -> int:
        return int(self.raw.execute(statement.replace("?", self.sign), values).rowcount)

    def _many(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        self.raw.cursor().executemany(statement.replace("?", self.sign), rows)

    def _rows(self, statement: str, *values: Any) -> list[Any]:
        return list(self.raw.execute(statement.replace("?", self.sign), values).fetchall())

    def _done(self, statement: str, *values: Any) -> str:
        self._do(statement, *values)
        return "done"

    def create(self, op: Op) -> str:
        row = self._row(op.meta, op.key, op.data, op.kind)  # type: ignore[arg-type]
        return self._done("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", *row)

    def delete_by_key(self, op: Op) -> int:
        return self._do("DELETE FROM records WHERE id = ?", op.key)

    def delete_by_user(self, op: Op) -> int:
        return self._do("DELETE FROM records WHERE usr = ?", op.user)

    def delete_expired(self, op: Op) -> int:
        assert op.at is not None
        return self._do("DELETE FROM records WHERE ttl <= ?", to_micros(op.at))

    def object_by_key(self, op: Op) -> str:
        return self._done("UPDATE records SET obj = ? WHERE id = ?", int(op.on), op.key)

    def decide_by_user(self, op: Op) -> str:
        return self._done("UPDATE records SET dec = ? WHERE usr = ?", int(op.on), op.user)

    def suspend_by_purpose(self, op: Op) -> str:
        was, now = purpose(op.kind), OFF + purpose(op.kind)
        return self._done("UPDATE records SET pur = ? WHERE pur = ?", *((now, was) if op.on else (was, now)))

    def unshare_by_party(self, op: Op) -> str:
        was, now = party(op.kind), OFF + party(op.kind)
        return self._done("UPDATE records SET shr = ? WHERE shr = ?", *((now, was) if op.on else (was, now)))

    def read_own(self, op: Op) -> tuple[tuple[int, str], ...]:
        rows = self._rows("SELECT pur, data FROM records WHERE usr = ?", op.user)
        return tuple(sorted((_kind(pur), data) for pur, data in rows))

    def own_meta(self, op: Op) -> Meta:
        query = "SELECT pur, ttl, usr, obj, dec, shr, src FROM records WHERE id = ? AND usr = ?"
        return _meta(self._rows(query, op.key, op.user)[0])

    def update_data(self, op: Op) -> str:
        return self._done("UPDATE records SET data = ? WHERE id = ? AND usr = ?", op.data, op.key, op.user)

    def read_by_key(self, op: Op) -> str | None:
        rows = self._rows("SELECT data, pur, obj FROM records WHERE id = ?", op.key)
        return rows[0][0] if rows and not rows[0][2] and not rows[0][1].startswith(OFF) else None

    def read_by_purpose(self, op: Op) -> tuple[tuple[str, str], ...]:
        return tuple(sorted((key, data) for key, data, obj, _ in self._page(op) if not obj))

    def read_by_decision(self, op: Op) -> tuple[tuple[str, str], ...]:
        return tuple(sorted((key, data) for key, data, _, dec in self._page(op) if dec))

    def _page(self, op: Op) -> list[Any]:
        assert op.at is not None
        query = "SELECT id, data, obj, dec FROM records WHERE pur = ? AND ttl > ? ORDER BY ttl LIMIT ?"
        return self._rows(query, purpose(op.kind), ends(op.kind, op.at), PAGE)

    def read_by_objection(self, op: Op) -> tuple[tuple[int, str], ...]:
        rows = self._rows("SELECT pur, data FROM records WHERE usr = ? AND obj = 0", op.user)
        return tuple(sorted((_kind(pur), data) for pur, data in rows if not pur.startswith(OFF)))

    def meta_by_user(self, op: Op) -> tuple[Meta, ...]:
        query = "SELECT pur, ttl, usr, obj, dec, shr, src FROM records WHERE usr = ?"
        return tuple(sorted(_meta(row) for row in self._rows(query, op.user)))

    def logs(self, op: Op) -> tuple[int, ...]:
        assert op.at is not None and op.until is not None
        query = "SELECT at FROM log WHERE event = 'create' AND at >= ? AND at < ? ORDER BY at LIMIT ?"
        return tuple(row[0] for row in self._rows(query, to_micros(op.at), to_micros(op.until), LOGS))

    def verify_deletion(self, op: Op) -> bool:
        return not self._rows("SELECT 1 FROM records WHERE id = ?", op.key)


def _kind(pur: str) -> int:
    return int(pur.removeprefix(OFF).removeprefix("use_"))


def _meta(row: Any) -> Meta:
    pur, ttl, user, obj, dec, shr, src = row
    shown, shared = ("" if one.startswith(OFF) else one for one in (pur, shr))
    return shown, ttl, user, bool(obj), bool(dec), shared, src
