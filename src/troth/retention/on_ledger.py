"""Endings that should be over by what the ledger said when they began, whatever their rows say now.

A row says by when its data is to be destroyed, why, and how far it is; whoever changes it puts the day off, moves the ending to
another clock, or calls it over. The entry of its beginning says the same and does not change. Where the two differ the entry
counts. What a restoration lost is left out: the copy may not know of that ending, and begins it again under another number.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select

from troth.batches import batches
from troth.clock import from_micros, to_micros
from troth.ledger.restored import lost_between
from troth.proof import Beginning, Proving
from troth.retention.heartbeat import SWEEP_EVERY
from troth.retention.tables import ending

_BATCH = 500
_GRACE_MICROS = 2 * SWEEP_EVERY // timedelta(microseconds=1)


def past_on_ledger(proving: Proving, seen: ColumnElement[bool], cause: str | None = None) -> list[datetime]:
    """The deadlines of endings of ``cause``, or of any, that are past theirs and were neither destroyed nor put back.

    Those whose rows meet ``seen`` are left out: they are counted already.
    """
    now, lost = to_micros(proving.now), lost_between(proving.conn)
    begun = {id_: one for id_, one in proving.heard.begun.items() if cause in {None, one.cause}}
    late = {id_: one.by for id_, one in begun.items() if one.by is not None and _is_over(one, now, lost)}
    for some in batches(sorted(late), _BATCH):
        for known in proving.conn.scalars(select(ending.c.id).where(ending.c.id.in_(some), seen)):
            del late[known]
    return [from_micros(by) for by in late.values()]


def _is_over(one: Beginning, now: int, lost: Collection[tuple[int, int]]) -> bool:
    """Whether something that began should be destroyed at ``now``: by its deadline, or two sweeps after it began later."""
    assert one.by is not None
    due = one.by if one.at < one.by else one.at + _GRACE_MICROS
    return due <= now and not any(since < at <= until for since, until in lost for at in (one.at, one.by))
