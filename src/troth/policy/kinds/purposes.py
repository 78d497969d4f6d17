"""``purposes``: what data is used for, and that it is used for nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from troth.policy.jsonld import Node, ref, texts
from troth.policy.kind import EXPORT, NOTICE, ROOM, Claim, Entries, Kind, Telling, Weight, when
from troth.policy.kinds.consent import choice_of
from troth.policy.lint.choices import consent_to_what_is_essential
from troth.policy.lint.consent import (
    marketing_without_opt_out,
    purpose_on_two_bases,
    purpose_without_a_basis,
)
from troth.policy.lint.flows import undeclared_flows
from troth.policy.model import Policy, Purpose
from troth.policy.promises import Promise, Source
from troth.policy.rules import rules
from troth.policy.special import special_in

BASES: Mapping[str, str] = {
    "consent": "eu-gdpr:A6-1-a",
    "contract": "eu-gdpr:A6-1-b",
    "legal obligation": "eu-gdpr:A6-1-c",
    "vital interests": "eu-gdpr:A6-1-d",
    "public task": "eu-gdpr:A6-1-e",
    "legitimate interest": "eu-gdpr:A6-1-f",
}
"""Legal bases under the EU GDPR; a basis that is not stated has no term."""

BASES_ELSEWHERE: Mapping[str, str] = {
    "consent": "dpv:Consent",
    "contract": "dpv:Contract",
    "legal obligation": "dpv:LegalObligation",
    "vital interests": "dpv:VitalInterest",
    "public task": "dpv:PublicInterest",
    "legitimate interest": "dpv:LegitimateInterest",
}


def _makes(source: Source) -> Iterator[Promise]:
    for key, purpose in source.policy.purposes.items():
        yield source.promise("purpose.use", ("purposes", key), purpose)
        if purpose.basis == "consent":
            yield choice_of(source, ("purposes", key), purpose)


def _makes_closed(source: Source) -> Iterator[Promise]:
    yield source.promise("purpose.closed", ("purposes",), None)


def _tell(t: Telling) -> Iterator[str]:
    it = t.it
    t.values["basis"] = t.speaker.words.tree["bases"][it.basis]
    if not it.uses:
        yield "nothing"
        return
    yield "counts" if it.aggregate_only else "uses"
    yield from when((it.opt_out, "opt_out"), (it.people, "+people"), (it.before, "+before"), (it.needs, "+needs"))
    yield from when((it.special and special_in(t.policy, it.uses), "+special"))
    yield from when((it.roles, "+roles"), (it.basis == "not stated", "+unstated"), (it.assessment, "+legitimate"))


def _tell_closed(t: Telling) -> Iterator[str]:
    yield "closed" if t.policy.purposes else "none"


def _concerns(policy: Policy, key: str) -> Iterable[str]:
    return policy.purposes[key].people if key in policy.purposes else ()


def _process(policy: Policy, key: str) -> Mapping[str, list[Any]]:
    purpose = policy.purposes[key]
    bases = BASES if "eu-gdpr" in policy.policy.law else BASES_ELSEWHERE
    return {
        "hasDataController": ref("#operator"),
        "hasNotice": ref("#notice"),
        "hasPurpose": [_purpose(purpose)],
        "hasLegalBasis": ref(bases.get(purpose.basis, "")),
        "hasProcessing": ref("dpv:Collect", "dpv:Store", "dpv:Use"),
    }


def _purpose(purpose: Purpose) -> Node:
    default = "dpv:DirectMarketing" if purpose.marketing else "dpv:Purpose"
    return {"@type": purpose.dpv or default, "dct:title": texts(purpose.label.root)}


KEYS: Mapping[str, Claim] = {
    "label": NOTICE,
    "basis": rules,
    "special": rules,
    "uses": rules,
    "people": rules,
    "needs": rules,
    "before": rules,
    "roles": rules,
    "aggregate only": rules,
    "essential": consent_to_what_is_essential,
    "marketing": ROOM,
    "opt out": ROOM,
    "assessment": purpose_without_a_basis,
    "dpv": EXPORT,
}

_WEIGHT = Weight(
    significant=True,
    more=("uses", "roles", "special"),
    yes={"aggregate only": "less", "marketing": "more", "opt out": "less"},
    wording=("label",),
    internal=("dpv",),
    concerns=_concerns,
)

KINDS = (
    Kind(
        id="purpose.use",
        order=60,
        makes=_makes,
        tell=_tell,
        place=("why", "purposes"),
        lint=(purpose_without_a_basis, purpose_on_two_bases, marketing_without_opt_out, consent_to_what_is_essential),
        entries=Entries("purposes", _WEIGHT, many=True, keys=KEYS),
        process=_process,
    ),
    Kind(
        id="purpose.closed",
        order=61,
        makes=_makes_closed,
        tell=_tell_closed,
        place=("why", "limits"),
        lint=(undeclared_flows,),
        of_section=True,
    ),
)
