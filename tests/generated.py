"""Whole sites that nobody wrote: a policy drawn from the language's own model, the decisions that settle it, and the wiring.

The model says which sections and options there are, so that a new option is drawn as soon as it exists. What follows here is
only what the model cannot say: which words belong where, and that clocks are short, so that they run out within a few days.
What the linter calls an error is settled by a decision that sets nothing: then the rule's own resolution must hold.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from troth.policy.check import check_texts
from troth.policy.model import Policy
from troth.policy.periods import Period
from troth.policy.places import within
from troth.policy.references import by_key, sections
from troth.policy.words import Text

LEFT_OUT = 0.4
"""how often an option is not written"""
SECTION_LEFT_OUT = 0.2
SIZES = {"people": (1, 3), "data": (3, 8), "purposes": (2, 5), "collection": (2, 4), "recipients": (1, 4)}
FEW = (0, 3)
ALWAYS = frozenset({"policy", "operator", "people", "data", "purposes", "collection"})
CATEGORIES = (
    *("pd:Name", "pd:TelephoneNumber", "pd:PhysicalAddress", "pd:Interest", "pd:BirthDate", "pd:Communication"),
    *("pd:Purchase", "pd:IPAddress", "pd:BrowserHistory", "pd:Gender", "pd:Opinion", "pd:PaymentCard", "pd:Job"),
)
SHORT = ("12 hours", "1 day", "2 days", "3 days", "5 days", "1 week")
COUNTRIES = ("GB", "US", "TW", "FR")
PLACES = (*COUNTRIES, "EU", "EEA")
SOON = (date(2026, 1, 7), date(2026, 1, 9), date(2030, 1, 1))
DATES: Mapping[str, tuple[date, ...]] = {
    "policy.effective": (date(2024, 1, 1), date(2025, 6, 1)),
    "recipients.*.safeguard.until": SOON,
    "purposes.*.before": SOON,
}
WORDS: Mapping[str, tuple[str, ...]] = {
    "transfers.stored in": COUNTRIES,
    "transfers.may move to": COUNTRIES,
    "*.dpv": ("dpv:DirectMarketing", "dpv:PaymentManagement"),
    "*.country": COUNTRIES,
    "operator.time zone": ("Asia/Taipei", "Europe/London", "America/Los_Angeles"),
    "*.email": ("privacy@made.example",),
    "*.policy url": ("https://outsider.example/privacy",),
}
"""Words that the model leaves to its author, by path; ``*`` stands for an id, or at the start for any section."""


@dataclass(frozen=True)
class Generated:
    """One site: the text of its three files, and what of the model its policy writes, as ``Class.field`` or ``=value``."""

    seed: int
    policy: str
    decisions: str
    site: str
    used: frozenset[str]

    def write(self, folder: Path) -> Path:
        """The site as a folder."""
        folder.mkdir(parents=True)
        (folder / "policy.yaml").write_text(self.policy, "utf-8")
        (folder / "decisions.yaml").write_text(self.decisions, "utf-8")
        (folder / "site.yaml").write_text(self.site, "utf-8")
        return folder

    def shown(self) -> str:
        """What somebody needs to see it again."""
        return f"seed {self.seed}\n--- policy.yaml\n{self.policy}--- decisions.yaml\n{self.decisions}"


def generated(seed: int) -> Generated:
    """The site that follows from ``seed``."""
    maker = _Maker(Random(f"generated:{seed}"))
    tree = maker.policy()
    _answer(tree)
    policy = _yaml(tree)
    return Generated(seed, policy, _settled(policy), _yaml(_wiring(seed, tree, maker.random)), frozenset(maker.used))


def _answer(tree: dict[str, Any]) -> None:
    """Let a section that is not empty answer each question that none would: only a value settles that."""
    for error in check_texts(_yaml(tree)).unsettled:
        if error.rule == "E-27" and error.path[:2] == ("policy", "answers"):
            tree["policy"]["answers"][int(error.path[2])]["holds"] = ["purposes"]


def _settled(policy: str) -> str:
    """Decisions that settle every error; what does not even fit the model is a mistake of this generator."""
    errors = check_texts(policy).unsettled
    wrong = [error.line() for error in errors if error.rule.startswith(("P-", "D-"))]
    assert not wrong, f"{wrong}\n{policy}"
    keys = sorted({error.key for error in errors})
    taken = {"settles": keys, "because": "the strict reading holds", "by": "somebody", "on": date(2026, 1, 1)}
    return _yaml({"decisions": [taken]}) if keys else ""


def _wiring(seed: int, tree: Mapping[str, Any], random: Random) -> dict[str, Any]:
    partners = [key for key in tree.get("recipients", {}) if random.random() < 0.8]
    attested = {key: {"by": "somebody", "until": random.choice(SOON)} for key in tree.get("security", {})}
    store = {"database": "sqlite:///var/data.db", **_country(tree, random)}
    return {
        "name": f"generated-{seed}",
        "title": "Generated",
        "store": store,
        "partners": partners,
        "mail": {"sender": "privacy@made.example"},
        "attested": attested,
    }


def _country(tree: Mapping[str, Any], random: Random) -> dict[str, str]:
    """A country that all the policy says of where data is kept allows; none, if it contradicts itself."""
    allowed = [tree.get("transfers", {}).get("stored in", COUNTRIES)]
    allowed += [one.get("in", ()) for one in tree.get("absolutes", {}).values() if one.get("only") == "store"]
    countries = [one for one in COUNTRIES if all(within(one, places) for places in allowed)]
    return {"country": random.choice(countries)} if countries else {}


def _yaml(tree: Mapping[str, Any]) -> str:
    """A line for each entry, in the flow style that JSON and YAML share."""
    return "".join(_lines(tree))


def _lines(tree: Mapping[str, Any]) -> Iterator[str]:
    for key, value in tree.items():
        if isinstance(value, dict) and value and all(isinstance(one, dict) for one in value.values()):
            yield f"{key}:\n"
            yield from (f"  {name}: {_flow(entry)}\n" for name, entry in value.items())
        else:
            yield f"{key}: {_flow(value)}\n"


def _flow(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


@dataclass
class _Maker:
    random: Random
    ids: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    used: set[str] = field(default_factory=set)

    def policy(self) -> dict[str, Any]:
        """The whole tree; ids first, since everything refers to them."""
        sections = {info.alias or name: info for name, info in Policy.model_fields.items()}
        kept = [key for key in sections if key in ALWAYS or self.random.random() > SECTION_LEFT_OUT]
        for key in kept:
            if get_origin(sections[key].annotation) is dict:
                self.ids[key] = self._ids(key)
        self.ids["relationship"] = [one for one in self.ids["people"] if self.random.random() < 0.8]
        tree = {key: self._section(key, sections[key]) for key in kept}
        self.used |= {f"Policy.{name}" for name, info in Policy.model_fields.items() if (info.alias or name) in tree}
        return tree

    def _ids(self, section: str) -> list[str]:
        stem = section.replace(" ", "_").rstrip("s")
        ids = [f"{stem}_{number}" for number in range(self.random.randint(*SIZES.get(section, FEW)))]
        return ["email", *ids[1:]] if section == "data" else ids

    def _section(self, key: str, info: FieldInfo) -> Any:
        annotation = _plain(info.annotation)
        if get_origin(annotation) is dict:
            model = get_args(annotation)[1]
            return {one: self._entry(model, (key, one)) for one in self.ids[key]}
        return self._entry(annotation, (key,))

    def _entry(self, model: type[BaseModel], path: tuple[str, ...]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, info in model.model_fields.items():
            alias = info.alias or name
            where = (*path, alias)
            if not info.is_required() and not _must(where) and self.random.random() < LEFT_OUT:
                continue
            value = self._value(info, where, made)
            if value is not None:
                made[alias] = value
                self.used |= {f"{model.__name__}.{name}"} | _words_used(model, name, info, value)
        return _sensible(made, path, self)

    def _value(self, info: FieldInfo, path: tuple[str, ...], made: Mapping[str, Any]) -> Any:
        own = _OWN.get(_pattern(path))
        return own(self, made) if own else self._of(_plain(info.annotation), path, info)

    def _of(self, kind: Any, path: tuple[str, ...], info: FieldInfo) -> Any:
        random, pattern = self.random, _pattern(path)
        if get_origin(kind) is Literal:
            return random.choice([word for word in get_args(kind) if word])
        if kind is Text:
            return random.choice([f"words about {path[-1]}", {"en": f"words about {path[-1]}", "zh-Hant": "說明"}])
        if kind is bool:
            return random.random() < 0.4
        if kind is int:
            return random.randint(2, 18)
        if kind is Period:
            return random.choice(SHORT)
        if kind is date:
            return random.choice(DATES.get(pattern, SOON))
        if kind is str:
            return self._one(pattern, path)
        if get_origin(kind) is tuple:
            return self._many(get_args(kind)[0], pattern, path, info)
        if get_origin(kind) is dict:
            return self._mapping(kind, path, info)
        return self._entry(kind, path)

    def _known(self, pattern: str) -> list[str]:
        """The words that ``pattern`` may hold; none when any word will do."""
        refers = by_key().get(pattern)
        words = [one for name in refers.sections for one in self._ids_of(name)] + [*refers.also] if refers else []
        general = f"*.{pattern.rpartition('.')[2]}"
        return [*words, *WORDS.get(pattern, WORDS.get(general, ()))]

    def _ids_of(self, section: str) -> list[str]:
        elsewhere = {"roles": ["finance", "support desk", "desk"], "topics": ["why", "what", "how long"]}
        elsewhere |= {"sections": [*sections()], "entries": [f"data.{one}" for one in self.ids["data"]]}
        return elsewhere.get(section) or self.ids[section]

    def _one(self, pattern: str, path: tuple[str, ...]) -> str | None:
        known = self._known(pattern)
        if known:
            return self.random.choice(known)
        return None if pattern in by_key() else f"some {path[-1]}"

    def _many(self, kind: Any, pattern: str, path: tuple[str, ...], info: FieldInfo) -> list[Any] | None:
        if _plain(kind) is Text:
            return [self._of(Text, path, info)]
        if isinstance(_plain(kind), type) and issubclass(_plain(kind), BaseModel):
            return [self._entry(_plain(kind), path) for _ in range(self.random.randint(1, 2))]
        if get_origin(_plain(kind)) is Literal:
            known: list[Any] = list(get_args(_plain(kind)))
        else:
            known = self._known(pattern) or ([] if pattern in by_key() else [f"some {path[-1]}"])
        if not known:
            return None
        return self.random.sample(known, self.random.randint(1, min(len(known), 5)))

    def _mapping(self, kind: Any, path: tuple[str, ...], info: FieldInfo) -> dict[str, Any]:
        key, value = get_args(kind)
        keys = get_args(key) if get_origin(key) is Literal else ("something",)
        return {one: self._of(_plain(value), (*path, one), info) for one in self.random.sample(keys, 1)}


def _plain(annotation: Any) -> Any:
    """The type without ``None`` and without what ``Annotated`` adds."""
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(one for one in get_args(annotation) if one is not NoneType)
    return _plain(get_args(annotation)[0]) if get_origin(annotation) is Annotated else annotation


SINGLE = frozenset({"policy", "operator", "visits", "request log", "erasure", "transfers", "changes", "backups"})
"""sections that are one entry, without ids"""


def _pattern(path: tuple[str, ...]) -> str:
    """``purposes.*.uses`` for the uses of any purpose."""
    return ".".join(path if path[0] in SINGLE else (path[0], "*", *path[2:]))


def _must(path: tuple[str, ...]) -> bool:
    return _pattern(path) in MUST


MUST = frozenset(
    {"policy.version", "operator.name", "operator.email", "operator.roles", "retention.*.keep", "relationship.*.ends"}
    | {"collection.*.required"}
)
"""What is written nearly always or always; without a name and an address the promise to say them is broken."""


def _words_used(model: type[BaseModel], name: str, info: FieldInfo, value: Any) -> set[str]:
    """The closed words that were written, each by its name."""
    annotation = _plain(info.annotation)
    if get_origin(annotation) is tuple:
        annotation = _plain(get_args(annotation)[0])
    if get_origin(annotation) is not Literal:
        return set()
    return {f"{model.__name__}.{name}={word}" for word in (value if isinstance(value, list) else [value])}


def _different(maker: _Maker, made: Mapping[str, Any]) -> dict[str, str] | None:
    asked = [*made.get("required", ()), *made.get("optional", ())]
    return {asked[-1]: asked[0]} if asked[-1] != asked[0] else None


_SAFE = ("collection", "relationship ends", "request", "last contact", "account closed", "order")


def _after(maker: _Maker, made: Mapping[str, Any]) -> list[str]:
    """What happens by itself in a rehearsal, or is never reported there; ages follow from dates of birth that it makes up."""
    words = [*_SAFE, *maker.ids["events"], *(f"withdrawal of {one}" for one in maker.ids["purposes"])]
    return maker.random.sample(words, maker.random.choice((1, 1, 2)))


def _until(maker: _Maker, made: Mapping[str, Any]) -> list[str] | None:
    return [one for one in _after(maker, made) if one != "collection"] or None


def _what(maker: _Maker, made: Mapping[str, Any]) -> list[str]:
    random, everything = maker.random, [f"everything about a {one}" for one in maker.ids["people"]]
    logs = ("request log", "staff log") if random.random() < 0.1 else ()
    return random.sample([*everything, *maker.ids["data"], *logs], random.randint(1, 3))


_OWN: Mapping[str, Callable[[_Maker, Mapping[str, Any]], Any]] = {
    "policy.version": lambda maker, made: 1,
    "operator.roles": lambda maker, made: {"finance": "finance", "support desk": {"en": "support", "zh-Hant": "支援"}},
    "data.*.category": lambda maker, made: maker.random.choice(CATEGORIES),
    "collection.*.keeps when different": _different,
    "retention.*.what": _what,
    "retention.*.after": _after,
    "retention.*.until": _until,
    "operator.financial year ends": lambda maker, made: maker.random.choice(("31 March", "8 January", "28 February")),
    "absolutes.*.for": lambda maker, made: [],
    "absolutes.*.in": lambda maker, made: [],
}


def _sensible(made: dict[str, Any], path: tuple[str, ...], maker: _Maker) -> dict[str, Any]:
    """What an author never writes: an absolute that is neither or both; an address by which nobody is known; an archive that
    counts from an event that may never come, of which the policy cannot say how long it keeps anything."""
    random = maker.random
    if path[0] == "retention":
        if random.random() < 0.75:
            made.pop("until", None)
        if "until" in made:
            for key in ("keep", "archive", "counted from", "after"):
                made.pop(key, None)
        if made.get("archive"):
            made["after"] = ["collection"]
    if path[0] == "absolutes":
        if ("never" in made) == ("only" in made):
            made.pop("never", None)
            made["only" if random.random() < 0.5 else "never"] = random.choice(("disclose", "read", "collect", "store"))
            made.pop("only", None) if "never" in made else None
        made.pop("in", None)
        if made.get("only") == "store":
            made["in"] = random.sample(PLACES, 2)
        if made.get("only", "store") == "store":
            made.pop("for", None)
        elif "for" in made:
            of = maker.ids["collection" if made["only"] == "collect" else "purposes"]
            made["for"] = random.sample(of, min(2, len(of)))
        if made.get("never", made.get("only")) not in {"disclose", "sell"}:
            made.pop("to", None)
    if path[0] == "automated decisions" and made.get("made") == "never":
        made.pop("for", None)
        made.pop("ground", None)
    if path == ("data", "email"):
        made |= {"category": "pd:EmailAddress", "identifies": True, "protect": "sealed"}
    if path[0] == "collection":
        if random.random() < 0.7:
            made.pop("needs", None)
        made |= {"members only": True} if made.get("needs") else {}
        asked = [one for one in made.get("optional", ()) if one not in made["required"]]
        made.pop("optional", None)
        made |= {"optional": asked} if asked else {}
    return made


def options() -> frozenset[str]:
    """Everything that the model lets a policy write: each field, and each closed word of it, as ``Generated.used`` says it."""
    found: set[str] = set()
    _options(Policy, found)
    return frozenset(found)


def _options(model: type[BaseModel], found: set[str]) -> None:
    for name, info in model.model_fields.items():
        found.add(f"{model.__name__}.{name}")
        annotation = _plain(info.annotation)
        inner = get_args(annotation)[-1] if get_origin(annotation) is dict else annotation
        inner = _plain(get_args(inner)[0]) if get_origin(inner) is tuple else _plain(inner)
        if get_origin(inner) is Literal:
            found |= {f"{model.__name__}.{name}={word}" for word in get_args(inner) if word}
        elif isinstance(inner, type) and issubclass(inner, BaseModel) and inner is not Text:
            _options(inner, found)
