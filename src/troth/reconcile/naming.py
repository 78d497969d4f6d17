"""How a row is named in a finding, and which entry of the policy it speaks of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import MetaData

from troth.people.logs import mask
from troth.store.schema import data_tables, key_tables

ENTRIES: Mapping[str, str] = {
    "choice": "scope",
    "dealing": "kind",
    "disclosure": "recipient",
    "happening": "event",
    "instruction": "recipient",
    "job": "kind",
    "hold": "ground",
    "message": "class",
    "request": "right",
    "shape": "point",
    "stop": "scope",
}
"""tables of which each row speaks of one entry of the policy, and the column that names it"""
_BY = {"identifier": ("person_id", "field"), "staff_log": ("id",)}
METADATA: Mapping[str, MetaData] = {"data": data_tables, "keys": key_tables}


def names_of(store: str, table: str, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns whose values name a row of ``table``, all of them opaque or words of the policy."""
    if table in _BY:
        return _BY[table]
    declared = METADATA[store].tables.get(table)
    if declared is not None and declared.primary_key.columns:
        return tuple(column.name for column in declared.primary_key.columns)
    return tuple(name for name in ("id", "person_id", "day") if name in columns)[:1] or tuple(columns[:1])


def named(values: Sequence[object]) -> str:
    """The values that name a row, as text: bytes by the first digits of their hexadecimal form, and no address of anybody."""
    return " ".join(value.hex()[:16] if isinstance(value, bytes) else mask(str(value))[:64] for value in values)
