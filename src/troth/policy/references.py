"""What the words of a policy refer to: found by walking the models, so that no key can be forgotten.

``words_of`` gives every word that must name something, with its place; ``known`` what it may name. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from troth.policy.assurances import Absolute
from troth.policy.closed import Phrase, Refers
from troth.policy.findings import Path
from troth.policy.model import Policy
from troth.policy.vocabulary import DESK_ROLES, TOPICS


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a policy that must name something: where it stands, in which entry, and what it may name."""

    path: Path
    word: str
    entry: BaseModel
    refers: Refers


def words_of(written: BaseModel) -> Iterator[Word]:
    """Every word of a policy, or of another file beside it, that refers to something; blanks refer to nothing."""
    yield from _in_model(written, (), written)


def known(policy: Policy, word: Word) -> list[str]:
    """What the word may name there."""
    named = [name for section in word.refers.sections for name in _names(policy, section, word.entry)]
    spelt = [slot.spelt(name) for slot in word.refers.phrases for name in _names(policy, slot.section, word.entry)]
    return [*named, *word.refers.also, *spelt]


def unfilled(policy: Policy, word: Word) -> tuple[str, list[str]] | None:
    """For a phrase whose slot names nothing: the section it should name, and what is there; None when it does."""
    if not isinstance(word.word, Phrase):
        return None
    slot = next(slot for slot in word.refers.phrases if slot.read(word.word))
    there = list(_names(policy, slot.section, word.entry))
    return None if word.word.named in there else (slot.section, there)


@cache
def by_key() -> Mapping[str, Refers]:
    """What the words of each key refer to, by key: `purposes.*.uses`, `transfers.held by`."""
    return dict(_marks(Policy, ()))


def _marks(annotation: Any, path: Path) -> Iterator[tuple[str, Refers]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, info in annotation.model_fields.items():
            yield from _marks(_type_of(info), (*path, info.alias or name))
    elif get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        yield from ((".".join(path), mark) for mark in marks if isinstance(mark, Refers))
        yield from _marks(inner, path)
    elif get_origin(annotation) is dict:
        yield from _marks(get_args(annotation)[0], (*path, "*"))
        yield from _marks(get_args(annotation)[1], (*path, "*") if len(path) == 1 else path)
    else:
        for part in get_args(annotation):
            yield from _marks(part, path) if part not in (Ellipsis, type(None)) else ()


def sections() -> tuple[str, ...]:
    """The names of the sections, as they are written."""
    return tuple(info.alias or name for name, info in Policy.model_fields.items())


def roles(policy: Policy) -> tuple[str, ...]:
    """The roles that somebody on the staff can have: those of the desk, and those that the operator names."""
    return (*DESK_ROLES, *(role for role in policy.operator.roles if role not in DESK_ROLES))


def names_in(policy: Policy, section: str) -> list[str]:
    """What a section of words has in ``policy``, whatever the entry that refers to it."""
    if section == "for an only":
        return [*policy.purposes, "own_access", *policy.collection, *(p.source for p in policy.collection.values())]
    return list(_names(policy, section, policy))


def _names(policy: Policy, section: str, entry: BaseModel) -> Iterable[str]:
    finds = _ELSEWHERE.get(section)
    return finds(policy, entry) if finds else getattr(policy, section.replace(" ", "_"))


def _authorities() -> Iterable[str]:
    from troth.policy.law import authorities  # the laws are read with this module

    return authorities()


def _for_an_only(policy: Policy, entry: BaseModel) -> Iterable[str]:
    """What a *never* or an *only* can be limited to: purposes, or for collecting the points and their sources."""
    assert isinstance(entry, Absolute)
    if "collect" not in (entry.never, entry.only):
        return [*policy.purposes, *(["own_access"] if entry.only == "read" else [])]
    sources = [point.source for point in policy.collection.values() if point.source]
    return dict.fromkeys([*policy.collection, *sources, "visits", "cookies"])


def _entries(policy: Policy, _: BaseModel) -> Iterable[str]:
    for section in sections():
        held = getattr(policy, section.replace(" ", "_"))
        yield from (f"{section}.{key}" for key in held) if isinstance(held, dict) else ()


_ELSEWHERE: Mapping[str, Callable[[Policy, BaseModel], Iterable[str]]] = {
    "topics": lambda _policy, _entry: TOPICS,
    "sections": lambda _policy, _entry: sections(),
    "entries": _entries,
    "roles": lambda policy, _entry: roles(policy),
    "authorities": lambda _policy, _entry: _authorities(),
    "for an only": _for_an_only,
}
"""Sections of words that stand elsewhere than in a section of the policy."""


def _in_model(model: BaseModel, path: Path, entry: BaseModel) -> Iterator[Word]:
    for name, key, annotation in _fields(type(model)):
        yield from _in_value(getattr(model, name), annotation, (*path, key), model)


@cache
def _fields(model: type[BaseModel]) -> tuple[tuple[str, str, Any], ...]:
    """Name, written key and type of the fields that may hold a reference."""
    found = ((name, info.alias or name, _type_of(info)) for name, info in model.model_fields.items())
    return tuple(field for field in found if holds_reference(field[2]))


def _type_of(info: Any) -> Any:
    marks = tuple(info.metadata)
    return Annotated[(info.annotation, *marks)] if marks else info.annotation


@cache
def holds_reference(annotation: Any) -> bool:
    """Whether a value of this type may hold a word that refers to something."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any(holds_reference(_type_of(info)) for info in annotation.model_fields.values())
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        return any(isinstance(mark, Refers) for mark in marks) or holds_reference(inner)
    return any(holds_reference(part) for part in get_args(annotation) if part is not Ellipsis)


def _in_value(value: Any, annotation: Any, path: Path, entry: BaseModel) -> Iterator[Word]:
    if isinstance(value, BaseModel):
        yield from _in_model(value, path, value)
    elif get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        refers = next((mark for mark in marks if isinstance(mark, Refers)), None)
        if refers is None:
            yield from _in_value(value, inner, path, entry)
        elif value:
            yield Word(path, value, entry, refers)
    elif get_origin(annotation) in (Union, UnionType) and value is not None:
        yield from _in_value(value, next(part for part in get_args(annotation) if part is not type(None)), path, entry)
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _in_value(item, get_args(annotation)[0], (*path, str(number)), entry)
    elif isinstance(value, Mapping):
        of_key, of_value = get_args(annotation)
        for key, item in value.items():
            yield from _in_value(key, of_key, (*path, key), entry)
            yield from _in_value(item, of_value, (*path, key), entry)
