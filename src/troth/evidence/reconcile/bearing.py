"""Which promises rest on which tables: the row that is wrong turns the promises that it bears, and no other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from troth.evidence.reconcile.findings import Finding
from troth.policy.compile import Compiled
from troth.policy.promises import Promise

_ENDS = ("erasure.path", "retention.clock")
_HELD = ("data.sealed", "collection.form", "collection.import", "people.age", "data.never_stored", *_ENDS)
_ASKED = ("right.offered", "request.log")
RESTS: Mapping[str, Sequence[str]] = {
    "policy_version": ("policy.version", "change.notice"),
    "person": ("relationship.end", *_ENDS),
    "person_key": ("data.sealed", "erasure.path"),
    "site_key": ("data.sealed",),
    "identifier": ("right.offered", "erasure.path"),
    "shape": _HELD,
    "holding": _HELD,
    "quarantined": _HELD,
    "dealing": ("relationship.end", "retention.clock"),
    "moving": ("right.offered",),
    "choice": ("consent.choice", "consent.not_implied", "right.offered"),
    "shown": ("consent.choice", "consent.not_implied"),
    "stop": ("purpose.use", "recipient.share"),
    "disclosure": ("recipient.share", "recipient.closed", "transfer.country", "absolute.never", "absolute.only"),
    "instruction": ("erasure.path", "recipient.share"),
    "ending": _ENDS,
    "departure": _ENDS,
    "hold": ("legal.ground", *_ENDS),
    "message": ("message.class", "change.notice"),
    "request": _ASKED,
    "request_paper": _ASKED,
    "request_step": _ASKED,
    "request_log": ("request.log",),
    "request_link": _ASKED,
    "request_key": ("request.log",),
    "reply": _ASKED,
    "protocol_request": ("right.offered",),
    "visit": ("visit.records", "visit.expiry"),
    "day_key": ("visit.records", "visit.expiry"),
    "ledger_entry": ("purpose.closed", "recipient.closed", "policy.version"),
    "account": ("right.offered", "erasure.path"),
    "public_profile": ("recipient.share", "recipient.closed"),
}
"""kinds of promise by the table that they rest on; what is not listed bears on how data is secured"""
_OF_ENTRIES = {
    "choice": ("consent.choice", "right.offered"),
    "disclosure": ("recipient.share",),
    "instruction": ("recipient.share",),
    "hold": ("legal.ground",),
    "message": ("message.class",),
    "request": ("right.offered",),
    "stop": ("purpose.use", "recipient.share"),
}
"""kinds of which only the promise of the row's own entry turns, when the policy has that entry"""


def borne(compiled: Compiled, findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """The findings by the promises that they turn. What fits no promise, and what is wrong with the
    sums themselves, turns how data is secured, if that is promised."""
    turned: dict[str, list[Finding]] = {}
    rest = _security(compiled)
    for finding in findings:
        mine = [promise for promise in compiled.promises if _bears(promise, finding)]
        mine = _narrowed(mine, finding)
        also = rest if finding.what in {"sum", "older"} or not mine else ()
        for promise in (*mine, *also):
            turned.setdefault(promise.id, []).append(finding)
    return turned


_PLAIN = {"value", "file", "database", "undeclared", "column"}
"""what shows that data may lie where nothing seals it and nothing ends it"""


def _bears(promise: Promise, finding: Finding) -> bool:
    if finding.what in _PLAIN:
        return promise.kind == "data.sealed"
    return promise.kind in RESTS.get(_table(finding), ())


def _narrowed(promises: list[Promise], finding: Finding) -> list[Promise]:
    """Without the promises of other entries, where the policy has a promise of the row's own."""
    narrow = _OF_ENTRIES.get(finding.table, ())
    own = {p.id for p in promises if p.kind in narrow and finding.entry and finding.entry.strip("@") in p.path}
    kinds = {p.kind for p in promises if p.id in own}
    return [p for p in promises if p.kind not in kinds or p.id in own]


def _table(finding: Finding) -> str:
    return "visit" if finding.table.startswith("visit_") else finding.table


def _security(compiled: Compiled) -> Collection[Promise]:
    security = compiled.policy.security
    measures = {key for key, entry in security.items() if entry.check in {"audit", "sealed"}}
    kept = [p for p in compiled.promises if p.kind == "security.measure" and p.path[1] in measures]
    return kept or [p for p in compiled.promises if p.kind == "data.sealed"]
