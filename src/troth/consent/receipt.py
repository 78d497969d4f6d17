"""The consent record in the shape of ISO/IEC TS 27560, as DPV writes it: for people, auditors and other programs. Pure."""

from __future__ import annotations

from typing import Any

from troth.clock import iso
from troth.consent.rules import OBJECTIONS, Choice, State
from troth.policy.clocks import people_meant
from troth.policy.compile import Compiled
from troth.policy.model import Policy

SCHEMA = "https://w3id.org/dpv/schema/dpv-27560#record"

_STATES: dict[State, str] = {
    "given": "ConsentGiven",
    "refused": "ConsentRefused",
    "withdrawn": "ConsentWithdrawn",
    "expired": "ConsentExpired",
}


def record27560(
    choice: Choice, language: str, policy: Compiled, notice: str, storage: tuple[str, ...]
) -> dict[str, Any]:
    """One choice as a consent record.

    Args:
        language: of the words that were shown.
        policy: the version that was in force when the choice was made.
        notice: address of the notice as it was then.
        storage: countries of the stores, ISO 3166-1 alpha-2.

    Raises:
        ValueError: for an objection, which is no consent and has no record of this kind.
    """
    if choice.state in OBJECTIONS:
        raise ValueError("an objection is no consent")
    return {
        "dct:conformsTo": SCHEMA,
        "schema_version": SCHEMA,
        "record_id": choice.id,
        "receipt_id": choice.shown,
        "pii_principal_id": choice.person_id,
        "processing": _processing(choice, language, policy.policy, notice, storage),
        "event": {
            "event_time": iso(choice.at),
            "event_type": "explicit",
            "event_state": _STATES[choice.state],
            "entity_id": choice.person_id,
            "validity_duration": "until withdrawn",
            "channel": choice.channel,
        },
    }


def _processing(choice: Choice, language: str, policy: Policy, notice: str, storage: tuple[str, ...]) -> dict[str, Any]:
    purposes = _purposes(policy, choice.scope)
    fields = _fields(policy, choice.scope, purposes)
    return {
        "privacy_notice": notice,
        "notice_version": choice.policy_version,
        "notice_words": choice.shown,
        "language": language,
        "purpose": [{"id": key, "label": policy.purposes[key].label.say(language)} for key in purposes],
        "lawful_basis": sorted({policy.purposes[key].basis for key in purposes}),
        "pii_information": [{"pii_type": policy.data[key].category, "id": key} for key in fields],
        "pii_controllers": [_controller(policy)],
        "storage_locations": list(storage),
        "retention_period": {key: clock.keep.iso for key, clock in _clocks(policy, fields).items() if clock.keep},
        "jurisdiction": policy.operator.country,
        "recipient_third_parties": _recipients(policy, choice.scope, purposes),
        "withdrawal_method": sorted(
            {way for right in policy.rights.values() if _withdraws(right.right) for way in right.by}
        ),
    }


def _withdraws(right: str) -> bool:
    return right in {"withdrawal", "objection", "stop marketing"}


def _purposes(policy: Policy, scope: str) -> list[str]:
    if scope.startswith("@"):
        return list(policy.recipients[scope[1:]].for_)
    return [scope]


def _fields(policy: Policy, scope: str, purposes: list[str]) -> list[str]:
    if scope.startswith("@"):
        return list(policy.recipients[scope[1:]].receives)
    return [field for key in purposes for field in policy.purposes[key].uses]


def _recipients(policy: Policy, scope: str, purposes: list[str]) -> list[dict[str, Any]]:
    named = (
        [scope[1:]] if scope.startswith("@") else [k for k, r in policy.recipients.items() if {*r.for_} & {*purposes}]
    )
    return [{"id": k, "name": policy.recipients[k].name, "country": policy.recipients[k].country} for k in named]


def _controller(policy: Policy) -> dict[str, Any]:
    operator = policy.operator
    contact = {"address": operator.address, "contact": operator.email}
    return {"party_id": "operator", "name": operator.name, **contact, "type": "data controller"}


def _clocks(policy: Policy, fields: list[str]) -> dict[str, Any]:
    return {
        key: clock
        for key, clock in policy.retention.items()
        if any(word in fields or people_meant(word) for word in clock.what)
    }
