"""Whether anything waits for a sweep: asked first, of all clocks in one statement, so that an idle turn costs next to nothing.

The statement is made of the clocks, the kinds of people and the shapes there are, and remembered for them: putting it together
takes longer than answering it. It may say yes where the sweep then finds nothing to do, and never no where there is something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, literal, select, union_all

from troth.people.tables import holding, person
from troth.policy.clocks import Clock
from troth.policy.compile import Compiled
from troth.retention.clocks import Shape, coverage
from troth.retention.due import of_kinds, shapes
from troth.retention.tables import hold
from troth.store.prepared import Prepared
from troth.store.schema import Instant

HOLDS_ENDED = "holds that ended"
MARKED = "what holds mark"
STAYING = "what holds keep"


def due(conn: Connection, compiled: Compiled, until: Callable[[Clock], datetime]) -> frozenset[str]:
    """The ids of the clocks that rule something whose event lies at or before ``until`` of the clock, kept or not."""
    return _answers(conn, compiled, until, None)


def waiting(conn: Connection, compiled: Compiled, now: datetime, until: Callable[[Clock], datetime]) -> frozenset[str]:
    """As ``due``, with ``HOLDS_ENDED`` when a hold is over that nobody has closed, ``MARKED`` when holds keep something, and
    ``STAYING`` when somebody is in use of whom they keep all.
    """
    found = _answers(conn, compiled, until, now)
    # Asked only where it can be true: a planner without figures, as of a store that was just filled, goes through everybody.
    return found | {STAYING} if MARKED in found and _STAYING.rows(conn) else found


def _answers(
    conn: Connection, compiled: Compiled, until: Callable[[Clock], datetime], now: datetime | None
) -> frozenset[str]:
    query = _question(compiled.clocks, frozenset(compiled.policy.people), shapes(conn), now is not None)
    if query is None:
        return frozenset()
    values: dict[str, datetime | None] = {f"until_{n}": until(clock) for n, clock in enumerate(compiled.clocks)}
    return frozenset(conn.scalars(query, {**values, "now": now}))


@lru_cache(maxsize=64)
def _question(
    clocks: tuple[Clock, ...], kinds: frozenset[str], known: tuple[Shape, ...], with_holds: bool
) -> Any | None:
    parts = [*_of_clocks(clocks, kinds, known), *(_of_holds() if with_holds else ())]
    return union_all(*parts) if parts else None


def _of_clocks(clocks: tuple[Clock, ...], kinds: frozenset[str], known: tuple[Shape, ...]) -> Iterator[Select[Any]]:
    for n, clock in enumerate(clocks):
        ruled = coverage(clock, known)
        touched = ruled.whole | ruled.part.keys()
        if touched:
            scope = of_kinds(kinds, clock, bindparam(f"until_{n}", type_=Instant()))
            yield select(literal(clock.id)).where(scope.select(holding.c.id, shape_ids=touched).exists())


def _of_holds() -> Iterator[Select[Any]]:
    over = hold.c.ends_at <= bindparam("now", type_=Instant())
    yield select(literal(HOLDS_ENDED)).where(select(hold.c.id).where(hold.c.released_at.is_(None), over).exists())
    marked = select(holding.c.id).where(holding.c.only_for.is_not(None))
    yield select(literal(MARKED)).where(marked.exists())


def _staying() -> Select[Any]:
    free = holding.alias("free")
    others = select(free.c.id).where(free.c.person_id == person.c.id, free.c.only_for.is_(None)).exists()
    theirs = select(holding.c.id).join(person, person.c.id == holding.c.person_id)
    return theirs.where(holding.c.only_for.is_not(None), person.c.state == "active", ~others).limit(1)


_STAYING = Prepared(_staying())
