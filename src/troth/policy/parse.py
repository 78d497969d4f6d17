"""From files to a ``Policy``: validation with exact places, and the references between entries.

``read_policy`` never stops at the first problem. What cannot be read as the model is reported as ``P-01`` findings, a name
that nothing defines as ``P-03``; only a file that is no YAML at all raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from troth.policy.closed import Phrase
from troth.policy.document import Document
from troth.policy.findings import Finding, Path, did_you_mean
from troth.policy.model import Policy
from troth.policy.references import Word, known, unfilled, words_of

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
    return Reading(document, policy, findings + tuple(dangling(document, policy, policy)))


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
    rule = getattr(error.get("ctx", {}).get("error"), "rule", rule)
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
            words = [word.strip("'") for word in error["ctx"]["expected"].replace(" or ", ", ").split(", ")]
            return f"`{error['input']}` is not one of the words for `{_key(path)}`.", did_you_mean(
                str(error["input"]), words
            )
        case "value_error":
            return f"{error['ctx']['error']}.", getattr(error["ctx"]["error"], "hint", "")
        case "string_pattern_mismatch":
            return f"`{error['input']}` does not fit `{name}`.", f"It must match {error['ctx']['pattern']}."
        case _:
            return f"`{name}`: {error['msg'][0].lower()}{error['msg'][1:]}.", ""


def _key(path: Path) -> str:
    """The key at ``path`` as one names it: without the number of an item in a list."""
    return ".".join(part for part in path if not part.isdigit())


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


def dangling(document: Document, written: BaseModel, policy: Policy) -> Iterator[Finding]:
    """Every name in ``written``, which ``document`` holds, that names nothing in ``policy``."""
    for word in words_of(written):
        missing = unfilled(policy, word)
        if isinstance(word.word, Phrase) and missing is None:
            continue
        what, names = missing or (word.refers.sections[0], known(policy, word))
        named = word.word.named if isinstance(word.word, Phrase) else word.word
        if named not in names:
            message = f"unknown {_singular(what, word)} `{named}`."
            yield Finding(
                "P-03", "error", word.path, document.place(word.path), message, _defined(document, named, names)
            )


def _singular(section: str, word: Word) -> str:
    if section == "for an only":
        verbs = getattr(word.entry, "never", ""), getattr(word.entry, "only", "")
        return "collection point" if "collect" in verbs else "purpose"
    return {"people": "kind of people", "collection": "collection point"}.get(section, section.rstrip("s"))


def _defined(document: Document, word: str, names: list[str]) -> str:
    hint = did_you_mean(word, names)
    close = hint.removeprefix("Did you mean `").removesuffix("`?")
    lines = [place.line for path, place in document.places.items() if len(path) == 2 and path[1] == close]
    return f"{hint} (defined at line {lines[0]})" if hint.startswith("Did") and lines else hint
