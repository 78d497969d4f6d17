"""Correcting what is held about a person: in every holding that is still in use, so that the old value is nowhere left.

A field that is taken away goes from every holding; one that was never given joins the youngest holding of the collection point
that asks for it. What only a hold keeps is left as it was when the hold was made: a closed invoice names the address it named.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, Row, delete, select, update

from troth import ledger
from troth.errors import Refused, StoreError
from troth.ledger import events
from troth.people.keystore import open_keys
from troth.people.sealing import seal, unseal
from troth.people.shapes import named, shape_ids
from troth.people.storing import refuse_the_unfit
from troth.people.tables import holding, shape
from troth.policy.compile import Compiled
from troth.store.site import Site

Holding = Row[tuple[object, ...]]


def correct(
    site: Site,
    conn: Connection,
    person_id: str,
    point: str,
    changes: Mapping[str, str | None],
    policy: Compiled,
    by: str,
) -> int:
    """Set fields of ``point`` to new values, or take them away (None), in the caller's transaction.

    Returns how many holdings changed.

    Args:
        by: who corrects: ``person`` or ``staff``; on the ledger with the names of the fields.

    Raises:
        Refused: for a field that ``point`` does not ask for, for a card number, and for an identifying field, which others find
            the person by and which must be confirmed first.
        StoreError: when the person has no key.
    """
    refuse_the_unfit(policy, point, {field: value or "" for field, value in changes.items()})
    if policy.identifying & changes.keys():
        raise Refused("What somebody is found by is not changed like this.", "It must be confirmed first.")
    rows = conn.execute(_IN_USE.where(holding.c.person_id == person_id)).all()
    key = open_keys(site, [person_id]).get(person_id)
    if key is None:
        raise StoreError("This person has no key: nothing can be corrected.", "They were erased.")
    opened = {row.id: unseal(key, person_id, row.id, row.fields.split(), row.body) for row in rows}
    there = set().union(*opened.values())
    new = {field: value for field, value in changes.items() if value is not None and field not in there}
    home = next((row.id for row in reversed(rows) if row.point == point), None)
    changed = 0
    for row in rows:
        values = _corrected(opened[row.id], changes) | (new if row.id == home else {})
        if values != opened[row.id]:
            _rewrite(conn, row, key, values)
            changed += 1
    body = {"person": person_id, "fields": sorted(changes), "holdings": changed, "by": by, "version": policy.version}
    ledger.append(conn, site.now(), events.PERSON_CORRECTED, body)
    return changed


_IN_USE = (
    select(holding, shape.c.point, shape.c.source, shape.c.fields)
    .join(shape, shape.c.id == holding.c.shape_id)
    .where(holding.c.only_for.is_(None))
    .order_by(holding.c.at, holding.c.id)
)


def _corrected(values: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    after = {field: changes.get(field, value) for field, value in values.items()}
    return {field: value for field, value in after.items() if value is not None}


def _rewrite(conn: Connection, row: Holding, key: bytes, values: Mapping[str, str]) -> None:
    """Seal a holding anew in its place; one of which nothing is left goes."""
    mine = holding.c.id == row.id
    if not values:
        conn.execute(delete(holding).where(mine))
        return
    shape_id = _shape(conn, row, values)
    body = seal(key, row.person_id, row.id, values)
    conn.execute(update(holding).where(mine).values(shape_id=shape_id, body=body))


def _shape(conn: Connection, row: Holding, fields: Collection[str]) -> int:
    name = named(fields)
    return row.shape_id if name == row.fields else shape_ids(conn, row.point, row.source, [name])[name]
