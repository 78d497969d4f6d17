"""Parting holdings: when a clock or a hold rules some fields of a holding and not the others, each part is sealed anew.

The vault seals apart what different clocks rule, so this is for what it could not know: a hold on single fields, a clock that a
later version of the policy added. Old and new rows change places in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, select

from troth.ids import new_id
from troth.people.keystore import open_keys
from troth.people.sealing import seal, unseal
from troth.people.shapes import named, shape_ids
from troth.people.tables import holding, shape
from troth.store.site import Site


def split(site: Site, conn: Connection, ids: Select[Any], fields: Collection[str]) -> int:
    """Part each holding that ``ids`` selects into the one with ``fields`` and the one with the rest; returns how many.

    A holding whose person's key is destroyed cannot be opened by anyone and is left as it is.
    """
    query = select(holding, shape.c.point, shape.c.source, shape.c.fields).join(shape, shape.c.id == holding.c.shape_id)
    rows = conn.execute(query.where(holding.c.id.in_(ids))).all()
    keys = open_keys(site, {row.person_id for row in rows}) if rows else {}
    rows = [row for row in rows if row.person_id in keys]
    parts = [part for row in rows for part in _parts(site, conn, row, keys[row.person_id], frozenset(fields))]
    if not parts:
        return 0
    conn.execute(delete(holding).where(holding.c.id.in_([row.id for row in rows])))
    conn.execute(insert(holding), parts)
    return len(rows)


def _parts(
    site: Site, conn: Connection, row: Row[Any], key: bytes, fields: frozenset[str]
) -> Sequence[dict[str, object]]:
    there = frozenset(row.fields.split())
    names = [named(part) for part in (there & fields, there - fields) if part]
    ids = shape_ids(conn, row.point, row.source, names)
    values = unseal(key, row.person_id, row.id, there, row.body)
    kept = {column.name: row._mapping[column.name] for column in holding.columns}
    parts = []
    for name in names:
        made = new_id(site.now())
        body = seal(key, row.person_id, made, {field: values[field] for field in name.split()})
        parts.append(kept | {"id": made, "shape_id": ids[name], "body": body})
    return parts
