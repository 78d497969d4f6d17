"""From files to a ``Policy``: validation with exact places, and the references between entries.

``read_policy`` never stops at the first problem. What cannot be read as the model is reported as ``P-01`` findings, a name
that nothing defines as ``P-03``; only a file that is no YAML at all raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from troth.policy.document import Document
from troth.policy.findings import Finding, Path, did_you_mean
from troth.policy.model import Policy
from troth.policy.words import Section

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Reading:
    """A policy file as read: ``policy`` is None when it does not fit the model; ``findings`` say why."""

    document: Document
    policy: Policy | None
    findings: tuple[Finding, ...]


def read_policy(document: Document) -> Reading:
    """Validate ``document`` against the model and check that every name it uses is defined."""
    policy, findings = fit(document, Policy)
    if policy is None:
        return Reading(document, None, findings)
    return Reading(document, policy, findings + tuple(_dangling(document, policy)))


def fit(document: Document, model: type[M], rule: str = "P-01") -> tuple[M | None, tuple[Finding, ...]]:
    """``document`` as ``model``, or None and one finding of ``rule`` for everything that does not fit, in file order."""
    try:
        return model.model_validate(document.tree), document.findings
    except ValidationError as errors:
        found = [_finding(document, error, model, rule) for error in errors.errors(include_url=False)]
        return None, document.findings + tuple(sorted(found, key=lambda f: f.place))


def _finding(document: Document, error: Any, model: type[BaseModel], rule: str) -> Finding:
    path = _path(document, error["loc"], model)
    message, hint = _words(error, path, model)
    return Finding(rule, "error", path, document.place(path), message, hint)


def _path(document: Document, loc: tuple[int | str, ...], model: type[BaseModel]) -> Path:
    parts = tuple(str(part) for part in loc if part != "[key]")
    while len(parts) > 1 and parts not in document.places and parts[:-1] in document.places:
        if parts[-1] in _keys_of_model(parts[:-1], model):
            break
        parts = parts[:-1]
    return parts


def _words(error: Any, path: Path, model: type[BaseModel]) -> tuple[str, str]:
    name = path[-1] if path else "policy"
    match error["type"]:
        case "extra_forbidden":
            return f"unknown key `{name}`.", did_you_mean(name, _keys_of_model(path[:-1], model))
        case "missing":
            return f"`{name}` is missing.", "Add it; the policy reference says what it may hold."
        case "literal_error":
            known = [word.strip("'") for word in error["ctx"]["expected"].replace(" or ", ", ").split(", ")]
            return f"`{error['input']}` is not one of the words for `{name}`.", did_you_mean(str(error["input"]), known)
        case "value_error":
            return f"{error['ctx']['error']}.", ""
        case "string_pattern_mismatch":
            return f"`{error['input']}` does not fit `{name}`.", f"It must match {error['ctx']['pattern']}."
        case _:
            return f"`{name}`: {error['msg'][0].lower()}{error['msg'][1:]}.", ""


def _keys_of_model(path: Path, root: type[BaseModel]) -> list[str]:
    model: Any = root
    for part in path:
        model = _step(model, part)
        if model is None:
            return []
    if isinstance(model, type) and issubclass(model, BaseModel):
        return [info.alias or name for name, info in model.model_fields.items()]
    return []


def _step(model: Any, part: str) -> Any:
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        arguments = get_args(model)
        if len(arguments) != 2:
            return None
        return arguments[0] if arguments[1] is Ellipsis else arguments[1]
    for name, info in model.model_fields.items():
        if (info.alias or name) == part:
            return _inner(info.annotation)
    return None


def _inner(annotation: Any) -> Any:
    options = [option for option in get_args(annotation) if option is not type(None)]
    return options[0] if len(options) == 1 else annotation


REFERENCES: dict[str, tuple[str, ...]] = {
    "purposes.*.uses": ("data",),
    "purposes.*.people": ("people",),
    "collection.*.people": ("people",),
    "collection.*.required": ("data",),
    "collection.*.optional": ("data",),
    "collection.*.for": ("purposes",),
    "collection.*.offers": ("purposes", "recipients"),
    "collection.*.partners": ("recipients",),
    "collection.*.counts as consent": ("purposes",),
    "recipients.*.receives": ("data",),
    "recipients.*.for": ("purposes",),
    "recipients.*.consent": ("purposes", "=itself"),
    "cookies.*.set by": ("recipients", "=itself"),
    "cookies.*.holds": ("data",),
    "cookies.*.for": ("purposes",),
    "cookies.*.consent": ("purposes",),
    "visits.records": ("data", "=time"),
    "visits.for": ("purposes",),
    "relationship.*": ("people",),
    "retention.*.people": ("people",),
    "retention.*.points": ("collection",),
    "retention.*.for": ("purposes",),
    "rights.*.against": ("purposes", "recipients", "=transfers", "=everything"),
    "request log.records": ("data", "=time", "=method"),
    "messages.*.for": ("purposes",),
    "messages.*.uses": ("data",),
    "statistics.*.by": ("data", "=day"),
    "statistics.*.for": ("purposes",),
    "statistics.*.shared with": ("recipients",),
    "transfers.held by": ("recipients",),
    "legal.*.data": ("data", "=everything"),
    "absolutes.*.what": ("data", "people", "=everything"),
    "absolutes.*.to": ("recipients",),
    "absolutes.*.unless": ("legal", "purposes", "recipients", "=consent"),
}
"""Which values of which keys name entries of which sections; ``=word`` allows a word that is no entry."""


def _dangling(document: Document, policy: Policy) -> Iterator[Finding]:
    for pattern, sections in REFERENCES.items():
        known = [w for s in sections for w in (_ids(policy, s) if not s.startswith("=") else [s[1:]])]
        for path, word in _values(policy, pattern):
            if word not in known:
                what = sections[0].rstrip("s") if sections[0] != "data" else "data"
                message = f"unknown {what} `{word}`."
                yield Finding("P-03", "error", path, document.place(path), message, _defined(document, word, known))


def _defined(document: Document, word: str, known: list[str]) -> str:
    hint = did_you_mean(word, known)
    close = hint.removeprefix("Did you mean `").removesuffix("`?")
    lines = [place.line for path, place in document.places.items() if len(path) == 2 and path[1] == close]
    return f"{hint} (defined at line {lines[0]})" if hint.startswith("Did") and lines else hint


def _ids(policy: Policy, section: str) -> list[str]:
    return list(getattr(policy, section))


def _values(policy: Policy, pattern: str) -> Iterator[tuple[Path, str]]:
    parts = pattern.split(".")
    section: Any = getattr(policy, parts[0].replace(" ", "_"))
    if section is None:
        return
    if parts[-1] == "*":
        yield from (((parts[0], key), key) for key in section)
        return
    entries = section.items() if isinstance(section, dict) else [("", section)]
    for key, entry in entries:
        path = (parts[0], key) if key else (parts[0],)
        yield from _words_of(entry, (*path, parts[-1]))


def _words_of(entry: Section, path: Path) -> Iterator[tuple[Path, str]]:
    field = path[-1].replace(" ", "_")
    value = getattr(entry, field, None) if hasattr(entry, field) else getattr(entry, f"{field}_")
    if isinstance(value, str):
        yield from [(path, value)] if value else []
    for number, word in enumerate(value if isinstance(value, tuple) else ()):
        yield (*path, str(number)), word
