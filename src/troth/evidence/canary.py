"""The canary: a made-up person with unique values goes through the real paths, is erased, and is looked for everywhere.

It uses the doors that people's data takes, none of its own: a collection point, the vault, consent, the one path of erasure.
What a step promises and did not do is kept as a sentence; the search afterwards reads every table there is, declared or not.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
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
from troth.errors import Refused, TrothError
from troth.ledger import events
from troth.people import vault
from troth.people.vault import By
from troth.policy.compile import Compiled
from troth.policy.model import CollectionPoint
from troth.proof import Canary
from troth.retention import ending
from troth.store.engines import reading
from troth.store.site import Site

_MADE_UP: Mapping[str, Callable[[str], str]] = {
    "pd:EmailAddress": lambda token: f"{token}@canary.test",
    "pd:TelephoneNumber": lambda token: f"+44 20 7946 {int(token[:4], 16) % 10_000:04d}",
    "pd:FaxNumber": lambda token: f"+44 20 7947 {int(token[:4], 16) % 10_000:04d}",
    "pd:BirthDate": lambda token: "1980-01-01",
    "pd:Website": lambda token: f"https://{token}.canary.test/",
}


def fly(site: Site) -> Canary:
    """Send a canary through the site and say what became of it.

    Sites without a form that a person could fill in have no path to try; the canary then has no steps.
    """
    compiled = site.policy()
    key = _point(compiled)
    return _Flight(site, compiled, key).made() if key else Canary()


def _point(compiled: Compiled) -> str | None:
    """The first form that asks for something by which a person is known, so that the search has something to find."""
    for key, point in compiled.policy.collection.items():
        asked = {*point.required, *point.optional}
        if point.kind in {"form", "account"} and not point.members_only and compiled.identifying & asked:
            return key
    return None


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
        """All steps, in order; without the first there is nothing to try the others on."""
        self._step("collect", self._collect)
        if self.person_id:
            for name, act in (
                ("purpose", self._purpose),
                ("access", self._access),
                ("withdrawal", self._withdraw),
                ("objection", self._object),
                ("erasure", self._erase),
            ):
                self._step(name, act)
        return Canary(tuple(self.steps), self.failed)

    def _step(self, name: str, act: Callable[[], str | None]) -> None:
        try:
            problem = act()
        except TrothError as error:
            problem = error.message
        if problem != _NOT_HERE:
            self.steps.append(name)
        if problem:
            self.failed[name] = problem

    def _values(self) -> dict[str, str]:
        data = self.compiled.policy.data
        fields = [f for f in (*self.point.required, *self.point.optional) if data[f].protect != "never stored"]
        plain = lambda token: f"{token} made up"  # noqa: E731
        return {f: _MADE_UP.get(data[f].category, plain)(self.token.removeprefix("canary")) for f in fields}

    def _collect(self) -> str | None:
        values = self._values()
        receipt = collect(self.site, Submission(self.key, values, self.token, acknowledged=True))
        self.person_id = receipt.person_id
        with self.site.writing() as conn:
            ledger.append(conn, self.site.now(), events.CANARY_PLANTED, {"person": self.person_id, "point": self.key})
        return None

    def _purpose(self) -> str | None:
        try:
            vault.read(self.site, self.person_id, self._values(), "a_purpose_nobody_promised", By("system"))
        except Refused:
            return None
        return "a read without a promised purpose was let through"

    def _access(self) -> str | None:
        held = vault.everything(self.site, self.person_id, By("person", ref=self.person_id))
        seen = {(field, value) for one in held for field, value in one.fields.items()}
        missing = {f for f, v in self._values().items() if (f, v) not in seen} - set(self.point.keeps_when_different)
        return f"{len(missing)} fields were missing from the answer" if missing else None

    def _withdraw(self) -> str | None:
        purposes = [key for key, purpose in self.compiled.policy.purposes.items() if purpose.basis == "consent"]
        if not purposes:
            return _NOT_HERE
        self._choose(purposes[0], "given")
        before = self._facts()
        self._choose(purposes[0], "withdrawn")
        fact = f"consent:{purposes[0]}"
        return None if fact in before and fact not in self._facts() else "a withdrawal did not take effect at once"

    def _object(self) -> str | None:
        purposes = self.compiled.policy.purposes
        open_to = [
            key for key, purpose in purposes.items() if purpose.opt_out or purpose.basis == "legitimate interest"
        ]
        if not open_to:
            return _NOT_HERE
        self._choose(open_to[0], "objected")
        return None if f"objection:{open_to[0]}" in self._facts() else "an objection did not take effect at once"

    def _choose(self, scope: str, state: consent.State) -> None:
        words = form(self.compiled, self.key, "en").told_words
        with self.site.writing() as conn:
            consent.record(self.site, conn, self.person_id, scope, state, words, "en", "canary", self.compiled)

    def _facts(self) -> frozenset[str]:
        with self.site.reading() as conn:
            return vault.facts(self.site, conn, [self.person_id], By("system"), self.site.now())[self.person_id]

    def _erase(self) -> str | None:
        with self.site.writing() as conn:
            now = self.site.now()
            made = ending.begin_ending(self.site, conn, self.person_id, "canary", deadline=now, scope="person")
        ending.destroy(self.site, made)
        found = search(self.site, self.token.removeprefix("canary")) + search(
            self.site, self.person_id, skip=_KNOWN_BY_ID
        )
        with self.site.writing() as conn:
            ledger.append(conn, self.site.now(), events.CANARY_SEARCHED, {"found": found, "person": self.person_id})
        return f"{found} places still hold the erased person's values" if found else None


_NOT_HERE = "not here"
_KNOWN_BY_ID = frozenset({"ledger_entry", "ending", "instruction"})
"""Tables that go on naming an erased person by the opaque id alone: what happened stays on record."""


def search(site: Site, value: str, skip: frozenset[str] = frozenset()) -> int:
    """How many rows of all tables of both stores hold ``value`` in a text or in bytes; tables in ``skip`` are left out."""
    return sum(_search_engine(engine, value, skip) for engine in (site.engine, site.keys))


def _search_engine(engine: Engine, value: str, skip: frozenset[str]) -> int:
    found = 0
    with reading(engine) as conn:
        tables = MetaData()
        tables.reflect(conn, only=lambda name, _: name not in skip)
        for table in tables.sorted_tables:
            looks = [_holds(engine.dialect.name, column, value) for column in table.c]
            wanted = [look for look in looks if look is not None]
            if wanted:
                found += conn.scalar(select(func.count()).select_from(table).where(or_(*wanted))) or 0
    return found


def _holds(dialect: str, column: Column[Any], value: str) -> ColumnElement[bool] | None:
    if isinstance(column.type, LargeBinary):
        raw = literal(value.encode(), LargeBinary)
        return func.instr(column, raw) > 0 if dialect == "sqlite" else func.position(raw.op("IN")(column)) > 0
    if isinstance(column.type, (String, JSON)):
        return cast(column, String).contains(value, autoescape=True)
    return None
