"""What a reconciliation finds: one row, or one table, that is not as Troth wrote it. Opaque ids only, never what a row says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Literal, cast

What = Literal[
    "changed",
    "more changed",
    "gone",
    "more gone",
    "fewer",
    "more",
    "other",
    "sum",
    "older",
    "undeclared",
    "column",
    "bare",
    "value",
    "database",
    "file",
    "unsearched",
]

_WORDS: dict[What, str] = {
    "changed": "is not as Troth wrote it",
    "more changed": "has {number:,} more rows that are not as Troth wrote them",
    "gone": "is gone, and the ledger says that Troth wrote it",
    "more gone": "lacks {number:,} more rows of which the ledger says that Troth wrote them",
    "fewer": "has fewer rows than Troth wrote: {number:,} are gone",
    "more": "has more rows than Troth wrote: {number:,} were added",
    "other": "has other rows than Troth wrote",
    "sum": "has a sum that Troth did not write",
    "older": "was put back to an earlier state, or its sum was taken away",
    "undeclared": "is in the store and nobody declared it",
    "column": "is a column that nobody declared",
    "bare": "has lost its marks",
    "value": "holds an address of somebody who is known",
    "database": "is a database in the site's folder and none of its stores",
    "file": "holds an address of somebody who is known",
    "unsearched": "was not searched for addresses of people: it is too large, or cannot be read",
}


OF_FILES = frozenset({"database", "file", "unsearched"})
"""what is found of files; all else is found of tables"""


UNNAMED = {"changed": "more changed", "gone": "more gone"}
"""what counts the rows of a table that are not named one by one, by what is said of those that are"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as Troth wrote it.

    ``row`` names the row by its opaque ids and is blank when the table as a whole differs; ``entry`` is the entry of the policy
    that the row speaks of, where it names one. ``holds`` is a digest of what is there now, under a key of the site: a second
    lie about the same row is told in the same words, and nobody has answered for it.
    """

    table: str
    what: What
    row: str = ""
    entry: str = ""
    number: int = 0
    was: str = field(default="", compare=False)
    """the entry that the ledger says the row was written for, where it is another: a row that was changed may name any"""
    holds: str = field(default="", compare=False, repr=False)

    def line(self) -> str:
        """In a sentence, for evidence and alarms."""
        told = _WORDS[self.what].format(number=self.number)
        kind = "file" if self.what in OF_FILES else "table"
        return f"{self.table} {self.row} {told}" if self.row else f"{kind} {self.table} {told}"

    @property
    def entries(self) -> frozenset[str]:
        """The entries of the policy that the row speaks of, or did."""
        return frozenset(one.removeprefix("@") for one in (self.entry, self.was) if one)

    @property
    def cases(self) -> int:
        """How many differences it stands for."""
        return self.number if self.what in UNNAMED.values() else 1


@dataclass(frozen=True, slots=True)
class Borne:
    """A finding beside a promise that it turns: the number under which a report lists it, and whether it ``breaks`` the
    promise. One that does not leaves it not proven."""

    number: int
    finding: Finding
    breaks: bool = False


@dataclass
class Rows:
    """The wrong rows of one table: the first ``most`` named, the others counted, with a digest of what all of those hold."""

    table: str
    most: int
    named: list[Finding] = field(default_factory=list)
    _more: int = 0
    _held: int = 0

    def add(self, found: Iterable[Finding]) -> int:
        """Take in what was found, in whatever order and without keeping it; returns how many that were."""
        before = len(self.named) + self._more
        for one in found:
            if len(self.named) < self.most:
                self.named.append(one)
            else:
                self._more += 1
                self._held += int.from_bytes(blake2b(f"{one.row}\n{one.holds}".encode(), digest_size=16).digest())
        return len(self.named) + self._more - before

    def findings(self) -> list[Finding]:
        """Those that are named, and one that counts the others."""
        if not self._more:
            return self.named
        what = cast("What", UNNAMED[self.named[0].what] if self.named else "more changed")
        return [*self.named, Finding(self.table, what, number=self._more, holds=f"{self._held % 2**128:032x}")]
