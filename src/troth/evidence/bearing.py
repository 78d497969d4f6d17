"""Which promises a finding turns: those whose binding says that they rest on the table, and no other.

A row that names an entry of the policy speaks of that entry: what it says there is false, so the entry's promise is broken. A
promise that only rests on the row may still be kept, and nothing shows it any more: it is not proven.

What a promise rests on is said once, by the room that proves it (``bindings.Binding.rests_on``). Where a row names the entry
of the policy that it is about, only that entry's promise of a kind turns, if the policy has one. Two things are said here,
since no binding can: for which kinds a job of some kind is done (``OF_JOBS``), and to which facts of decisions the rows of a
table give rise (``FACTS``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import partial

from pydantic import BaseModel

from troth.bindings import Rests
from troth.evidence.catalogue import CATALOGUE
from troth.policy.compile import Compiled
from troth.policy.notice.compose import entry_at
from troth.policy.promises import Promise
from troth.policy.rules import one_word
from troth.reconcile.findings import OF_FILES, Borne, Finding

_PLAIN = OF_FILES | {"value", "undeclared", "column"}
"""what shows that data may lie where nothing seals it and nothing ends it"""
OF_JOBS: Mapping[str, Sequence[str]] = {
    "account:tell": ("right.offered", "recipient.share"),
    "acts:renew": ("right.offered", "recipient.share"),
    "acts:send": ("message.class",),
    "deliver": ("recipient.share",),
    "instruct": ("erasure.path", "recipient.share"),
    "message:changed": ("change.notice",),
    "message:deliver": ("message.class", "change.notice", "collection.import"),
    "protocol:callback": ("right.offered",),
    "request:carry": ("right.offered", "erasure.path"),
    "request:remind": ("right.offered",),
    "request:reply": ("right.offered",),
    "request:tell": ("right.offered", "recipient.share"),
    "tell:second-hand": ("collection.import",),
}
"""by the kind of a job, the kinds of promise that are kept by its being done"""
ALL_JOBS = frozenset(kind for kinds in OF_JOBS.values() for kind in kinds)
_REGISTERED = ("case:registration", "registered")
FACTS: Mapping[str, tuple[str, ...]] = {
    "account": ("consent:", "objection:"),  # a yes at an address that nobody confirmed counts for nothing
    "dealing": ("case:", "registered"),
    "person": ("before:",),
    "staff": ("role:",),
    "staff_session": ("role:",),
}
"""the facts that a table gives to decisions, or how they begin: what may be done on such a fact rests on the table too"""


def borne(compiled: Compiled, findings: Sequence[Finding]) -> dict[str, list[Borne]]:
    """The findings by the promises that they turn, numbered from 1 in the order given. What fits no promise, and what is
    wrong with the sums themselves, breaks how data is secured, if that is promised."""
    turned: dict[str, list[Borne]] = {}
    rest, tables = _security(compiled), {one.id: rests(compiled, one) for one in compiled.promises}
    named: Counter[str] = Counter()
    for finding in findings:
        named[finding.table] += finding.cases if finding.what in {"gone", "more gone"} else 0
    for number, finding in enumerate(findings, start=1):
        if finding.what == "fewer" and named[finding.table] == finding.number:
            continue  # each that is gone says for itself what it turns
        mine = [promise for promise in compiled.promises if _bears(compiled, promise, tables[promise.id], finding)]
        mine = _narrowed(compiled, mine, tables, finding)
        also = rest if finding.what in {"sum", "older"} or not mine else ()
        for promise in dict.fromkeys((*mine, *also)):
            breaks = promise in also or _speaks_of(compiled, promise, tables[promise.id], finding)
            turned.setdefault(promise.id, []).append(Borne(number, finding, breaks))
    return turned


def _speaks_of(compiled: Compiled, promise: Promise, tables: Rests, finding: Finding) -> bool:
    """Whether the finding shows the promise itself to be false: it is what the promise rules out, or its row names the entry
    that the promise is made from. A row that was written for another entry shows nothing about the one that it names now."""
    if finding.what in _PLAIN:
        return finding.what != "unsearched"
    column, entry = tables.get(_table(finding), ""), (finding.was or finding.entry).removeprefix("@")
    if not column or not entry:
        return False
    said = getattr(entry_at(compiled.policy, promise.path), column, None)
    return entry == said if isinstance(said, str) else entry in promise.path


def rests(compiled: Compiled, promise: Promise) -> Rests:
    """The tables that ``promise`` rests on, each with the column that names its entry, or blank."""
    return CATALOGUE[promise.kind].rests(entry_at(compiled.policy, promise.path))


def _bears(compiled: Compiled, promise: Promise, tables: Rests, finding: Finding) -> bool:
    if finding.what in _PLAIN:
        return promise.kind == "data.sealed"
    table = _table(finding)
    resting = table in tables and not (table == "job" and promise.kind not in OF_JOBS.get(finding.entry, ALL_JOBS))
    return resting or promise.id in _decided_on(compiled, finding)


def _decided_on(compiled: Compiled, finding: Finding) -> frozenset[str]:
    """The promises by which something is allowed on a fact that the row gives, or any row of the table where none is named."""
    given = FACTS.get(finding.table, ())
    if finding.table == "dealing" and finding.entries:
        kinds = sorted(finding.entries - {"registration"})
        given = (
            *(f"case:{one_word(one)}" for one in kinds),
            *(_REGISTERED if len(kinds) < len(finding.entries) else ()),
        )
    return compiled.once(("decided on", given), lambda: _asking(compiled, given))


def _asking(compiled: Compiled, given: tuple[str, ...]) -> frozenset[str]:
    """The ids of the rules that ask for a fact of ``given``, where ``case:`` stands for any that begins so."""
    starts = tuple(one for one in given if one.endswith(":"))
    asked = ((rule.id, fact) for rule in compiled.rules.rules for fact in rule.requires | rule.unless)
    return frozenset(id_ for id_, fact in asked if fact in given or fact.startswith(starts))


def _narrowed(
    compiled: Compiled, promises: Sequence[Promise], tables: dict[str, Rests], finding: Finding
) -> list[Promise]:
    """Without the promises of other entries, where the policy has a promise of the row's own."""
    table, names = _table(finding), partial(_names, compiled)
    columns = {one.id: tables[one.id].get(table, "") for one in promises}
    own = [one for one in promises if columns[one.id] and not finding.entries.isdisjoint(names(one, columns[one.id]))]
    kinds = {one.kind for one in own}
    return [one for one in promises if one in own or one.kind not in kinds or not columns[one.id]]


def _names(compiled: Compiled, promise: Promise, column: str) -> Collection[str]:
    """What a row may have in ``column`` to be about ``promise``: what its entry says under that name, or else its key and
    the other entries that it names."""
    entry = entry_at(compiled.policy, promise.path)
    said = dict(entry) if isinstance(entry, BaseModel) else {}
    if isinstance(said.get(column), str):
        return {said[column]}
    several = (value if isinstance(value, tuple) else (value,) for value in said.values())
    return {*promise.path, *(name for values in several for name in values if isinstance(name, str))}


def _table(finding: Finding) -> str:
    return "visit" if finding.table.startswith("visit_") else finding.table


def _security(compiled: Compiled) -> Collection[Promise]:
    security = compiled.policy.security
    measures = {key for key, entry in security.items() if entry.check in {"audit", "sealed"}}
    kept = [p for p in compiled.promises if p.kind == "security.measure" and p.path[1] in measures]
    return kept or [p for p in compiled.promises if p.kind == "data.sealed"]
