"""What a process of Troth does once, and a worker of the tests would do again for every test, is done once a worker.

A site compiles its statements on its first day of work and never again; here each test opens a site of its own. A password
costs 20 ms on purpose; what these tests ask of one is not the time it takes.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from troth.evidence.security import proofs
from troth.logins import passwords
from troth.store import engines

STATEMENTS: LRUCache[Any, Any] = LRUCache(4_000)


def share_compiled_statements() -> None:
    """Let all engines of this process use one cache; the key of a statement in it names its dialect."""
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        dialect.__eq__ = lambda one, other: type(one) is type(other)  # type: ignore[method-assign,assignment]
        dialect.__hash__ = lambda one: hash(type(one))  # type: ignore[method-assign,assignment]
    create = engines.create_engine

    def sharing(*arguments: Any, **options: Any) -> Engine:
        return create(*arguments, execution_options={"compiled_cache": STATEMENTS}, **options)

    engines.create_engine = sharing


def hash_passwords_cheaply() -> None:
    """Argon2id still, at next to no cost; processes of their own keep the real one."""
    passwords._MEMORY_KIB, passwords._PASSES = 16, 1
    passwords.WIRED = proofs.WIRED = "$argon2id$v=19$m=16,t=1,p=1$"
