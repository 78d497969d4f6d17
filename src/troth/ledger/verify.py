"""Reads the ledger from beginning to end and says whether it is what was sealed; writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from troth.ledger.examine import Kind, Known, Wrong, examine
from troth.ledger.keys import public_keys, remembered
from troth.ledger.walk import Extent, extent, unmoving, walk
from troth.store.site import Site

_WORDS: dict[Kind, str] = {
    "changed body": "what an entry says was changed after it was written",
    "changed leaf": "the hash kept with an entry was changed; what the entry says is as sealed",
    "rewritten": "an entry was changed together with its hash; it lies between two checkpoints",
    "removed": "an entry was removed",
    "inserted": "an entry was put in after the sealing",
    "swapped": "entries were put into another order",
    "truncated": "the end of the ledger was cut off",
    "forged checkpoint": "a checkpoint was not signed by this site's key, or was changed",
    "removed checkpoint": "a checkpoint that was signed is gone",
    "unreadable": "a row holds something that no writer of the ledger puts there",
}


@dataclass(frozen=True, slots=True)
class Verified:
    """The report. ``unsealed`` entries are held only against their own hash; ``unused_ids`` were given to no row that is there:
    to a transaction that was rolled back, or to an entry removed before it was sealed (on SQLite there are none)."""

    verdict: Literal["whole", "broken"]
    entries: int
    sealed: int
    unsealed: int
    unused_ids: int
    wrong: Wrong | None

    def line(self) -> str:
        """The report in a sentence or two."""
        if self.wrong is not None:
            return f"Broken at {_place(self.wrong)}: {_WORDS[self.wrong.kind]}."
        rest = f" {self.unsealed} are not sealed yet." if self.unsealed else ""
        gaps = f" {self.unused_ids} ids belong to no entry." if self.unused_ids else ""
        return f"Whole: {self.sealed} of {self.entries} entries are sealed and as they were written.{rest}{gaps}"


def verify(site: Site) -> Verified:
    """Check every entry and checkpoint of ``site``; memory does not grow with the ledger.

    Raises:
        StoreError: when the signing key is missing though something was signed, or the store does not answer.
    """
    seen = remembered(site)
    with unmoving(site) as conn:
        size = extent(conn)
        signed = size.last_size > 0 or seen is not None
        known = Known(site.name, public_keys(site) if signed else {}, seen)
        return _report(size, examine(walk(conn), size, known))


def _report(size: Extent, wrong: Wrong | None) -> Verified:
    verdict: Literal["whole", "broken"] = "broken" if wrong else "whole"
    unused = max(0, size.last_id - size.entries)
    return Verified(verdict, size.entries, size.sealed, size.entries - size.sealed, unused, wrong)


def _place(wrong: Wrong) -> str:
    where = [] if wrong.id is None else [f"entry {wrong.id}"]
    if wrong.position is not None:
        where.append(
            f"position {wrong.position}" if wrong.until is None else f"positions {wrong.position} to {wrong.until - 1}"
        )
    return ", ".join(where) or "an unknown place"
