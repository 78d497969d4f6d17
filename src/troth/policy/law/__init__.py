"""What the law asks of a policy and what it supplies where a policy is silent: dated data with its sources, never code.

The files beside this module hold one profile each (``eu-gdpr.yaml``), the countries that have adequate protection
(``adequacy.yaml``, for the EU and the UK apart), the authorities to complain to (``authorities.yaml``) and the ages from
which children agree themselves (``ages.yaml``). They are notes for counsel to confirm, and every entry names the article or
page it was taken from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field

from troth.policy.closed import Country
from troth.policy.document import parse_document
from troth.policy.findings import Path, Severity
from troth.policy.model import Erasure, Policy, Right
from troth.policy.parse import fit
from troth.policy.periods import Period
from troth.policy.words import Noted, Section, Several

M = TypeVar("M", bound=BaseModel)
ADEQUACY = {"eu-gdpr": "eu", "uk-gdpr": "uk"}


class Requirement(Section):
    """Something a notice must hold; ``rule`` is the lint rule that looks for it."""

    rule: str
    must: str
    source: str
    about: str = Field(
        "", description="the part of the rule it is about; blank for all of the rule that has no own entry"
    )
    severity: Severity | None = Field(None, description="severity of the rule under this law")


class SuppliedRight(Section):
    """A right that people have under this law, whether a policy says so or not."""

    right: str
    source: str
    within: Period | None = None
    extended: Period | None = Field(None, description="how much longer a hard case may take, when the person is told")
    when: Literal["always", "consent", "marketing", "objectable", "portable", "automated decisions"] = "always"


class Breach(Section):
    """Whom a breach must be told to and how soon."""

    authority_within: Period | None = None
    people: str = ""
    source: str


class Authority(Section):
    """Where people can complain."""

    name: str
    url: str = ""
    country: Country
    code: str = Field("", description="how a policy names it; blank for the one of its country")


class Duty(Section):
    """Another duty with a number in it."""

    what: str
    within: Period
    source: str


class Profile(Section):
    """One law: which notice it asks for, what it supplies, and from which day this description of it is."""

    id: str
    name: str
    as_of: date
    sources: Several[Noted]
    home: tuple[Country, ...] = Field((), description="countries between which data moves freely")
    authority: Authority | None = Field(None, description="the one authority; blank when it depends on the country")
    notice: tuple[Requirement, ...] = ()
    rights: tuple[SuppliedRight, ...] = ()
    breach: Breach | None = None
    duties: tuple[Duty, ...] = ()
    unsubscribe: str = Field("", description="the source that asks for a way out in every promotional message")
    processors: str = Field("", description="the source that asks for an agreement with every processor")

    def requirement(self, rule: str, about: str = "") -> Requirement | None:
        """What this law says about what lint rule ``rule`` looks for, or about the part of it that is named."""
        found = {item.about: item for item in self.notice if item.rule == rule}
        return found.get(about) or found.get("")


def processors_need_an_agreement(policy: Policy) -> bool:
    """Whether a law of the policy asks for an agreement with those who work with data on the operator's behalf."""
    return any(law.processors for law in profiles_of(policy))


class Adequate(Section):
    """The countries to which data may go as if they were at home, as one side sees it."""

    as_of: date
    source: str
    countries: tuple[Country, ...]
    partly: dict[str, str] = Field(default_factory=dict, description="countries, and what only is adequate there")


class _Adequacy(Section):
    eu: Adequate
    uk: Adequate


class Ages(Section):
    """From which age on people agree themselves to what an online service does with their data; younger ones, a parent."""

    as_of: date
    source: str
    ages: dict[str, int] = Field(description="by law, where a country says nothing else")
    national: dict[str, int] = Field(description="by country, under the law of the EU")
    sources: dict[str, str] = Field(default_factory=dict, description="of a law or a country, where it is worth naming")


