"""What all tables share: one ``MetaData`` for the data, one for the keys, the type of an instant, and the note that every
column with personal data must carry.

A column declared ``personal(...)`` names where its values come from, how they get into an answer to the person, how they are
erased and which clock ends them; one that could hold such a value and never does is declared ``plain(...)`` with the reason.
``tests/promises/test_totality.py`` fails when one of the four is missing or a column says neither.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Dialect, MetaData
from sqlalchemy.types import TypeDecorator

from troth.clock import from_micros, to_micros

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}

data_tables = MetaData(naming_convention=_NAMES)
key_tables = MetaData(naming_convention=_NAMES)


class Instant(TypeDecorator[datetime]):
    """An instant kept as microseconds since 1970 UTC: exact, ordered and compared alike on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_micros(value)


def personal(*, source: str, export: str, erase: str, clock: str) -> dict[str, Any]:
    """The ``info`` of a column that holds personal data: its source, export rule, erase rule and clock, in words."""
    return {"personal": {"source": source, "export": export, "erase": erase, "clock": clock}}


def plain(why: str) -> dict[str, Any]:
    """The ``info`` of a column that could hold a personal value by its type: ``why`` it never does."""
    return {"plain": why}
