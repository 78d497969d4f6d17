"""The catalogue: for every kind of promise its lint, its sentence, its enforcer and its proof; incomplete is not allowed.

``tests/promises/test_catalogue.py`` fails when a kind of ``policy.promises.KINDS`` has no entry, when an enforcer does not
exist, when the sentence is missing in a language, or when no test breaks the promise on purpose and sees its proof turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from troth.collection import proofs as collection
from troth.consent import proofs as consent
from troth.evidence import proofs as general
from troth.people import proofs as people
from troth.policy.promises import Promise
from troth.proof import Proof, Proving
from troth.recipients import proofs as recipients
from troth.retention import proofs as retention
from troth.rights import proofs as rights
from troth.visits import proofs as visits

Prove = Callable[[Proving, Promise], Proof]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of promise. ``lint`` names rules of the linter, ``enforcer`` the function that makes the promise true."""

    lint: tuple[str, ...]
    enforcer: str
    prove: Prove


CATALOGUE: dict[str, Kind] = {
    "policy.version": Kind(("E-26",), "troth.store.versions:in_force", general.version),
    "operator.contact": Kind(("E-13",), "troth.policy.notice:notice", general.contact),
    "people.age": Kind(("E-22",), "troth.collection.rules:check", collection.nobody_too_young),
    "data.sealed": Kind(("E-19",), "troth.people.vault:hold", people.sealed),
    "data.never_stored": Kind(("E-01",), "troth.people.vault:hold", people.never_stored),
    "collection.form": Kind(("E-09", "E-16"), "troth.collection.actions:collect", collection.form),
    "collection.import": Kind(("E-18",), "troth.collection.actions:collect", collection.partner),
    "purpose.use": Kind(("E-25",), "troth.people.vault:read", general.use),
    "purpose.closed": Kind(("E-01",), "troth.decide:RuleSet", general.closed),
    "consent.choice": Kind(("E-03",), "troth.consent.actions:record", consent.recorded),
    "consent.not_implied": Kind(("E-04",), "troth.consent.actions:record", consent.not_implied),
    "recipient.share": Kind(("E-18", "E-21"), "troth.recipients.gate:disclose", recipients.share),
    "recipient.closed": Kind(("E-18",), "troth.recipients.gate:disclose", recipients.closed),
    "absolute.never": Kind(("E-01",), "troth.policy.rules:rules", general.absolute),
    "absolute.only": Kind(("E-01",), "troth.policy.rules:rules", general.absolute),
    "cookie.declared": Kind(("E-15",), "troth.policy.rules:rules", general.cookie),
    "visit.records": Kind(("E-09", "E-12"), "troth.visits.actions:record", visits.records),
    "visit.expiry": Kind(("E-05",), "troth.visits.sweep:sweep", visits.expiry),
    "relationship.end": Kind(("E-05",), "troth.retention.relationship:refresh", retention.relationship),
    "retention.clock": Kind(("E-05",), "troth.retention.sweep:sweep", retention.clock),
    "erasure.path": Kind(("E-05", "E-17"), "troth.retention.ending:begin_ending", retention.erasure),
    "right.offered": Kind(("E-17",), "troth.rights.intake:receive", general.right),
    "request.log": Kind(("E-05",), "troth.rights.papers:sweep", rights.request_log),
    "message.class": Kind(("E-14",), "troth.messages.actions:queue", general.message),
    "statistic.aggregate": Kind(("E-12",), "troth.policy.rules:rules", general.statistic),
    "transfer.country": Kind(("E-21",), "troth.recipients.gate:disclose", recipients.countries),
    "change.notice": Kind(("E-07",), "troth.messages.publish:publish", general.change),
    "security.measure": Kind(("E-19",), "troth.evidence.proofs:measure", general.measure),
    "legal.ground": Kind(("E-10",), "troth.recipients.gate:disclose", general.legal),
}
