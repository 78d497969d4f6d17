"""Reads the ledger from beginning to end and says whether it is what was sealed; writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Connection, select

from troth.ledger.examine import NOTHING, Kind, Known, Seen, Wrong, examined
from troth.ledger.keys import public_keys, remembered
from troth.ledger.tables import checkpoint
from troth.ledger.walk import Extent, extent, stretches, unmoving
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
    to a transaction that was rolled back, or to an entry removed before it was sealed (on SQLite there are none). ``seen`` is
    what the next look can go on from."""

    verdict: Literal["whole", "broken"]
    entries: int
    sealed: int
    unsealed: int
    unused_ids: int
    wrong: Wrong | None
    seen: Seen = field(default=NOTHING, compare=False, repr=False)

    def line(self) -> str:
        """The report in a sentence or two."""
        if self.wrong is not None:
            return f"Broken at {_place(self.wrong)}: {_WORDS[self.wrong.kind]}."
        rest = f" {self.unsealed} are not sealed yet." if self.unsealed else ""
        gaps = f" {self.unused_ids} ids belong to no entry." if self.unused_ids else ""
        return f"Whole: {self.sealed} of {self.entries} entries are sealed and as they were written.{rest}{gaps}"


def verify(site: Site, since: Seen = NOTHING) -> Verified:
    """Check every entry and checkpoint of ``site``; memory does not grow with the ledger.

    With ``since`` only what came after is read, which must go on from the tree that was seen then; all is read when the
    checkpoint of that tree is no longer there.

    Raises:
        StoreError: when the signing key is missing though something was signed, or the store does not answer.
    """
    head = remembered(site)
    with unmoving(site) as conn:
        since = since if _still_there(conn, since) else NOTHING
        size = extent(conn, since.tree.size)
        signed = size.last_size > 0 or head is not None
        known = Known(site.name, public_keys(site) if signed else {}, head)
        wrong, seen = examined(stretches(conn, since.tree.size), size, known, since)
        return _report(size, wrong, seen)


def _still_there(conn: Connection, since: Seen) -> bool:
    root = conn.execute(select(checkpoint.c.root).where(checkpoint.c.size == since.tree.size)).scalar()
    return root == since.tree.root()


def _report(size: Extent, wrong: Wrong | None, seen: Seen) -> Verified:
    verdict: Literal["whole", "broken"] = "broken" if wrong else "whole"
    unused = max(0, size.last_id - size.entries)
    return Verified(verdict, size.entries, size.sealed, size.entries - size.sealed, unused, wrong, seen)


def _place(wrong: Wrong) -> str:
    where = [] if wrong.id is None else [f"entry {wrong.id}"]
    if wrong.position is not None:
        where.append(
            f"position {wrong.position}" if wrong.until is None else f"positions {wrong.position} to {wrong.until - 1}"
        )
    return ", ".join(where) or "an unknown place"
