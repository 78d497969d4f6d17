"""Many things a few at a time: a statement takes a few thousand values, and no store should hold one transaction for long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """``items`` in their order, ``size`` at a time; the last batch may be smaller. What ``itertools.batched`` is in 3.12."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
