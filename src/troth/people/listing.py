"""What is held about people, without the values: for the person, for whoever supervises, and for finding one submission again.

Nothing is opened for it. What each holding may be used for is worked out from where that was said: the policy, the choices of
the person, the stops of the operator. None of it is stored with the holding.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, select

from troth.consent.actions import choices
from troth.consent.rules import facts_of
from troth.consent.stops.actions import facts as stopped
from troth.consent.stops.rules import comes_from, fact
from troth.people.each import Want, ask_each
from troth.people.facts import BATCH, By
from troth.people.tables import holding, shape
from troth.policy.compile import Compiled
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


_COLUMNS = (
    *(holding.c[name] for name in ("id", "person_id", "submission", "partner", "at")),
    *(shape.c[name] for name in ("point", "source", "fields")),
)
_PLACES = select(*_COLUMNS).join(shape, shape.c.id == holding.c.shape_id).order_by(holding.c.at, holding.c.id)
_OF_PEOPLE = _PLACES.where(holding.c.person_id.in_(bindparam("ids", expanding=True)))
_OF_SUBMISSIONS = _PLACES.where(holding.c.submission.in_(bindparam("ids", expanding=True)))
_AT_POINT = _PLACES.where(
    shape.c.point == bindparam("point"), holding.c.at > bindparam("since", type_=holding.c.at.type)
).limit(bindparam("most"))


def of_submissions(conn: Connection, keys: Collection[str]) -> dict[str, list[Place]]:
    """The holdings of each of these submissions; what is gone, or was never here, is left out."""
    found: dict[str, list[Place]] = {}
    for one in _places(conn, keys, _OF_SUBMISSIONS):
        found.setdefault(one.submission, []).append(one)
    return found


def of_people(conn: Connection, person_ids: Collection[str]) -> dict[str, list[Place]]:
    """The holdings of each of these people, oldest first; whoever has none is left out."""
    found: dict[str, list[Place]] = {}
    for one in _places(conn, person_ids, _OF_PEOPLE):
        found.setdefault(one.person_id, []).append(one)
    return found


def of_point(conn: Connection, point: str, since: datetime, limit: int) -> list[Place]:
    """The first ``limit`` holdings that came in at ``point`` after ``since``, oldest first."""
    rows = conn.execute(_AT_POINT, {"point": point, "since": since, "most": limit})
    return [_place(row._mapping) for row in rows]


def listed(
    site: Site, conn: Connection, person_ids: Sequence[str], purpose: str, by: Sequence[By]
) -> dict[str, list[Listed]]:
    """What is held about each of these people, oldest first, asked for ``purpose`` by the asker at the same place in ``by``.

    Decided and on the ledger like a read that opens no field, in the caller's transaction; whoever the policy does not let
    be asked about is left out.
    """
    wants = [Want(one, frozenset(), purpose, who) for one, who in zip(person_ids, by, strict=True)]
    allowed = [one.want.person_id for one in ask_each(site, conn, wants) if one.decision.allowed]
    policy = site.policy(conn)
    chosen = choices(conn, allowed)
    stops = stopped(conn, [*policy.policy.purposes, *(f"@{one}" for one in policy.policy.recipients)])
    found: dict[str, list[Listed]] = {one: [] for one in allowed}
    objected = {one: _objections(facts_of(chosen.get(one, ()))) for one in allowed}
    for place in _places(conn, allowed, _OF_PEOPLE):
        found[place.person_id].append(_listed(policy, place, objected[place.person_id], stops))
    return found


def _places(conn: Connection, ids: Collection[str], query: object) -> list[Place]:
    named = list(ids)
    pages = (named[start : start + BATCH] for start in range(0, len(named), BATCH))
    return [_place(row._mapping) for page in pages for row in conn.execute(query, {"ids": page})]  # type: ignore[call-overload]


def _place(row: RowMapping) -> Place:
    return Place(**{**row, "fields": frozenset(str(row["fields"]).split(" "))})


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
        place.at + uses.keep if uses.keep is not None else None,
    )


def _stopped(scope: str, place: Place, stops: frozenset[str]) -> bool:
    return fact(scope) in stops or comes_from(_origins(scope, stops), place.source, place.partner)


def _origins(scope: str, stops: frozenset[str]) -> frozenset[str]:
    """Whose data alone ``scope`` is stopped for."""
    return frozenset(one.removeprefix(f"{fact(scope)}:") for one in stops if one.startswith(f"{fact(scope)}:"))
