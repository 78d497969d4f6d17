"""Stopping a purpose or a recipient for everybody, lifting it, and reading what is in force.

What could go wrong: a change for everybody that is copied into a million records and dies halfway; a stop that some process
has not heard of; one that is taken back without a trace; a lifting that loses to an older stop because two machines disagree
about the time. So a stop is one row at its scope, every decision reads it in its own transaction, a lifting is another row,
and of one scope and origin each row is later than the one before it, whatever the clocks say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, insert, not_, select

from troth import ledger
from troth.clock import from_micros
from troth.consent.stops.rules import EVERYWHERE, State, Stop, fact
from troth.consent.stops.tables import stop as table
from troth.errors import InvalidInput, Refused
from troth.ids import new_id
from troth.ledger import events
from troth.policy.compile import Compiled
from troth.policy.rules import one_word
from troth.store.prepared import Prepared, among
from troth.store.site import Site
from troth.store.turns import take_turns

LONGEST = 500
"""characters of a reason"""
_LATER = timedelta(microseconds=1)


def stop(
    site: Site, conn: Connection, scope: str, *, by: str, because: str, policy: Compiled, origin: str = EVERYWHERE
) -> str:
    """Stop ``scope`` for everybody in the caller's transaction and return the stop's id; it counts from the next decision on.

    What is stopped already stays so, under the id and the reason it has.

    Args:
        scope: a purpose of the policy, or ``@`` and a recipient.
        by: the staff role that answers for it.
        because: the reason, which speaks of nobody in particular.
        origin: a source that a collection point names, or ``@`` and a partner, whose data alone the stop is for.

    Raises:
        InvalidInput: without a role or a reason.
        Refused: when the policy knows no such scope or origin.
    """
    _refuse_the_unknown(policy, scope, origin)
    last = _turn(conn, scope, origin)
    if last is not None and last.state == "stopped":
        return last.id
    return _enter(site, conn, last, Stop("", scope, origin, "stopped", site.now(), because, by, policy.version))


def lift(
    site: Site, conn: Connection, scope: str, *, by: str, because: str, policy: Compiled, origin: str = EVERYWHERE
) -> str:
    """Lift the stop of ``scope`` in the caller's transaction and return the id of the lifting; arguments as of ``stop``.

    Raises:
        InvalidInput: without a role or a reason.
        Refused: when nothing is stopped there.
    """
    last = _turn(conn, scope, origin)
    if last is None or last.state != "stopped":
        raise Refused(f"Nothing is stopped at `{scope}`.", "`troth stops SITE` lists what is.")
    return _enter(site, conn, last, Stop("", scope, origin, "lifted", site.now(), because, by, policy.version))


def _refuse_the_unknown(policy: Compiled, scope: str, origin: str) -> None:
    known = policy.policy.recipients if scope.startswith("@") else policy.policy.purposes
    if scope.removeprefix("@") not in known:
        raise Refused(f"The policy knows no `{scope}`.", "A stop is about one of its purposes or @recipients.")
    points = policy.policy.collection.values()
    origins = {one_word(point.source) for point in points} | {f"@{one}" for point in points for one in point.partners}
    if origin and origin not in origins:
        raise Refused(f"Nothing comes from `{origin}`.", f"Data comes from: {', '.join(sorted(origins))}.")


def _turn(conn: Connection, scope: str, origin: str) -> Stop | None:
    """The youngest row of a scope and origin, which nobody else adds to until this transaction ends."""
    take_turns(conn, f"stop:{scope}:{origin}")
    rows = _LAST.rows(conn, {"scope": scope, "origin": origin})
    return _stop(rows[0]) if rows else None


def _stop(row: tuple[Any, ...]) -> Stop:
    told = dict(zip(_COLUMNS, row, strict=True))
    return Stop(**{**told, "at": from_micros(told["at"])})


_COLUMNS = [column.name for column in table.c]
_LAST = Prepared(
    select(table)
    .where(table.c.scope == bindparam("scope"), table.c.origin == bindparam("origin"))
    .order_by(table.c.at.desc())
    .limit(1)
)
_ENTERING = Prepared(insert(table), _COLUMNS, together=True)
_EVENTS: dict[State, str] = {"stopped": events.STOP_MADE, "lifted": events.STOP_LIFTED}


def _enter(site: Site, conn: Connection, last: Stop | None, made: Stop) -> str:
    by, because = one_word(made.made_by.strip()), made.because.strip()
    missing = {name: "is missing" for name, value in (("by", by), ("because", because)) if not value}
    if missing or len(because) > LONGEST:
        problems = missing or {"because": f"is longer than {LONGEST} characters"}
        raise InvalidInput("A stop needs a role that answers for it and a reason.", problems)
    id_, at = new_id(made.at), made.at if last is None else max(made.at, last.at + _LATER)
    row = {"id": id_, "scope": made.scope, "origin": made.origin, "state": made.state, "at": at}
    row |= {"because": because, "made_by": by, "policy_version": made.policy_version}
    _ENTERING.run(conn, row)
    body = {"stop": id_, "scope": made.scope, "origin": made.origin, "by": by, "version": made.policy_version}
    body["because"] = hashlib.sha256(because.encode()).hexdigest()
    ledger.append(conn, site.now(), _EVENTS[made.state], body)
    return id_


_later = table.alias("later")
_IN_FORCE = Prepared(
    select(table.c.scope, table.c.origin).where(
        among(table.c.scope, "scopes"),
        table.c.state == "stopped",
        not_(
            select(_later.c.id)
            .where(_later.c.scope == table.c.scope, _later.c.origin == table.c.origin, _later.c.at > table.c.at)
            .exists()
        ),
    )
)


def facts(conn: Connection, scopes: Collection[str]) -> frozenset[str]:
    """The stops in force of ``scopes``, as facts; read in the transaction that decides."""
    return frozenset().union(*facts_by_scope(conn, scopes).values())


def facts_by_scope(conn: Connection, scopes: Collection[str]) -> dict[str, frozenset[str]]:
    """As ``facts``, for each of ``scopes`` that has any."""
    found: dict[str, frozenset[str]] = {}
    for scope, origin in _IN_FORCE.rows(conn, {"scopes": list(scopes)}):
        found[scope] = found.get(scope, frozenset()) | {fact(scope, origin)}
    return found


def history(conn: Connection, scope: str | None = None) -> list[Stop]:
    """Every stop and lifting there was, of ``scope`` or of all, oldest first."""
    query = select(table).order_by(table.c.at, table.c.id)
    query = query if scope is None else query.where(table.c.scope == scope)
    return [Stop(**row._mapping) for row in conn.execute(query)]


def in_force(conn: Connection) -> list[Stop]:
    """The stops that hold now, oldest first."""
    youngest = {(one.scope, one.origin): one for one in history(conn)}
    return sorted((one for one in youngest.values() if one.state == "stopped"), key=lambda one: (one.at, one.id))
