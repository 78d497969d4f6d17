"""Counting a statistic: decided and on the ledger before anything is opened, and nothing but figures comes out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from sqlalchemy import Connection

from troth import ledger
from troth.decide import Ask, Decision
from troth.errors import InvalidInput, Refused
from troth.figures.rules import Behind, Figures, Group, figures_of
from troth.ledger import events
from troth.people.counting import held_by_each
from troth.people.facts import By
from troth.policy.compile import Compiled
from troth.policy.model import Statistic
from troth.store.site import Site
from troth.visits.counting import ask_of_visits, recorded_by_each

STATISTICS = "statistics:"
"""before the name of a statistic: the purpose that the policy is asked about"""


def figures(site: Site, name: str, purpose: str, by: By) -> Figures:
    """Count the statistic ``name`` for ``purpose``; that it was asked for, and the answer, is on the ledger first.

    Raises:
        InvalidInput: when the policy declares no such statistic, or not for this purpose.
        Refused: when it names no smallest group, or visits may not be counted for this purpose.
        StoreError: when a store is locked or gone.
    """
    with site.writing() as conn:
        compiled = site.policy(conn)
        entry = declared(compiled, name, purpose)
        decided = [(ask, compiled.decide(ask)) for ask in _asks(conn, compiled, name, purpose, by)]
        refused = [(ask, decision) for ask, decision in decided if not decision.allowed]
        told = [_told(ask, decision, compiled.version) for ask, decision in refused or decided]
        ledger.append_all(conn, site.now(), told)
    if refused:
        _, decision = refused[0]
        raise Refused(f"The policy does not let `{name}` be counted.", decision.reason, decision.because)
    smallest = entry.minimum_cell or 1
    named, others = figures_of(_behind(site, entry, purpose, by), smallest)
    return Figures(name, purpose, compiled.version, tuple(entry.by), smallest, named, others)


def _asks(conn: Connection, compiled: Compiled, name: str, purpose: str, by: By) -> Iterator[Ask]:
    """What the policy is asked once for the whole count; of people it is asked one by one besides."""
    entry = compiled.policy.statistics[name]
    yield Ask("count", f"{STATISTICS}{name}", frozenset(entry.by), facts=by.facts(""))
    if entry.from_ == "visits":
        yield ask_of_visits(conn, entry.by, purpose, by)


def _told(ask: Ask, decision: Decision, version: int) -> ledger.Told:
    event = events.COUNT_MADE if decision.allowed else events.COUNT_REFUSED
    return event, ledger.decision_body(ask, decision, version)


def declared(compiled: Compiled, name: str, purpose: str) -> Statistic:
    """The statistic ``name``, which is counted for ``purpose``. Raises ``InvalidInput`` when the policy has none."""
    there = compiled.policy.statistics
    if name not in there:
        hint = f"It declares {_listed(there)}." if there else "It declares none."
        raise InvalidInput(f"The policy declares no statistic `{name}`.", hint=hint)
    if purpose not in there[name].for_:
        hint = f"It is counted for {_listed(there[name].for_) or 'nothing'}."
        raise InvalidInput(f"`{name}` is not counted for `{purpose}`.", hint=hint)
    return there[name]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{one}`" for one in names)


def _behind(site: Site, entry: Statistic, purpose: str, by: By) -> Behind:
    found: defaultdict[Group, Counter[str]] = defaultdict(Counter)
    for who, group in _counted(site, entry, purpose, by):
        found[group][who] += 1
    return found


def _counted(site: Site, entry: Statistic, purpose: str, by: By) -> Iterator[tuple[str, Group]]:
    """Each person or visit that counts: who it is or where it came from, and its group."""
    found = recorded_by_each(site) if entry.from_ == "visits" else held_by_each(site, entry.by, purpose, by)
    for who, values in found:
        yield who, tuple(" ".join(values.get(field, "").split()) for field in entry.by)