class Article(Section):
    """One article: what it asks, and the rules that see in a policy that it is not met, or why no rule can."""

    article: str
    asks: str
    rules: tuple[str, ...] = ()
    nothing: str = Field("", description="why a policy file can show nothing, or what keeps it instead")


class Walk(Section):
    """One law, article by article. ``profile`` is the one that it belongs to; blank for what holds under any."""

    law: str
    profile: str
    articles: tuple[Article, ...]


class _Walks(Section):
    as_of: date
    walks: tuple[Walk, ...]


class _Authorities(Section):
    as_of: date
    source: str
    authorities: tuple[Authority, ...]


def _load(name: str, model: type[M]) -> M:
    text = files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    read, findings = fit(parse_document(text, f"{name}.yaml"), model)
    if read is None:
        raise ValueError("; ".join(finding.line() for finding in findings))
    return read


@cache
def profile(law: str) -> Profile:
    """The profile of ``law``, such as ``eu-gdpr``."""
    return _load(law, Profile)


def profiles_of(policy: Policy) -> tuple[Profile, ...]:
    """The profiles that ``policy`` names, in its order."""
    return tuple(profile(law) for law in policy.policy.law)


@cache
def adequate(law: str) -> Adequate | None:
    """The adequacy list that goes with ``law``; None for a law that has none."""
    side = ADEQUACY.get(law)
    return getattr(_load("adequacy", _Adequacy), side) if side else None


@cache
def walks() -> tuple[Walk, ...]:
    """The laws article by article, for the reference and for whoever asks what the linter does not see."""
    return _load("articles", _Walks).walks


@cache
def ages() -> Ages:
    """The ages of consent that the laws and countries have."""
    return _load("ages", Ages)


def age_of_consent(law: str, country: str | None) -> tuple[int, str] | None:
    """The age below which a parent must agree under ``law`` for an operator in ``country``, and its source."""
    table = ages()
    national = table.national.get(country or "") if law == "eu-gdpr" else None
    age = national if national is not None else table.ages.get(law)
    if age is None:
        return None
    return age, table.sources.get(country or "" if national is not None else law) or table.sources[law]


@cache
def authorities() -> Mapping[str, Authority]:
    """The authorities that people can complain to, by code: a country, or a part of one that has its own, as `DE-BY`."""
    return {item.code or item.country: item for item in _load("authorities", _Authorities).authorities}


EEA = "EEA"


def complaint_to(policy: Policy) -> tuple[Authority | None, tuple[Authority, ...]]:
    """The operator's own authority, and the others that people may turn to: where they live or work, under the GDPR."""
    named = [authorities()[code] for code in policy.operator.authority if code in authorities()]
    laws = profiles_of(policy)
    of_laws = [law.authority for law in laws if law.authority is not None]
    own = named[0] if named else authority_at_home(policy, of_laws)
    wide = EEA in policy.operator.authority or any(law.id == "eu-gdpr" for law in laws)
    home = profile("eu-gdpr").home
    rest = [*named, *of_laws, *(one for one in authorities().values() if wide and one.country in home)]
    return own, tuple(one for one in dict.fromkeys(rest) if own is None or one.url != own.url)


def authority_at_home(policy: Policy, of_laws: list[Authority]) -> Authority | None:
    """The authority of the operator's country, unless its parts have their own: then the operator names which."""
    country = policy.operator.country
    at_home = next((one for one in of_laws if one.country == country), None)
    if at_home is None and not has_several_authorities(country):
        at_home = authorities().get(country or "")
    return at_home or next(iter(of_laws), None)


def has_several_authorities(country: str | None) -> bool:
    """Whether the parts of ``country`` have authorities of their own."""
    return any(one.code.startswith(f"{country}-") for one in authorities().values())


@dataclass(frozen=True)
class Supplied:
    """A policy with what the law adds; ``origins`` says of each added part which law it comes from."""

    policy: Policy
    origins: Mapping[Path, str]


