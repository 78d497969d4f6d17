"""The vault: the only door to personal data.

What could go wrong: a field opened for a purpose nobody promised; a read that leaves no trace; a value that lands where no key
guards it; half a submission; a person who comes back from a backup. The invariant: personal values exist outside this door only
in the hands of whoever was just allowed to see them. So

* whatever is held is sealed under its person's own key before it meets the database, and bound to its place there;
* every read names a purpose and who asks; the policy in force decides over facts that the vault gathers itself, never over
  facts that somebody hands in; and the decision, allowed or refused, is committed to the ledger *before* anything is opened;
* a person who is unknown, quarantined or restricted is refused like one whose data the policy does not open, so that
  asking tells nobody who is held;
* a person's key is committed in the key store first and destroyed for ever: a copy of the database alone opens nothing.

Nothing is opened here before a decision, and nothing else in Troth opens anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select

from troth import ledger
from troth.batches import batches
from troth.consent.stops import actions as stops
from troth.consent.stops.rules import comes_from, left_out
from troth.decide import Ask, Decision
from troth.errors import Refused, StoreError
from troth.ids import new_id
from troth.ledger import events
from troth.people.blind import blind, normalised
from troth.people.bodies import ID, Sealed, holding_ids, holdings_with, latest_values, opened_by_id
from troth.people.facts import BATCH, By, Known, facts, gather, known
from troth.people.keystore import make_keys, open_keys
from troth.people.sealing import Opener
from troth.people.storing import hold
from troth.people.tables import identifier, person
from troth.policy.compile import Compiled
from troth.policy.rules import OWN_ACCESS
from troth.store.prepared import Prepared
from troth.store.secret import read_ring
from troth.store.site import Site
from troth.store.together import Together

__all__ = [
    "By",
    "Held",
    "Reading",
    "admit",
    "admit_many",
    "everything",
    "facts",
    "find",
    "hold",
    "kind_of",
    "open_for",
    "read",
    "read_many",
]

ERASED = "What was held was erased: its key is destroyed."
PAGE = 500


@dataclass(frozen=True)
class Reading:
    """What was opened: the youngest value of each field there is, the decision, and the holdings it came from."""

    values: Mapping[str, str] = field(repr=False)
    decision: Decision
    holdings: tuple[str, ...]


@dataclass(frozen=True)
class Held:
    """One holding, opened for the person it is about."""

    id: str
    point: str
    source: str
    at: datetime
    policy_version: int
    told: str
    partner: str | None
    fields: Mapping[str, str] = field(repr=False)
    only_for: str | None = None
    """the purposes it is kept for alone, when holds are all that keeps it"""


def admit(site: Site, conn: Connection, kind: str) -> str:
    """Admit a new person of ``kind`` in the caller's transaction, key first, and return their id.

    Raises:
        StoreError: when the key store or its secret is missing; nothing was stored.
    """
    return admit_many(site, conn, kind, 1)[0]


def admit_many(site: Site, conn: Connection, kind: str, count: int, since: datetime | None = None) -> list[str]:
    """Admit ``count`` new people at once; ``since`` is when business with them began, if before now."""
    ids, told = admitted(site, conn, kind, count, since)
    ledger.append_all(conn, site.now(), told)
    return ids


def admitted(
    site: Site, conn: Connection, kind: str, count: int = 1, since: datetime | None = None
) -> tuple[list[str], list[ledger.Told]]:
    """As ``admit_many``; also returns what the caller must tell the ledger of it, in the same transaction."""
    now = site.now()
    ids = [new_id(now) for _ in range(count)]
    make_keys(site, ids)
    _ADMITTING.send(conn, *[{"id": one, "kind": kind, "state": "active", "since": since or now} for one in ids])
    return ids, [(events.PERSON_ADMITTED, {"person": one, "kind": kind}) for one in ids]


_ADMITTING = Prepared(insert(person), ("id", "kind", "state", "since"), together=True)


def kind_of(conn: Connection, person_id: str) -> str | None:
    """The kind of a person; None when there is no such person, or nobody may see them."""
    there = _KIND.rows(conn, {"id": person_id})
    return str(there[0][0]) if there else None


_KIND = Prepared(select(person.c.kind).where(person.c.id == bindparam("id"), person.c.state == "active"))


def find(site: Site, conn: Connection, field: str, value: str) -> str | None:
    """The person whose identifying ``field`` has this ``value``, in whatever spelling; None when there is nobody to be seen."""
    return found(conn, field, blind(read_ring(site).index, field, normalised(site.policy(conn), field, value)))


def found(conn: Connection, field: str, mark: bytes) -> str | None:
    """As ``find``, by the mark that ``blind`` makes of the value."""
    there = _FOUND.rows(conn, {"field": field, "mark": mark})
    return str(there[0][0]) if there else None


_FOUND = Prepared(
    select(person.c.id)
    .join(identifier, identifier.c.person_id == person.c.id)
    .where(
        identifier.c.field == bindparam("field"), identifier.c.blind == bindparam("mark"), person.c.state == "active"
    )
)


def read(site: Site, person_id: str, fields: Collection[str], purpose: str, by: By, case: str | None = None) -> Reading:
    """Open ``fields`` of a person for ``purpose``; the decision is on the ledger before anything is opened.

    A ``case`` is the reference of an order, a request or a ticket: it must be an open one of theirs, and what was given for
    it counts before what they gave since.

    Raises:
        Refused: when the policy does not allow it, and just so when there is no such person.
        StoreError: when the key store is missing, or the person was erased and this database is an older copy.
    """
    together: Together[_Want, _Answer] = site.shared.setdefault("reads", Together(partial(_answers, site)))
    ask, decision, sealed = together.join(_Want(person_id, frozenset(fields), purpose, by, case))
    if not decision.allowed:
        raise Refused(_refusal(purpose), because=decision.because)
    return _opened(site, _not_stopped(sealed, left_out(ask.facts)), fields, decision, case)


class _Want(NamedTuple):
    """What somebody asks to read."""

    person_id: str
    fields: frozenset[str]
    purpose: str
    by: By
    case: str | None


_Answer = tuple[Ask, Decision, list[Sealed]]


def _answers(site: Site, wants: Sequence[_Want]) -> list[_Answer]:
    """The policy's answer to each, and what it allows to open; all of it is committed to the ledger when this returns."""
    with site.writing(in_pipeline=True) as conn:
        policy, now = site.policy(conn), site.now()
        gathered = gather(site, conn, {want.person_id for want in wants}, now, policy=policy)
        stopped = stops.facts_by_scope(conn, {want.purpose for want in wants})
        answered = []
        for want in wants:
            facts = gathered.facts(want.person_id, want.by, want.purpose, want.case)
            kind = _kind(gathered.people, want.person_id)
            ask = Ask("read", want.purpose, want.fields, kind, facts=facts | stopped.get(want.purpose, frozenset()))
            answered.append((want, ask, policy.decide(ask)))
        told = [_told(policy, want.person_id, want.by, ask, decision) for want, ask, decision in answered]
        ledger.append_all(conn, now, told)
        sealed = _sealed(conn, [want for want, _, decision in answered if decision.allowed])
    return [
        (ask, decision, sealed[want.fields, want.purpose].get(want.person_id, []) if decision.allowed else [])
        for want, ask, decision in answered
    ]


