"""Functions of SQL that the two databases spell differently."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

NEVER = 2**62
"""microseconds: later than any instant there is"""


class Least(FunctionElement[int]):
    """The least of several values, none of which is null: ``least`` on PostgreSQL, ``min`` on SQLite."""

    inherit_cache = True


class Greatest(FunctionElement[int]):
    """The greatest of several values, none of which is null: ``greatest`` on PostgreSQL, ``max`` on SQLite."""

    inherit_cache = True


@compiles(Least)
def _least(element: Least, compiler: Any, **options: Any) -> str:
    return f"least({compiler.process(element.clauses, **options)})"


@compiles(Least, "sqlite")
def _min(element: Least, compiler: Any, **options: Any) -> str:
    return f"min({compiler.process(element.clauses, **options)})"


@compiles(Greatest)
def _greatest(element: Greatest, compiler: Any, **options: Any) -> str:
    return f"greatest({compiler.process(element.clauses, **options)})"


@compiles(Greatest, "sqlite")
def _max(element: Greatest, compiler: Any, **options: Any) -> str:
    return f"max({compiler.process(element.clauses, **options)})"
