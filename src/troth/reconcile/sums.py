"""Sums of marks: what a table has, what the store keeps of it, and what the ledger's last seal committed to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from troth.reconcile.findings import Finding


@dataclass(frozen=True, slots=True)
class Sum:
    """How many rows there are and the sums of both halves of their marks; ``bare`` rows have no mark at all."""

    rows: int = 0
    low: int = 0
    high: int = 0
    bare: int = 0

    def __add__(self, other: Sum) -> Sum:
        return Sum(
            self.rows + other.rows,
            self.low + other.low,
            self.high + other.high,
            self.bare + other.bare,
        )

    @property
    def told(self) -> tuple[int, int, int]:
        """Without what only orders it."""
        return self.rows, self.low, self.high


@dataclass(frozen=True, slots=True)
class Table:
    """What was found in one table."""

    name: str
    total: Sum
    wrong: list[Finding]
    fresh: list[str]
    """conditions for the rows that were not as they were the last time"""


def compared(there: Mapping[str, Sum], kept: Mapping[str, Sum]) -> Iterator[Finding]:
    """Tables that have other rows than the store keeps count of."""
    for name in sorted({*there, *kept}):
        has, should = there.get(name, Sum()), kept.get(name, Sum())
        differs = _difference(has, should)
        if has.bare or has.rows != should.rows:
            missing = should.rows - has.rows - has.bare
            if missing > 0:
                yield Finding(name, "fewer", number=missing, holds=differs)
            elif missing < 0:
                yield Finding(name, "more", number=-missing, holds=differs)
            else:
                yield Finding(name, "other", holds=differs)
        elif has.told != should.told:
            yield Finding(name, "other", holds=differs)


def _difference(has: Sum, should: Sum) -> str:
    """By how much the two differ: what Troth itself writes changes both alike, and anything else changes this."""
    return f"{has.rows - should.rows} {has.low - should.low} {has.high - should.high} {has.bare}"
