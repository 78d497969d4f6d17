"""The reference of the policy language, made from the models: every section, key, type, default and meaning.

``make docs`` writes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from troth.policy.closed import Country, DataTerm, PurposeTerm, Refers, Url, Zone
from troth.policy.decisions import Decision
from troth.policy.law import Article, Walk, profile, walks
from troth.policy.lint import Rule, in_order
from troth.policy.model import Policy
from troth.policy.periods import Period
from troth.policy.report import READING
from troth.policy.vocabulary import Id, Role
from troth.policy.words import Entry, Text

_INTRODUCTION = """# The policy language

Made from the models by `python -m troth.policy.reference`; a test keeps it current.

A site folder holds `policy.yaml` (the promises) and `decisions.yaml` (what was decided where the policy is silent or at
odds with itself). Keys are written with spaces, as one reads them aloud. Every section may be left out; every section is
closed, so an unknown key is an error. What is left blank, or left as a placeholder such as `"[List of countries]"`, allows
nothing. Where a list is asked for, one word stands for a list of one.

Durations are a whole number and a unit: `30 days`, `12 hours`, `24 months`. Months and years go by the calendar.
Countries are two capital letters. Texts are one string for every language, or a mapping such as `{en: members, zh-Hant: 會員}`.
"""

_EVERY = """## Every entry

These keys may stand in every entry of every section.
"""

_RULES = """# Lint rules

Made from the rules by `python -m troth.policy.reference rules`; a test keeps it current.

`troth check` reports all findings in one run. A finding is settled by an entry of `decisions.yaml` that cites its key: the
rule and the path, such as `E-05 visits`. An error that nobody settled stops `troth serve`; a warning does not. Without a
`set`, a decision accepts what the last column says; where that is `None`, the finding stays open until a value is set.

Where the policy names a law, the severity may differ, and the finding names the article.
"""

_READING = """
## Files that cannot be read as a policy

These cannot be settled; they are corrected.

| rule | finds |
|---|---|
"""

_ARTICLES = """
## Article by article

What each article asks of a policy, and the rules that find a gap in it or a contradiction to it. Where a policy file can show
nothing, it says so, and why. It is a walk for counsel to confirm, as of the day in `policy/law/articles.yaml`.
"""

_BY_HAND = """
## What no rule can see

