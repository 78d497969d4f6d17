"""What a reconciliation finds: one row, or one table, that is not as Troth wrote it. Opaque ids only, never what a row says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

What = Literal[
    "changed", "fewer", "more", "other", "sum", "older", "undeclared", "column", "bare", "value", "database", "file"
]

_WORDS: dict[What, str] = {
    "changed": "is not as Troth wrote it",
    "fewer": "has fewer rows than Troth wrote: {number} are gone",
    "more": "has more rows than Troth wrote: {number} were added",
    "other": "has other rows than Troth wrote",
    "sum": "has a sum that Troth did not write",
    "older": "was put back to an earlier state, or its sum was taken away",
    "undeclared": "is in the store and nobody declared it",
    "column": "is a column that nobody declared",
    "bare": "has lost its marks",
    "value": "holds an address of somebody who is known",
    "database": "is a database that lies beside the stores and is none of them",
    "file": "holds an address of somebody who is known",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as Troth wrote it.

    ``row`` names the row by its opaque ids and is blank when the table as a whole differs; ``entry`` is the entry of the policy
    that the row speaks of, where it names one.
    """

    table: str
    what: What
    row: str = ""
    entry: str = ""
    number: int = 0

    def line(self) -> str:
        """In a sentence, for evidence and alarms."""
        told = _WORDS[self.what].format(number=self.number)
        kind = "file" if self.what in {"database", "file"} else "table"
        return f"{self.table} {self.row} {told}" if self.row else f"{kind} {self.table} {told}"
