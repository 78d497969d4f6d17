"""``recipients``: who outside may be given data, exactly what, and that nobody else gets any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from troth.policy.jsonld import Node, node, ref, texts
from troth.policy.kind import NOTICE, ROOM, Band, Claim, Entries, Flow, Kind, Telling, Weight, when
from troth.policy.kinds.consent import choice_of
from troth.policy.kinds.data import data_id
from troth.policy.lint.flows import undeclared_flows
from troth.policy.lint.recipients import (
    advertiser_without_a_policy,
    recipient_abroad,
    recipient_without_a_name,
    safeguard_that_does_not_hold,
    transfer_kept_up_without_a_reason,
)
from troth.policy.model import Policy, Recipient
from troth.policy.promises import Promise, Source
from troth.policy.rules import bound, paid_rightly, rules
from troth.policy.terms import terms

if TYPE_CHECKING:
    from troth.policy.notice.language import Speaker

ROLES: Mapping[str, str] = {
    "processor": "dpv:DataProcessor",
    "controller": "dpv:DataController",
    "partner": "dpv:ThirdParty",
    "affiliate": "dpv:ThirdParty",
    "authority": "dpv:Authority",
    "advertiser": "dpv:ThirdParty",
    "public": "dpv:Recipient",
}

SAFEGUARDS: Mapping[str, tuple[str, str]] = {
    "adequacy": ("eu-gdpr:A45-3", ""),
    "standard clauses": ("eu-gdpr:A46-2-c", "eu-gdpr:SCCByCommission"),
    "binding corporate rules": ("eu-gdpr:A46-2-b", "eu-gdpr:BindingCorporateRules"),
    "explicit consent": ("eu-gdpr:A49-1-a", ""),
}
"""The ground of a transfer and, where there is one, the measure that goes with it."""


def gets(policy: Policy, recipient: Recipient) -> bool:
    """Whether the rules let ``recipient`` have any personal data at all."""
    return _named(recipient) and paid_rightly(recipient) and bound(policy, recipient)


def _named(recipient: Recipient) -> bool:
    return bool(recipient.receives and recipient.for_)


def asks_first(recipient: Recipient) -> bool:
    """Whether the person must have said yes before ``recipient`` gets anything."""
    return bool(recipient.consent) or recipient.ground == "consent"


def _makes(source: Source) -> Iterator[Promise]:
    for key, recipient in source.policy.recipients.items():
        yield source.promise("recipient.share", ("recipients", key), recipient)
        if recipient.choice or recipient.consent == "itself":
            yield choice_of(source, ("recipients", key), recipient)


def _makes_closed(source: Source) -> Iterator[Promise]:
    yield source.promise("recipient.closed", ("recipients",), None)


def _tell(t: Telling) -> Iterator[str]:
    it = t.it
    t.values["name"] = it.name or t.speaker.phrase("unnamed", "recipient")
    t.values["only"] = t.speaker.words.tree["only"]["consent" if asks_first(it) else "none"]
    yield "role"
    if not gets(t.policy, it):
        yield "aggregates" if it.receives_aggregates else "nothing"
        yield from when(
            (_named(it) and not paid_rightly(it), "+unpaid"), (_named(it) and not bound(t.policy, it), "+unbound")
        )
    else:
        yield "public" if it.role == "public" else "fields"
        yield from when((it.receives_aggregates, "both"))
        yield from when((True, "+purposes"), (it.needs, "+needs"), (it.country, "+country"), (it.choice, "+choice"))
        yield from when((it.why_essential, "+essential"), (it.consideration != "none", "+sold"))
        yield from when((it.role != "public" and it.consideration == "none", "+free"))
    yield from when((it.ground and it.ground != "consent", "+ground"), (it.policy_url, "+policy_url"))


def _tell_closed(t: Telling) -> Iterator[str]:
    yield "closed" if t.policy.recipients else "nobody"
    yield from when((any(one.act == "disclose" for one in t.policy.legal.values()), "+in_cases"))


def _concerns(policy: Policy, key: str) -> Iterable[str]:
    entry = policy.recipients.get(key)
    each = [policy.purposes[name].people for name in entry.for_ if name in policy.purposes] if entry else []
    return {kind for kinds in each for kind in kinds} if all(each) else ()


# --- the picture of who receives what --------------------------------------------------------------------------------


def _flows(policy: Policy, speaker: Speaker) -> Iterator[Flow]:
    for key, entry in policy.recipients.items():
        yield Flow(tuple(_bands(key, entry, speaker)), _row(key, entry, speaker))


def _bands(key: str, entry: Recipient, speaker: Speaker) -> Iterator[Band]:
    families: dict[str, int] = {}
    for name in entry.receives if gets(speaker.policy, entry) else ():
        family = terms().get(speaker.policy.data[name].category, {}).get("family", "personal")
        families[family] = families.get(family, 0) + 1
    if entry.receives_aggregates:
        yield Band(speaker.page("figures"), speaker.recipient(key), 1, False)
    for family, count in families.items():
        title = str(speaker.words.tree["families"][family])
        yield Band(title, speaker.recipient(key), count, asks_first(entry))


def _row(key: str, entry: Recipient, speaker: Speaker) -> tuple[str, str, str]:
    name = speaker.finish(speaker.recipient(key))
    got = [speaker.fields(entry.receives)] if gets(speaker.policy, entry) else []
    got += [speaker.page("figures")] if entry.receives_aggregates else []
    condition = (
        speaker.page("flow consent" if asks_first(entry) else "flow always") if gets(speaker.policy, entry) else "–"
    )
    return name, speaker.finish(speaker.every(got)) if got else speaker.page("nothing"), condition


# --- in the Data Privacy Vocabulary ----------------------------------------------------------------------------------


def _nodes(policy: Policy) -> Iterator[Node]:
    for key, entry in policy.recipients.items():
        place = ref(f"loc:{entry.country}") if entry.country else []
        made = node(ROLES[entry.role], f"#recipients.{key}", hasName=entry.name, hasLocation=place)
        yield {**made, "dct:description": texts(entry.does.root)}


def _process(policy: Policy, purpose: str) -> Mapping[str, list[Any]]:
    served = {name: entry for name, entry in policy.recipients.items() if purpose in entry.for_ and entry.receives}
    return {
        "hasRecipient": ref(*(f"#recipients.{name}" for name in served)),
        "hasProcessing": ref("dpv:Disclose") if served else [],
        "hasProcess": [_transfer(policy, purpose, name) for name in _abroad(policy, served)],
    }


def _abroad(policy: Policy, served: Mapping[str, Recipient]) -> Iterator[str]:
    """The recipients in another country than the operator's."""
    home = policy.operator.country
    return (name for name, entry in served.items() if entry.country and home and entry.country != home)


