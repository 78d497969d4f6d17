"""The sums as a seal of the ledger commits to them: folded, read, and kept under a salt that the next seal throws away.

What could go wrong: from two seals with one act between them somebody works out the mark of one row, and tries guesses against
it. So the ledger gets only a digest, salted with random bits that the store forgets at the next seal.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, Row, delete, insert, select

from troth.store.marks import on_postgresql, on_sqlite
from troth.store.tables import store_sealed

SALT = 32
"""bytes"""


@dataclass(frozen=True, slots=True, order=True)
class Kept:
    """The sum that one store, ``data`` or ``keys``, keeps of one table."""

    store: str
    name: str
    rows: int
    low: int
    high: int
    turns: int


def fold(conn: Connection) -> None:
    """Add what waits to the sums. A sum that was wrong stays wrong."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(on_postgresql.FOLD)


def prune(conn: Connection) -> set[str]:
    """Forget the sums of days of visits that Troth dropped, and name them."""
    dialect = on_postgresql if conn.dialect.name == "postgresql" else on_sqlite
    return {str(name) for (name,) in conn.exec_driver_sql(dialect.PRUNE)}


def kept(conn: Connection, store: str) -> list[Kept]:
    """The sums that ``store`` keeps, by table."""
    rows = conn.exec_driver_sql("SELECT name, rows, low, high, turns FROM store_sum ORDER BY name")
    return sorted(Kept(store, *row) for row in rows)


def sealed(conn: Connection) -> tuple[list[Kept], bytes]:
    """The sums as the last seal committed to them, and its salt; nothing before the first.

    Where rows have not the one salt of all, no digest fits.
    """
    rows = conn.execute(select(store_sealed)).all()
    salts = {row.salt for row in rows}
    return sorted(map(_kept, rows)), salts.pop() if len(salts) == 1 else b""


def _kept(row: Row[str, str, int, int, int, int, bytes]) -> Kept:
    return Kept(row.store, row.name, row.rows, row.low, row.high, row.turns)


def older(now: Iterable[Kept], before: Iterable[Kept]) -> list[Kept]:
    """Those of ``before`` of which the store has an older sum now, none, or another one though nothing changed since."""
    there = {(one.store, one.name): one for one in now}
    return [one for one in before if _older(there.get((one.store, one.name)), one)]


def _older(now: Kept | None, before: Kept) -> bool:
    return now is None or now.turns < before.turns or (now.turns == before.turns and now != before)


def commit_to(conn: Connection, sums: Iterable[Kept]) -> str:
    """Keep ``sums`` in the place of those before; the digest that the ledger seals."""
    salt, rows = os.urandom(SALT), sorted(sums)
    conn.execute(delete(store_sealed))
    conn.execute(
        insert(store_sealed),
        [
            {
                "store": one.store,
                "name": one.name,
                "rows": one.rows,
                "low": one.low,
                "high": one.high,
                "turns": one.turns,
                "salt": salt,
            }
            for one in rows
        ],
    )
    return digest(rows, salt)


def digest(sums: Iterable[Kept], salt: bytes) -> str:
    """SHA-256 of the salt and a line for each sum, in hexadecimal."""
    lines = (f"{one.store},{one.name},{one.rows},{one.low},{one.high},{one.turns}\n" for one in sorted(sums))
    return sha256(salt + "".join(lines).encode()).hexdigest()
