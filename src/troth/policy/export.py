"""The policy as JSON-LD in the Data Privacy Vocabulary, for other programs: https://w3id.org/dpv, version 2.3.

One ``dpv:Process`` for each purpose: who answers for it, whose data, which data and whether it must be given, on which ground,
to whom it goes, where and how long it is kept, which rights there are. Only terms of the small maps here are used; what the
vocabulary has no term for is left out, never bent to fit. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from troth.policy.model import CollectionPoint, Policy, Purpose, Recipient, RetentionClock

Node = dict[str, Any]

CONTEXT: Mapping[str, Any] = {
    "dpv": "https://w3id.org/dpv#",
    "pd": "https://w3id.org/dpv/pd#",
    "loc": "https://w3id.org/dpv/loc#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "dct": "http://purl.org/dc/terms/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

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

ROLES: Mapping[str, str] = {
    "processor": "dpv:DataProcessor",
    "controller": "dpv:DataController",
    "partner": "dpv:ThirdParty",
    "affiliate": "dpv:ThirdParty",
    "authority": "dpv:Authority",
    "advertiser": "dpv:ThirdParty",
    "public": "dpv:Recipient",
}

RIGHTS: Mapping[str, str] = {
    "access": "eu-gdpr:A15",
    "copy": "eu-gdpr:A15",
    "correction": "eu-gdpr:A16",
    "erasure": "eu-gdpr:A17",
    "restriction": "eu-gdpr:A18",
    "portability": "eu-gdpr:A20",
    "objection": "eu-gdpr:A21",
    "stop marketing": "eu-gdpr:A21",
    "withdrawal": "eu-gdpr:A7-3",
    "complaint": "eu-gdpr:A77",
}

_ANY_RIGHT = "dpv:DataSubjectRight"

SAFEGUARDS: Mapping[str, tuple[str, str]] = {
    "adequacy": ("eu-gdpr:A45-3", ""),
    "standard clauses": ("eu-gdpr:A46-2-c", "eu-gdpr:SCCByCommission"),
    "binding corporate rules": ("eu-gdpr:A46-2-b", "eu-gdpr:BindingCorporateRules"),
    "explicit consent": ("eu-gdpr:A49-1-a", ""),
}
"""The ground of a transfer and, where there is one, the measure that goes with it."""


def dpv(policy: Policy, base: str) -> Node:
    """``policy`` as one JSON-LD document; ``base`` is the address that its ids begin with, such as the notice's."""
    european = "eu-gdpr" in policy.policy.law
    graph = [
        _controller(policy),
        _notice(policy),
        *(_subject(key, entry.label.root) for key, entry in policy.people.items()),
        *(_recipient(key, entry) for key, entry in policy.recipients.items()),
        *(_right(policy, key, european) for key in policy.rights),
        *(_process(policy, key, european) for key in policy.purposes),
    ]
    return {"@context": {"@base": base, **CONTEXT}, "@graph": graph}


def _bare(**parts: Any) -> dict[str, Any]:
    """What is said, without what is not."""
    return {name: part for name, part in parts.items() if part not in (None, "", [], ())}


def _node(kind: str | list[str], key: str = "", **parts: Any) -> Node:
    """A node of the graph; ``parts`` are DPV properties by their bare name."""
    named = {f"dpv:{name}": part for name, part in _bare(**parts).items()}
    return {**({"@id": key} if key else {}), "@type": kind, **named}


def _ref(*keys: str) -> list[Node]:
    return [{"@id": key} for key in keys if key]


def _texts(words: Mapping[str, str]) -> list[Node]:
    return [{"@value": text, **({} if tag == "*" else {"@language": tag})} for tag, text in words.items()]


# --- who ---------------------------------------------------------------------------------------------------------------


def _controller(policy: Policy) -> Node:
    operator = policy.operator
    place = _ref(f"loc:{operator.country}") if operator.country else []
    contact = f"mailto:{operator.email}" if operator.email else ""
    named = _node(
        "dpv:DataController", "#operator", hasName=operator.name, hasAddress=operator.address, hasLocation=place
    )
    return {**named, **({"dpv:hasContact": contact} if contact else {})}


def _notice(policy: Policy) -> Node:
    dated = policy.policy.effective
    issued = {"dct:valid": {"@value": dated.isoformat(), "@type": "xsd:date"}} if dated else {}
    languages = list(policy.policy.languages)
    version = {"dct:hasVersion": str(policy.policy.version)}
    return {"@id": "#notice", "@type": "dpv:PrivacyNotice", "dct:language": languages, **version, **issued}


def _subject(key: str, label: Mapping[str, str]) -> Node:
    return {"@id": f"#people.{key}", "@type": "dpv:DataSubject", "dct:title": _texts(label)}


def _recipient(key: str, entry: Recipient) -> Node:
    place = _ref(f"loc:{entry.country}") if entry.country else []
    kind = ROLES[entry.role]
    made = _node(kind, f"#recipients.{key}", hasName=entry.name, hasLocation=place)
    return {**made, "dct:description": _texts(entry.does.root)}


# --- what --------------------------------------------------------------------------------------------------------------


def _personal_data(policy: Policy, key: str) -> list[Node]:
    """The data of a purpose. A node of its own for each: whether it must be given differs from purpose to purpose."""
    points = [point for point in policy.collection.values() if key in point.for_ or key in point.offers]
    used = policy.purposes[key].uses
    return [_used(policy, key, name, points) for name in used if name in policy.data]