A sentence that says the reverse of what is meant, a passage in the wrong place or a term that means nothing is seen by
people. They quote it under the entry's `wording`, and it becomes a finding: `garbled` (E-08), `misplaced` (E-11),
`misspelt` (E-23), `undefined` (E-10), `open ended` (E-09), `doubled` (E-06). E-23 also knows a few common slips by itself.
"""


def policy_reference() -> str:
    """``docs/policy-reference.md``."""
    parts = [_INTRODUCTION, _EVERY, _table(Entry, set())]
    for name, info in Policy.model_fields.items():
        parts += _section(info.alias or name, info)
    parts += [
        "## `decisions.yaml`\n",
        "A list under `decisions:`, each entry with these keys.\n",
        _table(Decision, set()),
    ]
    return "\n".join(parts)


def rules_reference() -> str:
    """``docs/lint-rules.md``."""
    head = "| rule | finds | severity | by law | without a decision |\n|---|---|---|---|---|\n"
    rows = "".join(_rule_row(rule) for rule in in_order())
    reading = "".join(f"| {key} | {title} |\n" for key, title in READING.items())
    articles = "".join(_walk(walk) for walk in walks())
    return f"{_RULES}\n{head}{rows}{_ARTICLES}{articles}{_BY_HAND}{_READING}{reading}"


def _walk(walk: Walk) -> str:
    head = f"\n### {walk.law}\n\n| article | asks for | a policy file can show it by |\n|---|---|---|\n"
    return head + "".join(f"| {a.article} | {a.asks} | {_shown(a)} |\n" for a in walk.articles)


def _shown(article: Article) -> str:
    return ", ".join(article.rules) or f"nothing: {article.nothing}"


def _rule_row(rule: Rule) -> str:
    laws = [profile(law) for law in ("eu-gdpr", "uk-gdpr", "us-ca", "tw-pdpa")]
    by_law = [f"{law.id}: {item.severity}" for law in laws if (item := law.requirement(rule.id)) and item.severity]
    return f"| {rule.id} | {rule.title} | {rule.severity} | {', '.join(by_law) or 'the same'} | {rule.resolution} |\n"


def _section(key: str, info: FieldInfo) -> Iterator[str]:
    model, many = _model_of(info.annotation)
    means = _means(model)
    how = "A mapping from id to entry: " if many else ""
    yield f"## `{key}`\n"
    yield f"{how}{means}\n"
    yield _table(model, set(Entry.model_fields))
    for inner in _inner_models(model):
        yield f"### {inner.__name__}\n"
        yield f"{_means(inner)}\n"
        yield _table(inner, set(Entry.model_fields))


def _means(model: type[BaseModel]) -> str:
    words = " ".join((model.__doc__ or "").split()).replace("``", "`")
    head, colon, rest = words.partition(": ")
    return rest if colon and head.startswith("`") else words


def _table(model: type[BaseModel], without: set[str]) -> str:
    head = "| key | holds | default | means |\n|---|---|---|---|\n"
    rows = (_row(name, info) for name, info in model.model_fields.items() if name not in without)
    return head + "".join(rows)


def _row(name: str, info: FieldInfo) -> str:
    cells = (f"`{info.alias or name}`", _in_words(info), _default(info), (info.description or "").replace("|", "\\|"))
    return f"| {' | '.join(cells)} |\n"


def _in_words(info: FieldInfo) -> str:
    return _type(Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation)


_NAMED: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    bool: "`true` or `false`",
    date: "a day, as `2026-11-20`",
    Period: "a duration",
    Text: "text in one or more languages",
    Country: "a country",
    DataTerm: "a kind of personal data in DPV 2.3",
    PurposeTerm: "a purpose in DPV 2.3",
    Url: "a web address",
    Zone: "a time zone",
    Id: "an id",
    Role: "a role",
    Any: "any value",
}


def _type(kind: Any) -> str:
    if kind in _NAMED:
        return _NAMED[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        refers = next((mark for mark in arguments[1:] if isinstance(mark, Refers)), None)
        return _naming(refers) if refers else _list_of(arguments[0]) or _type(arguments[0])
    if origin is Literal:
        return " or ".join(f"`{word}`" if word != "" else "nothing" for word in arguments)
    if origin in (Union, UnionType):
        return " or ".join(_type(option) for option in arguments if option is not NoneType)
    if origin is dict:
        return f"a mapping to {_type(arguments[1])}"
    return _list_of(kind) or f"an entry (see {kind.__name__})"


def _naming(refers: Refers) -> str:
    """What a reference names, in words: `an id of `purposes` or `itself``."""
    named = [_ELSEWHERE.get(section, f"an id of `{section}`") for section in refers.sections]
    spelt = [f"`{slot.before[0]}<{slot.section}>`" for slot in refers.phrases]
    return " or ".join(dict.fromkeys([*named, *(f"`{word}`" for word in refers.also), *spelt]))


_ELSEWHERE = {
    "topics": "a topic of the notice",
    "sections": "a section",
    "entries": "an entry, as `rights.access`",
    "roles": "a role",
    "for an only": "an id of `purposes` or `collection`",
}


def _list_of(kind: Any) -> str:
    if get_origin(kind) is not tuple:
        return ""
    held = _type(get_args(kind)[0])
    return "one or more texts" if held == "text" else f"one or more: {held}"


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "needed"
    value = info.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return ", ".join(f"`{item}`" for item in value) or "blank"
    return f"`{value}`" if isinstance(value, str | int) and value != "" else "blank"


def _model_of(annotation: Any) -> tuple[type[BaseModel], bool]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    many = get_origin(annotation) is dict
    found = next(_model_of(part)[0] for part in get_args(annotation) if _holds_model(part))
    return found, many


def _holds_model(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, BaseModel)


def _inner_models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for info in model.model_fields.values():
        for part in (info.annotation, *get_args(info.annotation)):
            if _holds_model(part) and part is not Text:
                yield part
