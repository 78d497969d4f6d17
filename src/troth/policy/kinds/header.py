"""``policy``: which version this is, since when it applies, what it covers and under which law."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from troth.policy.jsonld import Node
from troth.policy.kind import NOTICE, ROOM, STATEMENT, Claim, Entries, Kind, Telling, Weight, when
from troth.policy.law import profiles_of
from troth.policy.lint.flows import undeclared_flows
from troth.policy.lint.notice import answer_without_content, version_or_day_missing
from troth.policy.model import Policy
from troth.policy.promises import Promise, Source


def _makes(source: Source) -> Iterator[Promise]:
    yield source.promise("policy.version", ("policy",), source.policy.policy)


def _tell(t: Telling) -> Iterator[str]:
    day = t.it.effective
    yield "undated" if day is None else "coming" if t.at and day > t.at else "in_force"
    yield from when((t.it.covers, "+covers"), (t.it.flows, "+flows"), (t.it.governing_law, "+governing_law"))
    yield from when((t.it.glossary, "+glossary"))


def _notice(policy: Policy) -> Iterator[Node]:
    dated = policy.policy.effective
    issued = {"dct:valid": {"@value": dated.isoformat(), "@type": "xsd:date"}} if dated else {}
    languages = list(policy.policy.languages)
    version = {"dct:hasVersion": str(policy.policy.version)}
    yield {"@id": "#notice", "@type": "dpv:PrivacyNotice", "dct:language": languages, **version, **issued}


KEYS: Mapping[str, Claim] = {
    "version": ROOM,
    "effective": ROOM,
    "languages": NOTICE,
    "law": profiles_of,
    "covers": STATEMENT,
    "flows": undeclared_flows,
    "governing law": STATEMENT,
    "glossary": NOTICE,
    "answers": NOTICE,
    "answers.question": NOTICE,
    "answers.holds": NOTICE,
}

KIND = Kind(
    id="policy.version",
    order=10,
    makes=_makes,
    tell=_tell,
    place=("who", "here"),
    lint=(version_or_day_missing, answer_without_content),
    entries=Entries("policy", Weight(), keys=KEYS),
    nodes=_notice,
)
