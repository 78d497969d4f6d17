"""The canary: a made-up person with unique values goes through the real paths, is erased, and is looked for everywhere.

It uses the doors that people's data takes, none of its own: a collection point, the vault, consent, the one path of erasure.
It agrees to nothing that would let a message or a disclosure leave, and its address is one that cannot exist. The search
afterwards reads every table of both stores, declared or not. A canary whose flight was cut short is erased by the next.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    String,
    cast,
    func,
    literal,
    or_,
    select,
)

from troth import ledger
from troth.collection.actions import collect
from troth.collection.forms import form
from troth.collection.rules import Submission
from troth.consent import actions as consent
from troth.consent.rules import State
from troth.errors import Refused, TrothError
from troth.ledger import events
from troth.ledger.tables import entry
from troth.people import vault
from troth.people.tables import person
from troth.people.vault import By
from troth.policy.compile import Compiled
from troth.policy.model import CollectionPoint
from troth.proof import Canary
from troth.retention import ending
from troth.retention.destroy import complete, destroy
from troth.store.engines import reading
from troth.store.schema import data_tables
from troth.store.site import Site

_MADE_UP: Mapping[str, Callable[[str], str]] = {
    "pd:EmailAddress": lambda token: f"{token}@canary.test",
    "pd:TelephoneNumber": lambda token: f"+44 20 7946 {int(token[6:10], 16) % 10_000:04d}",
    "pd:BirthDate": lambda token: "1980-01-01",
}
"""Values by category: addresses under ``.test`` (RFC 6761) and these numbers (Ofcom keeps them for drama) are nobody's."""

SAID_FAILED: Mapping[str, str] = {
    "collect": "a made-up person could not be taken in",
    "purpose": "a read without a promised purpose was let through",
    "access": "something was missing from the answer",
    "withdrawal": "a withdrawal did not take effect at once",
    "objection": "an objection did not take effect at once",
    "erasure": "something of an erased person is still there",
}
"""What it means when a step fails."""
KEPT_FOR = timedelta(days=7)
"""How long the last flight counts as evidence."""


def fly(site: Site) -> Canary:
    """Send a canary through the site and say what became of it.

    Sites without a form that a person could fill in have no path to try; the canary then has no steps.
    """
    _clear_away(site)
    compiled = site.policy()
    key = _point(compiled)
    return _Flight(site, compiled, key).made() if key else Canary()


def last(conn: Connection, site: Site) -> Canary:
    """What became of the last canary, from the ledger; no steps when there was none in the last days."""
    query = select(entry.c.at, entry.c.body).where(
        entry.c.event == events.CANARY_SEARCHED, entry.c.at > site.now() - KEPT_FOR
    )
    row = conn.execute(query.order_by(entry.c.at.desc(), entry.c.id.desc()).limit(1)).first()
    body = json.loads(row.body) if row else {}
    failed = {step: SAID_FAILED[step] for step in body.get("failed", ())}
    return Canary(tuple(body.get("steps", ())), failed, row.at if row else None)


def _clear_away(site: Site) -> None:
    """Erase canaries whose flight was cut short."""
    with site.reading() as conn:
        bodies = conn.scalars(select(entry.c.body).where(entry.c.event == events.CANARY_PLANTED))
        planted = {str(json.loads(body).get("person")) for body in bodies}
        left = conn.scalars(select(person.c.id).where(person.c.id.in_(planted), person.c.state == "active")).all()
    for person_id in left:
        erase(site, person_id)


def erase(site: Site, person_id: str) -> None:
    """Erase a canary by the path of everybody else, without the wait."""
    with site.writing() as conn:
        made = ending.begin_ending(site, conn, person_id, "canary", deadline=site.now(), scope="person")
        ledger.append(conn, site.now(), events.CANARY_REMOVED, {"person": person_id})
    destroy(site, made)
    complete(site, made)


def _point(compiled: Compiled) -> str | None:
    """The form by which to come in: one that asks for something by which people are known, and that nothing archives."""
    open_to_all = {
        key: point
        for key, point in compiled.policy.collection.items()
        if point.kind in {"form", "account"} and not point.members_only and compiled.identifying & _asked(point)
    }
    return next((key for key, point in open_to_all.items() if not _archived(compiled, key) & set(point.required)), None)


def _asked(point: CollectionPoint) -> set[str]:
    return {*point.required, *point.optional}


def _archived(compiled: Compiled, key: str) -> set[str]:
    """Fields that the law makes the operator keep: a canary never hands them in, since they would outlive it."""
    return {name for clock in compiled.clocks if clock.archive for point, name in clock.covers if point == key}