def _sealed(
    conn: Connection, wants: Sequence[_Want]
) -> Mapping[tuple[frozenset[str], str], Mapping[str, list[Sealed]]]:
    """The holdings in question by person, for the fields and the purpose they are wanted for."""
    people: dict[tuple[frozenset[str], str], set[str]] = defaultdict(set)
    for want in wants:
        people[want.fields, want.purpose].add(want.person_id)
    return {wanted: holdings_with(conn, ids, *wanted) for wanted, ids in people.items()}


def _not_stopped(sealed: list[Sealed], origins: Collection[str]) -> list[Sealed]:
    """What may be opened: nothing that comes from where the use is stopped for."""
    return [one for one in sealed if not comes_from(origins, one.source, one.partner)] if origins else sealed


def _refusal(purpose: str) -> str:
    return f"The policy does not allow to read this for `{purpose}`."


def _opened(site: Site, sealed: list[Sealed], fields: Collection[str], decision: Decision, case: str | None) -> Reading:
    if not sealed:
        return Reading({}, decision, ())
    key = open_keys(site, {sealed[0].person_id}).get(sealed[0].person_id)
    if key is None:
        raise StoreError(ERASED, "This database is an older copy; run the erasures that came after it again.")
    return Reading(latest_values(sealed, key, fields, case), decision, tuple(one.id for one in sealed))


def _asked(
    site: Site,
    conn: Connection,
    person_ids: Collection[str],
    fields: frozenset[str],
    purpose: str,
    by: By,
    case: str | None = None,
) -> dict[str, tuple[Ask, Decision]]:
    """What the policy answers about each of these people; every answer is written to the ledger through ``conn``."""
    policy = site.policy(conn)
    people = known(conn, person_ids)
    gathered = facts(site, conn, person_ids, by, site.now(), purpose=purpose, case=case, policy=policy, people=people)
    asks = {one: Ask("read", purpose, fields, _kind(people, one), facts=gathered[one]) for one in person_ids}
    answers = {ask: policy.decide(ask) for ask in set(asks.values())}
    asked = {one: (ask, answers[ask]) for one, ask in asks.items()}
    _ledgered(site, conn, policy, asked, by)
    return asked