def _transfer(policy: Policy, purpose: str, name: str) -> Node:
    entry = policy.recipients[name]
    european = "eu-gdpr" in policy.policy.law
    ground, measure = SAFEGUARDS[entry.safeguard.kind] if entry.safeguard and european else ("", "")
    sent = [key for key in entry.receives if key in policy.purposes[purpose].uses]
    return node(
        "dpv:Process",
        hasProcessing=ref("dpv:CrossBorderTransfer"),
        hasDataImporter=ref(f"#recipients.{name}"),
        hasPersonalData=ref(*(data_id(purpose, key) for key in sent)),
        hasLocation=ref(f"loc:{entry.country}"),
        hasLegalBasis=ref(ground),
        hasTechnicalOrganisationalMeasure=ref(measure),
    )


KEYS: Mapping[str, Claim] = {
    "name": NOTICE,
    "does": NOTICE,
    "role": ROOM,
    "country": ROOM,
    "safeguard": ROOM,
    "safeguard.kind": safeguard_that_does_not_hold,
    "safeguard.document": ROOM,
    "safeguard.until": ROOM,
    "receives": rules,
    "for": rules,
    "consent": rules,
    "ground": rules,
    "needs": rules,
    "choice": ROOM,
    "consideration": rules,
    "agreement": rules,
    "essential": ROOM,
    "why essential": transfer_kept_up_without_a_reason,
    "receives aggregates": recipient_without_a_name,
    "policy url": advertiser_without_a_policy,
}

_WEIGHT = Weight(
    significant=True,
    more=("receives", "for"),
    yes={"receives aggregates": "more", "choice": "less", "essential": "more"},
    wording=("why essential",),
    concerns=_concerns,
)

KINDS = (
    Kind(
        id="recipient.share",
        order=80,
        makes=_makes,
        tell=_tell,
        place=("with whom", "recipients"),
        lint=(
            recipient_without_a_name,
            advertiser_without_a_policy,
            recipient_abroad,
            safeguard_that_does_not_hold,
            transfer_kept_up_without_a_reason,
        ),
        entries=Entries("recipients", _WEIGHT, many=True, keys=KEYS),
        flows=_flows,
        nodes=_nodes,
        process=_process,
    ),
    Kind(
        id="recipient.closed",
        order=81,
        makes=_makes_closed,
        tell=_tell_closed,
        place=("with whom", "limits"),
        lint=(undeclared_flows,),
        of_section=True,
    ),
)
