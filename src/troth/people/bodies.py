"""Holdings as rows, and opened: which holdings have the fields in question, and what the fields now say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import fields as fields_of
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import BindParameter, ColumnElement, Connection, Integer, Select, bindparam, or_, select, true

from troth.batches import batches
from troth.clock import from_micros
from troth.people.sealing import Opener, unseal
from troth.people.tables import holding, shape
from troth.policy.rules import OWN_ACCESS
from troth.store.prepared import Prepared, among

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Sealed:
    """One holding as it is stored; ``body`` opens with its person's key only."""

    id: str
    person_id: str
    point: str
    source: str
    fields: frozenset[str]
    at: datetime
    policy_version: int
    told: str
    partner: str | None
    submission: str
    only_for: str | None
    body: bytes

    @property
    def case(self) -> str:
        """The reference of the dealing that the submission of this holding opened, if it opened one."""
        return f"{self.point}:{self.submission}"

    def open_to(self, purpose: str) -> bool:
        """Whether it may be opened for ``purpose``; what is kept for certain purposes only is for those and its person."""
        return self.only_for is None or purpose == OWN_ACCESS or purpose in self.only_for.split(" ")

    def open(self, key: bytes) -> dict[str, str]:
        """The values. Raises ``Unverifiable`` when the body was altered or moved."""
        return unseal(key, self.person_id, self.id, self.fields, self.body)


def holdings_with(
    conn: Connection, person_ids: Collection[str], fields: Collection[str], purpose: str
) -> dict[str, list[Sealed]]:
    """For each of these people the holdings that have any of ``fields``, oldest first.

    What is kept for certain purposes only is left out for every other; people themselves see all of theirs.
    """
    found: dict[str, list[Sealed]] = defaultdict(list)
    wanted = frozenset(fields)
    if not wanted:
        return {}
    for ids in batches(person_ids, BATCH):
        for sealed in _sealed(conn, _with(wanted, purpose), {"ids": ids}):
            found[sealed.person_id].append(sealed)
    return dict(found)


def holdings_of(conn: Connection, person_ids: Collection[str]) -> dict[str, list[Sealed]]:
    """For each of these people all their holdings, oldest first."""
    return _by_person(conn, _OF_PEOPLE, person_ids)


def holdings_by_id(conn: Connection, ids: Collection[str]) -> dict[str, list[Sealed]]:
    """Those of these holdings that there are, by the id of their person, oldest first."""
    return _by_person(conn, _BY_ID, ids)


def _by_person(conn: Connection, query: Prepared, ids: Collection[str]) -> dict[str, list[Sealed]]:
    found: dict[str, list[Sealed]] = defaultdict(list)
    for named in batches(ids, BATCH):
        for sealed in _sealed(conn, query, {"ids": named}):
            found[sealed.person_id].append(sealed)
    return dict(found)


@lru_cache(maxsize=256)
def _with(fields: frozenset[str], purpose: str) -> Prepared:
    """The query for the holdings of ``ids``; remembered, since putting it together takes longer than answering it."""
    named = or_(*((" " + shape.c.fields + " ").contains(f" {field} ", autoescape=True) for field in sorted(fields)))
    theirs = among(holding.c.person_id, "ids")
    return Prepared(_holdings().where(theirs, named, _open_to(purpose)).order_by(holding.c.at, holding.c.id))


def _open_to(purpose: str) -> ColumnElement[bool]:
    if purpose == OWN_ACCESS:
        return true()
    kept_for = (" " + holding.c.only_for + " ").contains(f" {purpose} ", autoescape=True)
    return or_(holding.c.only_for.is_(None), kept_for) if purpose else holding.c.only_for.is_(None)


def holding_ids(conn: Connection, person_id: str) -> str:
    """The ids of all holdings of a person, oldest first, one after the other in a single text: each has ``ID`` signs.

    For going through them a page at a time: no index is in the order of one person's ids, so that asking for *the next page*
    would sort all of them for every page.
    """
    return "".join(row[0] for page in _IDS.pages(conn, BATCH, {"person_id": person_id}) for row in page)


ID = 26
"""signs of an id"""


class Opened(NamedTuple):
    """A holding that was opened, with what is said of where it came from."""

    id: str
    point: str
    source: str
    at: datetime
    policy_version: int
    told: str
    partner: str | None
    values: dict[str, str]
    only_for: str | None


def opened_by_id(conn: Connection, opener: Opener, ids: list[str]) -> list[Opened]:
    """Those of these holdings of the opener's person that there are, opened, oldest first; ``ids`` are at most ``BATCH``.

    The same as opening what ``holdings_by_id`` finds, for somebody who goes through thousands of them.
    """
    return [
        Opened(id_, point, source, from_micros(at), version, told, partner, opener.open(id_, _names(names), body), only)
        for id_, _, point, source, names, at, version, told, partner, _, only, body in _BY_ID.rows(conn, {"ids": ids})
    ]


def newest_holdings(conn: Connection, limit: int) -> list[Sealed]:
    """The last ``limit`` holdings that came in, of anybody; for proofs, which open them and keep nothing."""
    return list(_sealed(conn, _NEWEST, {"many": limit}))


def holdings_from(conn: Connection, holding_id: str, limit: int) -> list[Sealed]:
    """The holdings from ``holding_id`` on, of anybody; for proofs, which look somewhere else each time."""
    return list(_sealed(conn, _FROM, {"first": holding_id, "many": limit}))


def _holdings() -> Select[tuple[object, ...]]:
    """All columns of ``Sealed``, in its order."""
    of_shape = {name: shape.c[name] for name in ("point", "source", "fields")}
    columns = [of_shape[one.name] if one.name in of_shape else holding.c[one.name] for one in fields_of(Sealed)]
    return select(*columns).join_from(holding, shape, shape.c.id == holding.c.shape_id)


def _sealed(conn: Connection, query: Prepared, values: Mapping[str, object]) -> Iterable[Sealed]:
    for id_, person_id, point, source, names, micros, *rest in query.rows(conn, values):
        yield Sealed(id_, person_id, point, source, _names(names), from_micros(micros), *rest)


@lru_cache(maxsize=1024)
def _names(written: str) -> frozenset[str]:
    """The fields of a shape."""
    return frozenset(written.split(" "))


def latest_values(
    sealed: Iterable[Sealed], key: bytes, fields: Collection[str], case: str | None = None
) -> Mapping[str, str]:
    """What ``fields`` say now: the youngest holding that has a field decides; oldest first in.

    With a ``case``, what came with that very order or request decides before anything younger.
    """
    values: dict[str, str] = {}
    for one in sorted(sealed, key=lambda one: one.case == case):
        values |= one.open(key)
    return {field: values[field] for field in fields if field in values}


_OF_PEOPLE = Prepared(_holdings().where(among(holding.c.person_id, "ids")).order_by(holding.c.at, holding.c.id))
_BY_ID = Prepared(_holdings().where(among(holding.c.id, "ids")).order_by(holding.c.at, holding.c.id))
_MANY: BindParameter[int] = bindparam("many", type_=Integer())
_IDS = Prepared(select(holding.c.id).where(holding.c.person_id == bindparam("person_id")).order_by(holding.c.id))
_NEWEST = Prepared(_holdings().order_by(holding.c.id.desc()).limit(_MANY))
_FROM = Prepared(_holdings().where(holding.c.id >= bindparam("first")).order_by(holding.c.id).limit(_MANY))
