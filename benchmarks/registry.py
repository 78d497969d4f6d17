"""The benchmarks there are, by name, in the order in which they are listed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.measure import PAIRS, Figure, Pairs, Side, in_turn
from benchmarks.stores import Stores


@dataclass(frozen=True, slots=True)
class Bench:
    """What a benchmark is given: the databases, and whether it should be brief or of the full size."""

    stores: Stores
    quick: bool
    full: bool = False
    part: str = ""
    """of a benchmark that has parts: the one that was named; all when blank"""

    def size(self, usual: int, full: int | None = None) -> int:
        """How many of something to use: ``usual``, a tenth when brief, or ``full`` when there is a goal for such a size."""
        if self.quick:
            return max(1, usual // 10)
        return full if self.full and full is not None else usual

    @property
    def pairs(self) -> int:
        """How many pairs of runs; a brief run is no measurement."""
        return 1 if self.quick else PAIRS

    def in_turn(self, ours: Side, theirs: Side) -> Pairs:
        """Both sides in turn, as often as this run wants."""
        return in_turn(ours, theirs, self.pairs)


Measured = Callable[[Bench], Iterator[Figure]]

BENCHMARKS: dict[str, Measured] = {}


def benchmark(name: str) -> Callable[[Measured], Measured]:
    """Enter a function that measures and yields figures under ``name``."""

    def enter(measured: Measured) -> Measured:
        BENCHMARKS[name] = measured
        return measured

    return enter