@dataclass
class _Flight:
    site: Site
    compiled: Compiled
    key: str
    token: str = field(default_factory=lambda: f"canary{secrets.token_hex(12)}")
    steps: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    person_id: str = ""

    @property
    def point(self) -> CollectionPoint:
        return self.compiled.policy.collection[self.key]

    def made(self) -> Canary:
        """All steps, in order; without the first there is nothing to try the others on, and the last is never left out."""
        self._step("collect", self._collect)
        if not self.person_id:
            return Canary(tuple(self.steps), self.failed, self.site.now())
        try:
            for name, act in (
                ("purpose", self._purpose),
                ("access", self._access),
                ("withdrawal", self._withdraw),
                ("objection", self._object),
            ):
                self._step(name, act)
        finally:
            self._step("erasure", self._erase)
        self._enter()
        return Canary(tuple(self.steps), self.failed, self.site.now())

    def _step(self, name: str, act: Callable[[], bool | None]) -> None:
        """One step: it holds, it does not, or the policy has nothing of the kind."""
        try:
            holds = act()
        except TrothError:
            holds = False
        if holds is not None:
            self.steps.append(name)
        if holds is False:
            self.failed[name] = SAID_FAILED[name]

    def _enter(self) -> None:
        body = {"person": self.person_id, "steps": list(self.steps), "failed": list(self.failed)}
        with self.site.writing() as conn:
            ledger.append(conn, self.site.now(), events.CANARY_SEARCHED, body)

    def values(self) -> dict[str, str]:
        """What the canary hands in: each field that is asked for, with a value that nobody else has."""
        data, archived = self.compiled.policy.data, _archived(self.compiled, self.key)
        fields = [f for f in (*self.point.required, *self.point.optional) if f not in archived]
        stored = [f for f in fields if data[f].protect != "never stored"]
        return {f: _MADE_UP.get(data[f].category, _any_text)(self.token) for f in stored}

    def _collect(self) -> bool:
        receipt = collect(self.site, Submission(self.key, self.values(), self.token, acknowledged=True))
        self.person_id = receipt.person_id
        with self.site.writing() as conn:
            ledger.append(conn, self.site.now(), events.CANARY_PLANTED, {"person": self.person_id, "point": self.key})
        return True

    def _purpose(self) -> bool:
        try:
            vault.read(self.site, self.person_id, self.values(), "a_purpose_nobody_promised", By("system"))
        except Refused:
            return True
        return False

    def _access(self) -> bool:
        held = vault.everything(self.site, self.person_id, By("person", ref=self.person_id))
        seen = {pair for one in held for pair in one.fields.items()}
        return {f for f, v in self.values().items() if (f, v) not in seen} <= set(self.point.keeps_when_different)

    def _withdraw(self) -> bool | None:
        purposes = [key for key, purpose in self.compiled.policy.purposes.items() if purpose.basis == "consent"]
        if not purposes:
            return None
        fact = f"consent:{purposes[0]}"
        self._choose(purposes[0], "given")
        before = self._facts()
        self._choose(purposes[0], "withdrawn")
        return fact in before and fact not in self._facts()

    def _object(self) -> bool | None:
        purposes = self.compiled.policy.purposes.items()
        open_to = [key for key, one in purposes if one.opt_out or one.basis == "legitimate interest"]
        if not open_to:
            return None
        self._choose(open_to[0], "objected")
        return f"objection:{open_to[0]}" in self._facts()

    def _choose(self, scope: str, state: State) -> None:
        words = form(self.compiled, self.key, "en").told_words
        with self.site.writing() as conn:
            consent.record(self.site, conn, self.person_id, scope, state, words, "en", "canary", self.compiled)

    def _facts(self) -> frozenset[str]:
        with self.site.reading() as conn:
            return vault.facts(self.site, conn, [self.person_id], By("system"), self.site.now())[self.person_id]

    def _erase(self) -> bool:
        erase(self.site, self.person_id)
        unique = [value for value in self.values().values() if value != _MADE_UP["pd:BirthDate"](self.token)]
        known_by_id = {table.name for table in data_tables.sorted_tables if "outlives" in table.info} | {entry.name}
        return not search(self.site, [self.token, *unique]) + search(self.site, [self.person_id], skip=known_by_id)


def _any_text(token: str) -> str:
    return f"{token} made up"


def search(site: Site, values: Collection[str], skip: Collection[str] = ()) -> int:
    """How many rows of all tables of both stores, but for those in ``skip``, hold one of ``values`` in a text or in bytes."""
    return sum(_search_engine(engine, values, skip) for engine in (site.engine, site.keys))


def _search_engine(engine: Engine, values: Collection[str], skip: Collection[str]) -> int:
    found = 0
    with reading(engine) as conn:
        tables = MetaData()
        tables.reflect(conn, only=lambda name, _: name not in skip)
        for table in tables.sorted_tables:
            wanted = [
                look for column in table.c for value in values for look in _holds(engine.dialect.name, column, value)
            ]
            if wanted:
                found += conn.scalar(select(func.count()).select_from(table).where(or_(*wanted))) or 0
    return found


def _holds(dialect: str, column: Column[Any], value: str) -> Iterator[ColumnElement[bool]]:
    if isinstance(column.type, LargeBinary):
        if dialect == "sqlite":
            yield func.instr(column, literal(value.encode(), LargeBinary)) > 0
        else:
            yield func.strpos(func.encode(column, "hex"), value.encode().hex()) > 0
    elif isinstance(column.type, (String, JSON)):
        yield cast(column, String).contains(value, autoescape=True)
