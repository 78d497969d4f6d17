"""The operator of the benchmark, as a policy: what GDPRbench keeps as metadata columns is said once for each kind of record."""

from __future__ import annotations

from datetime import timedelta

KINDS = 50
"""kinds of records; a person has at most one of each"""
PARTIES = 25
TERMS = 5


def purpose(kind: int) -> str:
    """What a record is used for (PUR)."""
    return f"use_{kind}"


def field(kind: int) -> str:
    """The data a record holds."""
    return f"value_{kind}"


def point(kind: int) -> str:
    """Where a record comes in."""
    return f"form_{kind}"


def source(kind: int) -> str:
    """Where it comes from (SRC)."""
    return f"desk_{kind % 4}"


def party(kind: int) -> str:
    """Whom it is shared with (SHR)."""
    return f"party_{kind % PARTIES}"


def term(kind: int) -> timedelta:
    """How long it is kept (TTL)."""
    return timedelta(days=100 + 50 * (kind % TERMS))


def text() -> str:
    """The policy's YAML."""
    every = ", ".join(field(kind) for kind in range(KINDS))
    lines = [
        "policy: {version: 1, effective: 2024-01-01, languages: [en], law: []}",
        'operator: {name: Bench Limited, country: GB, email: privacy@bench.example, address: "1 Bench Street, London", '
        "roles: {authority desk: those who answer the authority}}",
        "people:",
        "  customer: {label: customers}",
        "data:",
        *(f"  {field(kind)}: {{category: pd:Interest, label: value {kind}}}" for kind in range(KINDS)),
        "purposes:",
        *(
            f"  {purpose(kind)}: {{label: use {kind}, basis: legitimate interest, uses: [{field(kind)}], "
            f"assessment: LIA-{kind}, opt out: true}}"
            for kind in range(KINDS)
        ),
        f"  deciding: {{label: decide automatically, basis: legitimate interest, uses: [{every}], "
        "assessment: LIA-99, opt out: true}",
        f"  supervision: {{label: answer the authority, basis: legal obligation, uses: [{every}], roles: [authority desk]}}",
        "collection:",
        *(
            f"  {point(kind)}: {{label: form {kind}, source: {source(kind)}, people: customer, required: [{field(kind)}], "
            f"for: [{purpose(kind)}, deciding, supervision]}}"
            for kind in range(KINDS)
        ),
        "recipients:",
        *(_recipient(number) for number in range(PARTIES)),
        "relationship:",
        "  customer: {begins: [enquiry], ends: [silence], silence: 3650 days}",
        "retention:",
        *(_clock(number) for number in range(TERMS)),
        "rights:",
        "  access: {right: access, by: [web], answer within: 30 days}",
        "  correction: {right: correction, by: [web], answer within: 30 days}",
        "  erasure: {right: erasure, by: [web], answer within: 20 days}",
        "  objection: {right: objection, by: [web], answer within: 30 days, "
        f"against: [{', '.join(purpose(kind) for kind in range(KINDS))}, deciding]}}",
        "erasure: {destroy within: 20 days, may keep: [legal duties], everywhere: false}",
        "transfers: {stored in: [GB], may move to: [], safeguards: [], objection: false}",
        "changes: {told by: [page], lead time: 14 days, significant means: [purposes]}",
        "security:",
        "  sealed: {measure: data is sealed, check: sealed}",
        "legal:",
        "  legal_duties: {label: the law makes us keep it, needs: [reference, approver, end], act: keep, data: [everything]}",
    ]
    return "\n".join(lines) + "\n"


def _recipient(number: int) -> str:
    kinds = [kind for kind in range(KINDS) if party(kind) == f"party_{number}"]
    fields, uses = (", ".join(map(named, kinds)) for named in (field, purpose))
    return (
        f"  party_{number}: {{name: Party {number}, does: works for us, country: GB, receives: [{fields}], for: [{uses}], "
        "ground: service provision, consideration: none, agreement: C-1}"
    )


def _clock(number: int) -> str:
    kinds = [kind for kind in range(KINDS) if kind % TERMS == number]
    return f"  term_{number}: {{what: [{', '.join(map(field, kinds))}], keep: {term(number).days} days, after: collection}}"
