"""Every key of the policy's model, found in the model itself; and every place in a policy where one is written."""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from troth.policy.model import Policy
from troth.policy.words import Text

Path = tuple[str, ...]


def keys_of(model: type[BaseModel], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every key of ``model`` by its path, ids of entries as ``*``, with its annotation; sections themselves are no keys."""
    for name, info in model.model_fields.items():
        here = (*path, info.alias or name)
        inner, many = inner_model(info.annotation)
        if inner is None:
            yield here, info.annotation
        elif path or many is None:
            yield here, info.annotation
            yield from keys_of(inner, here)
        else:
            yield from keys_of(inner, (*here, "*") if many else here)


def inner_model(annotation: Any) -> tuple[type[BaseModel] | None, bool | None]:
    """The model inside an annotation, and whether it is one of many entries; None for anything else, such as text."""
    if isinstance(annotation, type):
        return (annotation if issubclass(annotation, BaseModel) and annotation is not Text else None), False
    many = get_origin(annotation) is dict
    for part in get_args(annotation):
        found, _ = inner_model(part) if part not in (NoneType, str) else (None, None)
        if found is not None:
            return found, many
    return None, None


KEYS = dict(keys_of(Policy))
"""Every key with its annotation: ``("purposes", "*", "uses")``, ``("visits", "keep")``."""


def dotted(path: Path) -> str:
    """``purposes.uses``: as the section writes it, without the id."""
    return ".".join(part for part in path if part != "*")
