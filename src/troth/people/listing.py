"""What is held about people, without the values: for the person, for whoever supervises, and for finding one submission again.

Nothing is opened for it. What each holding may be used for is worked out from where that was said: the policy, the choices of
the person, the stops of the operator. None of it is stored with the holding.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from dataclasses import fields as fields_of
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, and_, bindparam, select

from troth.batches import batches
from troth.clock import from_micros
from troth.consent.stops.actions import facts as stopped
from troth.consent.stops.rules import comes_from, fact
from troth.people.each import Want, ask_each
from troth.people.facts import BATCH, By, gather
from troth.people.tables import holding, shape
from troth.policy.compile import Compiled
from troth.store.prepared import Prepared, among
from troth.store.site import Site


@dataclass(frozen=True, slots=True)
class Place:
    """Where one holding stands: whose it is and what it is called; no value, and nothing decided."""

    id: str
    person_id: str
    submission: str
    point: str
    source: str
    partner: str | None
    fields: frozenset[str]
    at: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """One holding as it is told about: where it stands, what it may be used for now and by whom, and when it ends.

    Attributes:
        purposes: those that use its fields, without those in ``objected`` and in ``stopped``.
        recipients: those that may be given its fields, likewise.
        objected: purposes, and recipients with an ``@``, that the person objected to.
        stopped: likewise, what the operator has stopped, for everybody or for where this came from.
        ends_at: the earliest end by a clock that counts from collection; None when it ends with business.
    """

    place: Place
    purposes: tuple[str, ...]
    recipients: tuple[str, ...]
    objected: tuple[str, ...]
    stopped: tuple[str, ...]
    ends_at: datetime | None


def _places(where: ColumnElement[bool], limited: bool = False) -> Prepared:
    """The holdings that meet a condition as rows of ``Place``, in its order, oldest first."""
    of_shape = {name: shape.c[name] for name in ("point", "source", "fields")}
    columns = [of_shape[one.name] if one.name in of_shape else holding.c[one.name] for one in fields_of(Place)]
    query = select(*columns).join_from(holding, shape, shape.c.id == holding.c.shape_id).where(where)
    query = query.order_by(holding.c.at, holding.c.id)
    return Prepared(query.limit(bindparam("many", type_=Integer())) if limited else query)


_OF_PEOPLE = _places(among(holding.c.person_id, "ids"))
_OF_SUBMISSIONS = _places(among(holding.c.submission, "ids"))
_AT_POINT = _places(
    and_(shape.c.point == bindparam("point"), holding.c.at > bindparam("since", type_=holding.c.at.type)), limited=True
)


def of_submissions(conn: Connection, keys: Collection[str]) -> dict[str, list[Place]]:
    """The holdings of each of these submissions; what is gone, or was never here, is left out."""
    found: dict[str, list[Place]] = {}
    for one in _found(conn, keys, _OF_SUBMISSIONS):
        found.setdefault(one.submission, []).append(one)
    return found


def of_people(conn: Connection, person_ids: Collection[str]) -> dict[str, list[Place]]:
    """The holdings of each of these people, oldest first; whoever has none is left out."""
    found: dict[str, list[Place]] = {}
    for one in _found(conn, person_ids, _OF_PEOPLE):
        found.setdefault(one.person_id, []).append(one)
    return found


def of_point(conn: Connection, point: str, since: datetime, limit: int) -> list[Place]:
    """The first ``limit`` holdings that came in at ``point`` after ``since``, oldest first."""
    return [_place(row) for row in _AT_POINT.rows(conn, {"point": point, "since": since, "many": limit})]


def listed(
    site: Site, conn: Connection, person_ids: Sequence[str], purpose: str, by: Sequence[By]
) -> dict[str, list[Listed]]:
    """What is held about each of these people, oldest first, asked for ``purpose`` by the asker at the same place in ``by``.

    Decided and on the ledger like a read that opens no field, in the caller's transaction; whoever the policy does not let
    be asked about is left out.
    """
    wants = [Want(one, frozenset(), purpose, who) for one, who in zip(person_ids, by, strict=True)]
    policy = site.policy(conn)
    gathered = gather(site, conn, set(person_ids), site.now(), policy=policy)
    asked = ask_each(site, conn, wants, policy=policy, gathered=gathered)
    allowed = [one.want.person_id for one in asked if one.decision.allowed]
    stops = stopped(conn, [*policy.policy.purposes, *(f"@{one}" for one in policy.policy.recipients)])
    found: dict[str, list[Listed]] = {one: [] for one in allowed}
    objected = {one: _objections(gathered.choices(one)) for one in allowed}
    for place in _found(conn, allowed, _OF_PEOPLE):
        found[place.person_id].append(_listed(policy, place, objected[place.person_id], stops))
    return found


def _found(conn: Connection, ids: Collection[str], query: Prepared) -> list[Place]:
    return [_place(row) for page in batches(ids, BATCH) for row in query.rows(conn, {"ids": page})]


def _place(row: tuple[Any, ...]) -> Place:
    id_, person_id, submission, point, source, partner, fields, at = row
    return Place(id_, person_id, submission, point, source, partner, _names(fields), from_micros(at))


@lru_cache(maxsize=1024)
def _names(written: str) -> frozenset[str]:
    return frozenset(written.split(" "))


def _objections(facts: frozenset[str]) -> frozenset[str]:
    return frozenset(fact.removeprefix("objection:") for fact in facts if fact.startswith("objection:"))


def _listed(policy: Compiled, place: Place, objected: frozenset[str], stops: frozenset[str]) -> Listed:
    uses = policy.uses(place.point, place.fields)
    scopes = (*uses.purposes, *(f"@{key}" for key in uses.recipients))
    stopped = tuple(one for one in scopes if _stopped(one, place, stops)) if stops else ()
    live = [one for one in scopes if one not in objected and one not in stopped]
    return Listed(
        place,
        tuple(one for one in live if not one.startswith("@")),
        tuple(one[1:] for one in live if one.startswith("@")),
        tuple(one for one in scopes if one in objected),
        stopped,
        policy.calendar.end(place.at, uses.keep) if uses.keep is not None else None,
    )


def _stopped(scope: str, place: Place, stops: frozenset[str]) -> bool:
    return fact(scope) in stops or comes_from(_origins(scope, stops), place.source, place.partner)


def _origins(scope: str, stops: frozenset[str]) -> frozenset[str]:
    """Whose data alone ``scope`` is stopped for."""
    return frozenset(one.removeprefix(f"{fact(scope)}:") for one in stops if one.startswith(f"{fact(scope)}:"))
