"""What is done in sets of some hundreds, done one by one: whoever forgets the second set forgets somebody among two people."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from types import ModuleType

import pytest

import troth

ROOMS = ("accounts", "acts", "consent", "messages", "people", "recipients", "retention", "rights", "visits")
_NAMES = re.compile(r"_?(BATCH|LOT|PAGE)")


@cache
def sizes() -> tuple[tuple[str, str], ...]:
    """The module and the name of every number that says how many are gone through at a time in ``ROOMS``."""
    return tuple(
        (module.__name__, name) for module in _modules() for name, one in vars(module).items() if _says(name, one)
    )


def _says(name: str, value: object) -> bool:
    return _NAMES.fullmatch(name) is not None and type(value) is int


def _modules() -> Iterator[ModuleType]:
    for room in ROOMS:
        package = importlib.import_module(f"{troth.__name__}.{room}")
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield importlib.import_module(found.name)


def one_by_one(patch: pytest.MonkeyPatch) -> None:
    """Until ``patch`` is undone, each set is of one."""
    for module, name in sizes():
        patch.setattr(f"{module}.{name}", 1)
