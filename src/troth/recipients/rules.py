"""What must be known before data leaves, apart from the policy's rules: country, safeguard, consideration, what a legal ground
needs on record. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from troth.policy.law import adequate, profile
from troth.policy.model import Policy, Recipient
from troth.policy.rules import PAID


def facts_of(policy: Policy, recipient_id: str, on: date) -> frozenset[str]:
    """Facts about a recipient on a day: ``safeguard:ID`` when its country is safe enough, ``consideration`` when it pays.

    A recipient without a country is nowhere safe: the fact is missing, and the rule that needs it does not permit. What
    people publish themselves goes to no country in particular and is no transfer (CJEU C-101/01, Lindqvist). Where the policy
    does not say what a recipient gives in return, it counts as paying, unless it is promised no data: what an authority is
    given, it is given by law.
    """
    recipient = policy.recipients[recipient_id]
    facts = set()
    kept = _kept_by_the_named(policy, recipient_id)
    if recipient.role == "public" or (kept and (_at_home(policy, recipient) or _safeguarded(policy, recipient, on))):
        facts.add(f"safeguard:{recipient_id}")
    if recipient.consideration in PAID or (recipient.consideration == "not stated" and recipient.receives):
        facts.add("consideration")
    return frozenset(facts)


def _kept_by_the_named(policy: Policy, recipient_id: str) -> bool:
    """Whether the policy leaves open who keeps data abroad, or names this recipient, or the data stays where the stores are."""
    transfers, country = policy.transfers, policy.recipients[recipient_id].country
    if transfers is None or not transfers.held_by or country in transfers.stored_in:
        return True
    return recipient_id in transfers.held_by


def _at_home(policy: Policy, recipient: Recipient) -> bool:
    """Whether the data stays where it is kept, or moves only where every law that applies finds it as safe."""
    if recipient.country is None or _ruled_out(policy, recipient.country):
        return False
    if policy.transfers is not None and recipient.country in policy.transfers.stored_in:
        return True
    return bool(policy.policy.law) and all(_free(recipient.country, law) for law in policy.policy.law)


def _ruled_out(policy: Policy, country: str) -> bool:
    """Whether the policy says in which countries data is, and this is none of them."""
    named = (*policy.transfers.stored_in, *policy.transfers.may_move_to) if policy.transfers else ()
    return bool(named) and country not in named


def _free(country: str, law: str) -> bool:
    adequacy = adequate(law)
    return country in profile(law).home or (adequacy is not None and country in adequacy.countries)


def _safeguarded(policy: Policy, recipient: Recipient, on: date) -> bool:
    safeguard, transfers = recipient.safeguard, policy.transfers
    if recipient.country is None or safeguard is None or not safeguard.document:
        return False
    if transfers is not None and recipient.country not in transfers.may_move_to:
        return False
    if transfers is not None and transfers.safeguards and safeguard.kind not in transfers.safeguards:
        return False
    return safeguard.until is None or on <= safeguard.until


FIELDS = "fields"
"""what a legal ground may need and every disclosure names"""
PERSONS = "persons of the case"
"""what a legal ground may need and is held against the person: ids of this site, with spaces or commas between"""


def lacking(needs: Collection[str], record: Mapping[str, str], person_id: str) -> tuple[str, ...]:
    """What of ``needs`` is not on ``record``, or does not speak of this person; sorted."""
    return tuple(sorted(need for need in needs if not _on_record(need, record, person_id)))


def _on_record(need: str, record: Mapping[str, str], person_id: str) -> bool:
    said = record.get(need, "").strip()
    return person_id in said.replace(",", " ").split() if need == PERSONS else bool(said)


def live_consent(facts: frozenset[str], recipient: str, purpose: str) -> frozenset[str]:
    """The fact ``consent`` when the person agreed to exactly this recipient or this purpose, else nothing."""
    asked = {f"consent:@{recipient}", f"consent:{purpose}"}
    return frozenset({"consent"}) if asked & facts else frozenset()
