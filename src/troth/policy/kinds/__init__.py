"""Every kind of promise, found: one file each in this folder, which says all that the language knows about it.

A file has ``KIND``, or ``KINDS`` when several kinds share an entry. Adding a kind is adding a file, its sentences in
``policy/sentences`` and, in the room that owns the act, what enforces and proves it. Nothing here lists them twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType, NoneType
from typing import Any, get_args

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from troth.policy.kind import Entries, Kind
from troth.policy.model import Policy
from troth.policy.promises import Promise, Source
from troth.policy.vocabulary import Id


def _found() -> Iterator[Kind]:
    for module in iter_modules(__path__):
        yield from _of(import_module(f"{__name__}.{module.name}"))


def _of(module: ModuleType) -> tuple[Kind, ...]:
    found: tuple[Kind, ...] = module.KINDS if hasattr(module, "KINDS") else (module.KIND,)
    return found


def _by_id(found: Iterator[Kind]) -> dict[str, Kind]:
    ordered = sorted(found, key=lambda kind: kind.order)
    for what in ([kind.id for kind in ordered], [kind.order for kind in ordered], [*map(_section, ordered)]):
        named = [one for one in what if one is not None]
        if len(named) != len(set(named)):
            raise ValueError(f"given twice among the kinds of promises: {sorted(map(str, named))}")
    return {kind.id: kind for kind in ordered}


def _section(kind: Kind) -> str | None:
    return kind.entries.section if kind.entries else None


KINDS: Mapping[str, Kind] = _by_id(_found())
"""Every kind by its id, in the order of their promises."""

SECTIONS: Mapping[str, Entries] = {kind.entries.section: kind.entries for kind in KINDS.values() if kind.entries}
"""The sections of ``policy.yaml`` by their key."""


def keys_of(section: str) -> tuple[str, ...]:
    """The keys that an entry of ``section`` may have."""
    annotation: Any = Policy.model_fields[section.replace(" ", "_")].annotation
    model: Any = next((part for part in reversed(get_args(annotation)) if part is not NoneType), annotation)
    return tuple(info.alias or name for name, info in model.model_fields.items())


def promises(source: Source) -> tuple[Promise, ...]:
    """Every promise of the policy, in the order of its kinds."""
    return tuple(promise for kind in KINDS.values() if kind.makes for promise in kind.makes(source))


def _complete_policy() -> None:
    """Let ``Policy`` hold the sections that are known to their kinds alone."""
    own = [(entries, entries.model) for entries in SECTIONS.values() if entries.model is not None]
    for entries, model in own:
        held: Any = dict[Id, model] if entries.many else model | None  # type: ignore[valid-type]
        made = FieldInfo.from_annotation(held)
        made.default, made.default_factory = (PydanticUndefined, dict) if entries.many else (None, None)
        made.alias = made.validation_alias = made.serialization_alias = entries.section
        Policy.__pydantic_fields__[entries.section.replace(" ", "_")] = made
    if own:
        Policy.model_rebuild(force=True)


_complete_policy()
