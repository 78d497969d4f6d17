"""Transactions that touch the same thing take turns, so that the second sees what the first one did."""

from __future__ import annotations

import hashlib

from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, func, select

from troth.store.prepared import Prepared


def take_turns(conn: Connection, *names: str) -> None:
    """Wait until no other writing transaction holds any of ``names``, then hold them until this one ends.

    On SQLite a writing transaction has the database to itself already; on PostgreSQL these are advisory locks, taken in one
    order so that two transactions never wait for each other. To be called before anything else is locked.

    Raises:
        StoreError: when another transaction holds one for longer than the engine's lock wait.
    """
    if conn.dialect.name == "postgresql":
        _TAKING.send(conn, {"numbers": sorted(map(_number, names))})


_numbers = func.unnest(bindparam("numbers", type_=ARRAY(BigInteger))).column_valued("number")
_TAKING = Prepared(select(func.pg_advisory_xact_lock(_numbers)))


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
