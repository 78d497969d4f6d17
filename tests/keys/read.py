"""Which names the code of a function holds: its own, and that of what it calls in its own module."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from tests.mutation.targets import _names, plain, reached


def read_by(reader: Any) -> set[str]:
    """The names in the code of ``reader`` and of what it calls in its own module."""
    function = plain(getattr(reader, "func", reader))
    assert isinstance(function, FunctionType), reader
    return {name for one in reached(function) for name in _names(one.__code__)}
