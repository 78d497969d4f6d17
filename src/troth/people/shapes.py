"""Shapes: which fields are held together. Fields of one submission that end by the same clocks share one holding."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import Connection, bindparam, select

from troth.people.tables import shape
from troth.policy.compile import Compiled
from troth.store.insert import insert_into
from troth.store.prepared import Prepared, among


def groups(policy: Compiled, point: str, fields: Collection[str]) -> list[tuple[str, ...]]:
    """``fields`` of ``point`` split so that the fields of one group are ruled by the same clocks; names sorted. Pure."""
    found: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for field in sorted(fields):
        found[tuple(n for n, clock in enumerate(policy.clocks) if (point, field) in clock.covers)].append(field)
    return [tuple(names) for names in found.values()]


def named(fields: Collection[str]) -> str:
    """How the fields of a shape are written: names, sorted, one space between."""
    return " ".join(sorted(fields))


def shape_ids(conn: Connection, point: str, source: str, wanted: Collection[str]) -> Mapping[str, int]:
    """The ids of the shapes with these fields at this point, made where they are missing."""
    here = {"point": point, "source": source, "wanted": list(wanted)}
    found: dict[str, int] = dict(_SHAPES.rows(conn, here))
    missing = [fields for fields in wanted if fields not in found]
    if not missing:
        return found
    rows = [{"point": point, "source": source, "fields": fields} for fields in missing]
    conn.execute(insert_into(conn, shape).on_conflict_do_nothing(), rows)
    return dict(_SHAPES.rows(conn, here))


_SHAPES = Prepared(
    select(shape.c.fields, shape.c.id).where(
        shape.c.point == bindparam("point"), shape.c.source == bindparam("source"), among(shape.c.fields, "wanted")
    )
)