def _kind(people: Mapping[str, Known], person_id: str) -> str:
    return people[person_id].kind if person_id in people else ""


def _ledgered(
    site: Site, conn: Connection, policy: Compiled, asked: Mapping[str, tuple[Ask, Decision]], by: By
) -> None:
    told = [_told(policy, one, by, ask, decision) for one, (ask, decision) in asked.items()]
    ledger.append_all(conn, site.now(), told)


def _told(policy: Compiled, person_id: str, by: By, ask: Ask, decision: Decision) -> ledger.Told:
    body = {**ledger.decision_body(ask, decision, policy.version), "person": person_id, "by": by.who}
    return events.PERSON_READ if decision.allowed else events.READ_REFUSED, body


def read_many(
    site: Site, person_ids: Collection[str], fields: Collection[str], purpose: str, by: By
) -> Iterator[tuple[str, Reading]]:
    """Open ``fields`` of many people for ``purpose``, a few statements for every thousand of them.

    Yields each person with what was opened. Whoever the policy does not open is left out (and on the ledger), and so is
    whoever was erased meanwhile.
    """
    for ids in batches(dict.fromkeys(person_ids), BATCH):
        yield from _read_batch(site, ids, fields, purpose, by)


def _read_batch(
    site: Site, ids: list[str], fields: Collection[str], purpose: str, by: By
) -> Iterator[tuple[str, Reading]]:
    with site.writing(in_pipeline=True) as conn:
        asked = _asked(site, conn, ids, frozenset(fields), purpose, by)
        allowed = [one for one, (_, decision) in asked.items() if decision.allowed]
        sealed = holdings_with(conn, allowed, fields, purpose)
    keys = open_keys(site, list(sealed)) if sealed else {}
    for one in allowed:
        mine = _not_stopped(sealed.get(one, []), left_out(asked[one][0].facts))
        if not mine:
            yield one, Reading({}, asked[one][1], ())
        elif one in keys:
            values = latest_values(mine, keys[one], fields)
            yield one, Reading(values, asked[one][1], tuple(each.id for each in mine))


def everything(site: Site, person_id: str, by: By) -> Iterator[Held]:
    """All that is held about a person, for themselves: every holding with its origin, oldest first, a page at a time.

    Raises:
        Refused: when anybody but the person asks, before anything is opened.
        StoreError: when the key store is missing, or the person was erased.
    """
    with site.writing() as conn:
        decision = _asked(site, conn, [person_id], frozenset(), OWN_ACCESS, by)[person_id][1]
    if not decision.allowed:
        raise Refused(_refusal(OWN_ACCESS), because=decision.because)
    return _pages(site, person_id)


def _pages(site: Site, person_id: str) -> Iterator[Held]:
    with site.reading() as conn:
        ids = holding_ids(conn, person_id)
    for start in range(0, len(ids), PAGE * ID):
        yield from _page(site, person_id, ids[start : start + PAGE * ID])


def _page(site: Site, person_id: str, ids: str) -> list[Held]:
    """The holdings with these ids, opened; the key is gone from memory when this returns."""
    with site.reading() as conn:
        key = open_keys(site, [person_id]).get(person_id)
        if key is None:
            raise StoreError(ERASED, "This database is an older copy; run the erasures that came after it again.")
        wanted = [ids[at : at + ID] for at in range(0, len(ids), ID)]
        return [Held(*one) for one in opened_by_id(conn, Opener(key, person_id), wanted)]


def open_for(
    site: Site,
    conn: Connection,
    person_id: str,
    fields: Collection[str],
    decision: Decision,
    purpose: str = "",
    case: str | None = None,
    without: Collection[str] = (),
) -> Mapping[str, str]:
    """Open exactly ``fields`` of a person for the gate, which has decided and written its decision to the ledger.

    What is kept for certain purposes only is opened when ``purpose`` is one of them; with a ``case``, what was given for it
    counts first. What comes from an origin in ``without`` is not opened.

    Raises:
        ValueError: for a decision that refused.
        StoreError: as ``read`` does.
    """
    if not decision.allowed:
        raise ValueError("nothing is opened under a refusal")
    sealed = _not_stopped(holdings_with(conn, [person_id], fields, purpose).get(person_id, []), without)
    return _opened(site, sealed, fields, decision, case).values
