"""From entries to promises: one enforceable statement each, with the kind that says how it is kept and proven.

``KINDS`` is the closed list; the evidence catalogue must have a lint, a sentence, an enforcer and a proof for every one of
them, and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from troth.policy.findings import Path, Place
from troth.policy.model import Policy
from troth.policy.words import Entry

KINDS = (
    "policy.version",
    "operator.contact",
    "people.age",
    "data.sealed",
    "data.never_stored",
    "collection.form",
    "collection.import",
    "purpose.use",
    "purpose.closed",
    "consent.choice",
    "consent.not_implied",
    "recipient.share",
    "recipient.closed",
    "absolute.never",
    "absolute.only",
    "cookie.declared",
    "visit.records",
    "visit.expiry",
    "relationship.end",
    "retention.clock",
    "erasure.path",
    "right.offered",
    "request.log",
    "message.class",
    "statistic.aggregate",
    "transfer.country",
    "change.notice",
    "security.measure",
    "legal.ground",
)


@dataclass(frozen=True, slots=True)
class Promise:
    """One enforceable statement. ``path`` leads to its entry; ``origin`` is blank, or the decision or law it comes from."""

    id: str
    kind: str
    path: Path
    cites: tuple[str, ...]
    place: Place
    origin: str = ""


@dataclass(frozen=True)
class Source:
    """What promises are made from: the effective policy, where its entries stand and what did not come from it."""

    policy: Policy
    places: Mapping[Path, Place]
    origins: Mapping[Path, str]

    def place(self, path: Path) -> Place:
        """The place of ``path`` or of the nearest part around it."""
        for size in range(len(path), 0, -1):
            if path[:size] in self.places:
                return self.places[path[:size]]
        return Place("policy.yaml", 1, 1)

    def origin(self, path: Path) -> str:
        """The decision or law that ``path``, or something around or inside it, comes from; blank for the policy's own."""
        around = [self.origins[path[:size]] for size in range(len(path), 0, -1) if path[:size] in self.origins]
        inside = [origin for key, origin in self.origins.items() if key[: len(path)] == path]
        return next(iter(around + inside), "")

    def promise(self, kind: str, path: Path, entry: Entry | None, part: str = "") -> Promise:
        """The promise of ``kind`` that the entry at ``path`` makes; ``part`` tells apart two promises of one entry."""
        name = ".".join(path).replace(" ", "_") + (f".{part}" if part else "")
        return Promise(name, kind, path, entry.cites if entry else (), self.place(path), self.origin(path))


def promises(source: Source) -> tuple[Promise, ...]:
    """Every promise of the policy, in the order of its sections."""
    return tuple(
        promise
        for section in (_about, _data, _collection, _purposes, _recipients, _absolutes, _visits, _time, _rights, _rest)
        for promise in section(source)
    )


def _about(source: Source) -> Iterator[Promise]:
    policy = source.policy
    yield source.promise("policy.version", ("policy",), policy.policy)
    yield source.promise("operator.contact", ("operator",), policy.operator)
    for key, people in policy.people.items():
        if people.minimum_age is not None:
            yield source.promise("people.age", ("people", key), people)


def _data(source: Source) -> Iterator[Promise]:
    yield source.promise("data.sealed", ("data",), None)
    for key, data in source.policy.data.items():
        if data.protect == "never stored":
            yield source.promise("data.never_stored", ("data", key), data)


def _collection(source: Source) -> Iterator[Promise]:
    for key, point in source.policy.collection.items():
        if point.kind != "visit" or point.members_only:
            kind = "collection.import" if point.kind == "import" else "collection.form"
            yield source.promise(kind, ("collection", key), point)


def _purposes(source: Source) -> Iterator[Promise]:
    for key, purpose in source.policy.purposes.items():
        yield source.promise("purpose.use", ("purposes", key), purpose)
        if purpose.basis == "consent":
            yield source.promise("consent.choice", ("purposes", key), purpose, "consent")
    yield source.promise("purpose.closed", ("purposes",), None)
    yield replace(
        source.promise("consent.not_implied", ("statements",), None, "consent"), cites=_said_to_consent(source)
    )


def _said_to_consent(source: Source) -> tuple[str, ...]:
    """The clauses that call something else consent: using the site, sending a form, or a transfer."""
    policy = source.policy
    by_use = [entry.cites for entry in policy.statements.values() if entry.kind == "consent by use"]
    by_form = [point.cites for point in policy.collection.values() if point.counts_as_consent]
    by_transfer = [policy.transfers.cites] if policy.transfers and policy.transfers.agreed_by_use else []
    return tuple(sorted({cite for cites in (*by_use, *by_form, *by_transfer) for cite in cites}))


def _recipients(source: Source) -> Iterator[Promise]:
    for key, recipient in source.policy.recipients.items():
        yield source.promise("recipient.share", ("recipients", key), recipient)
        if recipient.choice or recipient.consent == "itself":
            yield source.promise("consent.choice", ("recipients", key), recipient, "consent")
    yield source.promise("recipient.closed", ("recipients",), None)


def _absolutes(source: Source) -> Iterator[Promise]:
    for key, absolute in source.policy.absolutes.items():
        yield source.promise("absolute.never" if absolute.never else "absolute.only", ("absolutes", key), absolute)


def _visits(source: Source) -> Iterator[Promise]:
    for key, cookie in source.policy.cookies.items():
        yield source.promise("cookie.declared", ("cookies", key), cookie)
    visits = source.policy.visits
    if visits is not None:
        yield source.promise("visit.records", ("visits",), visits, "records")
        if visits.keep is not None:
            yield source.promise("visit.expiry", ("visits", "keep"), visits)


def _time(source: Source) -> Iterator[Promise]:
    policy = source.policy
    for key, relationship in policy.relationship.items():
        yield source.promise("relationship.end", ("relationship", key), relationship)
    for key, clock in policy.retention.items():
        if clock.keep is not None:
            yield source.promise("retention.clock", ("retention", key), clock)
    if policy.erasure is not None:
        yield source.promise("erasure.path", ("erasure",), policy.erasure)


def _rights(source: Source) -> Iterator[Promise]:
    for key, right in source.policy.rights.items():
        yield source.promise("right.offered", ("rights", key), right)
    if source.policy.request_log is not None:
        yield source.promise("request.log", ("request log",), source.policy.request_log)
    for key, message in source.policy.messages.items():
        yield source.promise("message.class", ("messages", key), message)


def _rest(source: Source) -> Iterator[Promise]:
    policy = source.policy
    for key, statistic in policy.statistics.items():
        yield source.promise("statistic.aggregate", ("statistics", key), statistic)
    if policy.transfers is not None:
        yield source.promise("transfer.country", ("transfers",), policy.transfers)
    if policy.changes is not None:
        yield source.promise("change.notice", ("changes",), policy.changes)
    for key, measure in policy.security.items():
        yield source.promise("security.measure", ("security", key), measure)
    for key, ground in policy.legal.items():
        yield source.promise("legal.ground", ("legal", key), ground)