def _used(policy: Policy, key: str, name: str, points: Iterable[CollectionPoint]) -> Node:
    entry = policy.data[name]
    kinds = [entry.category, *(["dpv:SpecialCategoryPersonalData"] if entry.special else [])]
    label = {"dct:title": _texts(entry.label.root)} if entry.label else {}
    asked = [point for point in points if name in (*point.required, *point.optional)]
    return _node(kinds[0] if len(kinds) == 1 else kinds, _data_id(key, name), **_asked(name, asked)) | label


def _asked(name: str, points: list[CollectionPoint]) -> dict[str, list[Node]]:
    """Whether it must be given, and by whom; nothing where no form of this purpose asks for it."""
    if not points:
        return {}
    needed = any(name in point.required for point in points)
    others = all(point.kind == "import" for point in points)
    return {
        "hasNecessity": _ref("dpv:Required" if needed else "dpv:Optional"),
        "hasDataSource": _ref("dpv:ThirdParty" if others else "dpv:DataSubject"),
    }


def _data_id(purpose: str, name: str) -> str:
    return f"#purposes.{purpose}.data.{name}"


# --- why, with whom, where, how long ---------------------------------------------------------------------------------


def _process(policy: Policy, key: str, european: bool) -> Node:
    purpose = policy.purposes[key]
    served = {name: entry for name, entry in policy.recipients.items() if key in entry.for_ and entry.receives}
    people = purpose.people or tuple(policy.people)
    basis = (BASES if european else BASES_ELSEWHERE).get(purpose.basis, "")
    return _node(
        "dpv:Process",
        f"#purposes.{key}",
        hasDataController=_ref("#operator"),
        hasNotice=_ref("#notice"),
        hasDataSubject=_ref(*(f"#people.{kind}" for kind in people)),
        hasPurpose=[_purpose(purpose)],
        hasLegalBasis=_ref(basis),
        hasProcessing=_ref("dpv:Collect", "dpv:Store", "dpv:Use", "dpv:Disclose" if served else ""),
        hasPersonalData=_personal_data(policy, key),
        hasRecipient=_ref(*(f"#recipients.{name}" for name in served)),
        hasStorageCondition=[*_durations(policy, purpose, people), *_locations(policy)],
        hasRight=_ref(*(f"#rights.{name}" for name in policy.rights)),
        hasProcess=[_transfer(policy, key, name, european) for name in _abroad(policy, served)],
    )


def _purpose(purpose: Purpose) -> Node:
    default = "dpv:DirectMarketing" if purpose.marketing else "dpv:Purpose"
    return {"@type": purpose.dpv or default, "dct:title": _texts(purpose.label.root)}


def _durations(policy: Policy, purpose: Purpose, people: tuple[str, ...]) -> list[Node]:
    """The clocks that run on the data of a purpose: how long, from which event, and that it is deleted then."""
    held = [clock for clock in policy.retention.values() if clock.keep and _covers(clock, purpose, people)]
    return [
        _node(["dpv:StorageDuration", "dpv:StorageDeletion"], hasDuration=_duration(clock.keep or timedelta(0)))
        | {"dct:description": [{"@value": f"from: {clock.after}", "@language": "en"}]}
        for clock in held
    ]


def _covers(clock: RetentionClock, purpose: Purpose, people: tuple[str, ...]) -> bool:
    whole = {word.rsplit(" ", 1)[-1] for word in clock.what if word.startswith("everything about")}
    mine = not clock.people or clock.people in people
    return bool(whole & set(people)) or (mine and bool(set(clock.what) & set(purpose.uses)))


def _duration(span: timedelta) -> Node:
    seconds = int(span.total_seconds())
    days, rest = divmod(seconds, 86_400)
    return {"@value": f"P{days}D" if not rest else f"PT{seconds}S", "@type": "xsd:duration"}


def _locations(policy: Policy) -> list[Node]:
    stored = policy.transfers.stored_in if policy.transfers else ()
    places = _ref(*(f"loc:{country}" for country in stored))
    return [_node("dpv:StorageLocation", hasLocation=places)] if places else []


def _abroad(policy: Policy, served: Mapping[str, Recipient]) -> Iterator[str]:
    """The recipients in another country than the operator's."""
    home = policy.operator.country
    return (name for name, entry in served.items() if entry.country and home and entry.country != home)


def _transfer(policy: Policy, purpose: str, name: str, european: bool) -> Node:
    entry = policy.recipients[name]
    ground, measure = SAFEGUARDS[entry.safeguard.kind] if entry.safeguard and european else ("", "")
    sent = [key for key in entry.receives if key in policy.purposes[purpose].uses]
    return _node(
        "dpv:Process",
        hasProcessing=_ref("dpv:CrossBorderTransfer"),
        hasDataImporter=_ref(f"#recipients.{name}"),
        hasPersonalData=_ref(*(_data_id(purpose, key) for key in sent)),
        hasLocation=_ref(f"loc:{entry.country}"),
        hasLegalBasis=_ref(ground),
        hasTechnicalOrganisationalMeasure=_ref(measure),
    )


def _right(policy: Policy, key: str, european: bool) -> Node:
    entry = policy.rights[key]
    kind = RIGHTS.get(entry.right, _ANY_RIGHT) if european else _ANY_RIGHT
    where = "#notice" if "web" in entry.by or not policy.operator.email else f"mailto:{policy.operator.email}"
    title = {"dct:title": _texts(entry.label.root if entry.label else {"en": entry.right})}
    return _node(kind, f"#rights.{key}", isExercisedAt=_ref(where)) | title
