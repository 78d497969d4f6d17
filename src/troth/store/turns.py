"""Transactions that touch the same thing take turns, so that the second sees what the first one did."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, func, select


def take_turns(conn: Connection, *names: str) -> None:
    """Wait until no other writing transaction holds any of ``names``, then hold them until this one ends.

    On SQLite a writing transaction has the database to itself already; on PostgreSQL these are advisory locks, taken in one
    order so that two transactions never wait for each other. To be called before anything else is locked.

    Raises:
        StoreError: when another transaction holds one for longer than the engine's lock wait.
    """
    if conn.dialect.name == "postgresql":
        for number in sorted(map(_number, names)):
            conn.execute(select(func.pg_advisory_xact_lock(number)))


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
