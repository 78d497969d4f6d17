"""Several acts in one commit: each asked for its own purpose by its own asker, each decided and on the ledger by itself.

A commit that waits for the disk costs more than all the rest of an audited read. Whoever has several to do, such as a queue of
requests, asks for them in one transaction and opens what was allowed when that is committed: never before, so that what is
opened is on the ledger whatever happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from troth import ledger
from troth.consent.stops import actions as stops
from troth.consent.stops.rules import comes_from, left_out
from troth.decide import Ask, Decision
from troth.ledger import events
from troth.people.bodies import Sealed, holdings_by_id, holdings_of, holdings_with, latest_values
from troth.people.facts import By, Gathered, gather
from troth.people.keystore import open_keys
from troth.people.vault import Reading
from troth.policy.acts import CORRECTS
from troth.policy.compile import Compiled
from troth.policy.rules import OWN_ACCESS
from troth.store.site import Site


@dataclass(frozen=True, slots=True)
class Want:
    """What somebody asks to read of a person, for one purpose.

    Attributes:
        fields: none: only whether anything may be read; None: all that is held, for the person themselves.
        held: the id of the one holding to be opened; blank for whatever has the fields.
    """

    person_id: str
    fields: frozenset[str] | None
    purpose: str
    by: By
    held: str = ""

    def __post_init__(self) -> None:
        if self.fields is None and self.purpose != OWN_ACCESS:
            raise ValueError("only people themselves may ask for everything")

    @property
    def named(self) -> frozenset[str]:
        """The fields that the policy is asked about."""
        return self.fields or frozenset()


@dataclass(frozen=True, slots=True)
class Asked:
    """A want with its question and answer; ``sealed`` is what may be opened once ``conn`` has committed."""

    want: Want
    ask: Ask
    decision: Decision
    sealed: tuple[Sealed, ...]
    conn: Connection


def ask_each(
    site: Site,
    conn: Connection,
    wants: Sequence[Want],
    event: str = events.PERSON_READ,
    policy: Compiled | None = None,
    gathered: Gathered | None = None,
    to_open: bool = True,
    corrects: bool = False,
) -> list[Asked]:
    """Decide each of ``wants`` in the caller's transaction, in their order; every answer is on the ledger with it.

    A few statements for all of them; fewer when ``policy`` and what is known of these people were read in it already.
    ``event`` is what is entered for those that are allowed; what is not ``to_open`` is not fetched. With ``corrects`` others
    may ask on behalf of the person: what is held is put right, and nobody sees what was there.

    Raises:
        ValueError: for what is put right and opened as well.
    """
    if corrects and to_open:
        raise ValueError("what is corrected for somebody is not opened for whoever asks")
    policy = policy or site.policy(conn)
    gathered = gathered or gather(site, conn, {want.person_id for want in wants}, site.now(), policy=policy)
    stopped = stops.facts_by_scope(conn, {want.purpose for want in wants})
    asks = []
    for want in wants:
        facts = gathered.facts(want.person_id, want.by, want.purpose) | stopped.get(want.purpose, frozenset())
        facts |= {CORRECTS} if corrects and want.by.who != "person" else frozenset()
        known = gathered.people.get(want.person_id)
        asks.append(Ask("read", want.purpose, want.named, known.kind if known else "", facts=facts))
    answers = [(want, ask, policy.decide(ask)) for want, ask in zip(wants, asks, strict=True)]
    _enter(site, conn, policy.version, answers, event)
    sealed = _sealed(conn, [want for want, _, decision in answers if decision.allowed]) if to_open else {}
    return [
        Asked(want, ask, decision, _to_open(want, ask, sealed) if decision.allowed else (), conn)
        for want, ask, decision in answers
    ]


def _enter(
    site: Site, conn: Connection, version: int, answers: Iterable[tuple[Want, Ask, Decision]], event: str
) -> None:
    bodies: dict[str, list[dict[str, object]]] = {}
    for want, ask, decision in answers:
        told = {**ledger.decision_body(ask, decision, version), "person": want.person_id, "by": want.by.who}
        bodies.setdefault(event if decision.allowed else events.READ_REFUSED, []).append(told)
    for name, rows in bodies.items():
        ledger.append_many(conn, site.now(), name, rows)


def _sealed(conn: Connection, wants: Sequence[Want]) -> Mapping[str, list[Sealed]]:
    """The holdings in question by their person's id; which of them each want may open is another question."""
    whole = {want.person_id for want in wants if want.fields is None}
    rest = [want for want in wants if want.named and want.person_id not in whole]
    fields = frozenset[str]().union(*(want.named for want in rest if not want.held))
    found = holdings_of(conn, whole) if whole else {}
    named = holdings_by_id(conn, [want.held for want in rest if want.held])
    others = holdings_with(conn, {want.person_id for want in rest if not want.held}, fields, OWN_ACCESS)
    for person_id in named.keys() | others.keys():
        both = {one.id: one for one in (*named.get(person_id, ()), *others.get(person_id, ()))}
        found[person_id] = sorted(both.values(), key=lambda one: (one.at, one.id))
    return found


def _to_open(want: Want, ask: Ask, sealed: Mapping[str, list[Sealed]]) -> tuple[Sealed, ...]:
    origins = left_out(ask.facts)
    return tuple(
        one
        for one in sealed.get(want.person_id, ())
        if (want.fields is None or not one.fields.isdisjoint(want.fields))
        and want.held in ("", one.id)
        and one.open_to(want.purpose)
        and not comes_from(origins, one.source, one.partner)
    )


def open_each(site: Site, asked: Sequence[Asked]) -> list[Reading | None]:
    """Open what each may; None for what was refused, or belongs to somebody who was erased meanwhile.

    Raises:
        ValueError: when the transaction that decided is not over: nothing is opened before its entry is safe.
        StoreError: when the key store is missing.
    """
    if any(one.conn.in_transaction() for one in asked):
        raise ValueError("nothing is opened before the decision is committed")
    people = {one.want.person_id for one in asked if one.sealed}
    keys = open_keys(site, people) if people else {}
    return [_opened(one, keys) for one in asked]


def _opened(one: Asked, keys: Mapping[str, bytes]) -> Reading | None:
    if not one.decision.allowed:
        return None
    if not one.sealed:
        return Reading({}, one.decision, ())
    key = keys.get(one.want.person_id)
    if key is None:
        return None
    there = frozenset[str]().union(*(each.fields for each in one.sealed))
    values = latest_values(one.sealed, key, there if one.want.fields is None else one.want.fields)
    return Reading(values, one.decision, tuple(each.id for each in one.sealed))


def read_each(site: Site, wants: Sequence[Want]) -> list[Reading | None]:
    """Read each of ``wants`` under one commit, as ``vault.read`` would read it; None where that would refuse."""
    with site.writing() as conn:
        asked = ask_each(site, conn, wants)
    return open_each(site, asked)