def supply(policy: Policy, profiles: tuple[Profile, ...]) -> Supplied:
    """Add to ``policy`` the rights, times and ways out that ``profiles`` require and it leaves out."""
    rights, origins = dict(policy.rights), dict[Path, str]()
    for law in profiles:
        _supply_rights(policy, law, rights, origins)
    changed: dict[str, Any] = {"rights": rights}
    changed.update(_erasure(policy, rights, origins))
    changed.update(_ways_out(policy, profiles, origins))
    return Supplied(policy.model_copy(update=changed), origins)


_UNDER: Mapping[str, frozenset[str]] = {
    "objectable": frozenset({"legitimate interest", "public task", "not stated"}),
    "portable": frozenset({"consent", "contract", "not stated"}),
}
"""what a right depends on, by the bases of which one makes it due: GDPR Art. 21(1) and 20(1)"""


def due(policy: Policy, law: Profile) -> Iterator[SuppliedRight]:
    """The rights that people have under ``law``, given what ``policy`` does with their data."""
    bases = {purpose.basis for purpose in policy.purposes.values()}
    facts = {"always", *bases, *(fact for fact, under in _UNDER.items() if bases & under)}
    if any(purpose.marketing for purpose in policy.purposes.values()):
        facts.add("marketing")
    if any(one.made == "by a machine alone" for one in getattr(policy, "automated_decisions", {}).values()):
        facts.add("automated decisions")
    yield from (right for right in law.rights if right.when in facts)


def _supply_rights(policy: Policy, law: Profile, rights: dict[str, Right], origins: dict[Path, str]) -> None:
    for asked in due(policy, law):
        origin = f"law {law.id} {asked.source}"
        if all(right.right != asked.right for right in rights.values()):
            key = f"law_{asked.right.replace(' ', '_')}"
            rights[key] = Right.model_validate({"right": asked.right, "by": ["e-mail", "letter", "web"]})
            origins["rights", key] = origin
        for key, right in rights.items():
            if right.right == asked.right and asked.within and _sooner(policy, key, right, asked.within):
                rights[key] = right.model_copy(update={"answer_within": asked.within})
                origins["rights", key, "answer within"] = origin


def _sooner(policy: Policy, key: str, right: Right, within: Period) -> bool:
    """Whether the law's time counts: the policy's own words stand when they are at least as quick."""
    return right.answer_within is None or within < right.answer_within


def _erasure(policy: Policy, rights: Mapping[str, Right], origins: dict[Path, str]) -> dict[str, Any]:
    times = {r.answer_within: key for key, r in rights.items() if r.right == "erasure" and r.answer_within}
    erasure = policy.erasure or Erasure()
    lawful = min((item for law in profiles_of(policy) for item in _erased_within(law)), default=None)
    if erasure.destroy_within is not None and lawful is not None and lawful[0] < erasure.destroy_within:
        origins["erasure", "destroy within"] = lawful[1]
        return {"erasure": erasure.model_copy(update={"destroy_within": lawful[0]})}
    if not times or erasure.destroy_within is not None:
        return {}
    within = min(times)
    origins["erasure", "destroy within"] = origins.get(
        ("rights", times[within], "answer within"), f"the policy's own `rights.{times[within]}`"
    )
    return {"erasure": erasure.model_copy(update={"destroy_within": within})}


def _erased_within(law: Profile) -> Iterator[tuple[Period, str]]:
    yield from (
        (item.within, f"law {law.id} {item.source}") for item in law.rights if item.right == "erasure" and item.within
    )


def _ways_out(policy: Policy, profiles: tuple[Profile, ...], origins: dict[Path, str]) -> dict[str, Any]:
    source = next((f"law {law.id} {law.unsubscribe}" for law in profiles if law.unsubscribe), "")
    messages = dict(policy.messages)
    for key, message in policy.messages.items():
        if source and message.kind == "promotional" and message.unsubscribe == "none":
            messages[key] = message.model_copy(update={"unsubscribe": "link"})
            origins["messages", key, "unsubscribe"] = source
    return {"messages": messages}
