"""``statements``: text without system behaviour; and that nothing said there, or done on the site, counts as consent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from troth.policy.kind import NOTICE, STATEMENT, Claim, Entries, Kind, Weight, always
from troth.policy.lint.consent import submitting_said_to_be_consent, use_said_to_be_consent
from troth.policy.lint.rights import exclusive_courts, statement_that_waives
from troth.policy.promises import Promise, Source


def _makes(source: Source) -> Iterator[Promise]:
    promise = source.promise("consent.not_implied", ("statements",), None, "consent")
    yield replace(promise, cites=_said_to_consent(source))


def _said_to_consent(source: Source) -> tuple[str, ...]:
    """The clauses that call something else consent: using the site, sending a form, or a transfer."""
    policy = source.policy
    by_use = [entry.cites for entry in policy.statements.values() if entry.kind == "consent by use"]
    by_form = [point.cites for point in policy.collection.values() if point.counts_as_consent]
    by_transfer = [policy.transfers.cites] if policy.transfers and policy.transfers.agreed_by_use else []
    return tuple(sorted({cite for cites in (*by_use, *by_form, *by_transfer) for cite in cites}))


KEYS: Mapping[str, Claim] = {
    "text": STATEMENT,
    "about": NOTICE,
    "kind": use_said_to_be_consent,
}

KIND = Kind(
    id="consent.not_implied",
    order=70,
    makes=_makes,
    tell=always("never"),
    place=("choices", "consents"),
    lint=(use_said_to_be_consent, submitting_said_to_be_consent, statement_that_waives, exclusive_courts),
    entries=Entries("statements", Weight(), many=True, keys=KEYS),
    of_section=True,
)
