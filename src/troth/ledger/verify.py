"""Reads the ledger from beginning to end and says whether it is what was sealed; writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, select

from troth.clock import of_late
from troth.ledger import heads
from troth.ledger.checkpoints import Checkpoint
from troth.ledger.examine import NOTHING, Kind, Known, Seen, Wrong, examined
from troth.ledger.gaps import explained, gaps
from troth.ledger.heads import held
from troth.ledger.keys import public_keys
from troth.ledger.notes import Note
from troth.ledger.restored import Restoration, history
from troth.ledger.tables import checkpoint
from troth.ledger.walk import Extent, extent, stretches, unmoving
from troth.ledger.witnessed import told
from troth.store.site import Site

WHOLE_AGAIN = timedelta(days=1)
"""after which all is read again, though it was found whole: somebody may have changed what was read, round its triggers"""
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
    "missing head": "the kept head of a ledger that was sealed is missing, in the key store or beside the signing key",
    "old keys": "the key store is older than the ledger: an old copy of it was put back",
    "another ledger": "somebody outside saw another ledger of this name, and no restoration that was recorded explains it",
}
_OF_HEADS: dict[heads.Kind, Kind] = {
    "cut": "truncated",
    "other": "another ledger",
    "keys": "old keys",
    "missing": "missing head",
    "witness": "another ledger",
}


@dataclass(frozen=True, slots=True)
class Verified:
    """The report. ``unsealed`` entries are held only against their own hash; ``unused_ids`` were given to no row that is there:
    to a transaction that was rolled back, or to an entry removed before it was sealed (on SQLite there are none). ``restored``
    says when and why stores were put back, ``lost`` how many witnesses saw what was lost by that; ``agreed`` notes of witnesses
    are of this very ledger, the furthest of ``furthest`` entries; ``seen`` is what the next look can go on from."""

    verdict: Literal["whole", "broken"]
    entries: int
    sealed: int
    unsealed: int
    unused_ids: int
    wrong: Wrong | None
    restored: tuple[Restoration, ...] = ()
    lost: int = 0
    agreed: int = 0
    furthest: int = 0
    seen: Seen = field(default=NOTHING, compare=False, repr=False)
    whole_at: datetime | None = field(default=None, compare=False)
    """when all of it was read, for one of ``verify_on``"""
    then: int = field(default=0, compare=False)
    """entries that were read then; those that came after were read since"""

    def line(self) -> str:
        """The report in a sentence or a few."""
        if self.wrong is not None:
            place = _place(self.wrong)
            return f"Broken{f' at {place}' if place else ''}: {_WORDS[self.wrong.kind]}."
        rest = f" {self.unsealed} {'is' if self.unsealed == 1 else 'are'} not sealed yet." if self.unsealed else ""
        gaps = f" {self.unused_ids} ids belong to no entry." if self.unused_ids else ""
        told = [f" {one.line()}" for one in self.restored]
        told += [f" {self.lost} witnessed checkpoints are of what was lost then."] if self.lost else []
        told += [f" {self.agreed} witnessed checkpoints agree, up to {self.furthest} entries."] if self.agreed else []
        sealed = f"Whole: {self.sealed} of {self.entries} entries are sealed and as they were written."
        return f"{sealed}{rest}{gaps}{''.join(told)}"


def verify(site: Site, since: Seen = NOTHING, witnessed: Sequence[Note] = ()) -> Verified:
    """Check every entry and checkpoint of ``site``, and that it contains its kept heads; memory does not grow with the ledger.

    With ``since`` only what came after is read, which must go on from the tree that was seen then; all is read when the
    checkpoint of that tree is no longer there. ``witnessed`` are notes of checkpoints that somebody else kept, beside
    those that are kept here.

    Raises:
        StoreError: when the signing key is missing though something was signed, or the store does not answer.
    """
    before, notes = heads.kept(site), told(site)
    with unmoving(site) as conn:
        last = heads.last_checkpoint(conn)
        before = heads.here(conn, before, last)
        since = since if not witnessed and _still_there(conn, since) else NOTHING
        size = extent(conn, since.tree.size)
        kept = _furthest(before)
        known = Known(site.name, public_keys(site) if last or kept else {}, kept)
        mine, lost, foreign = _sorted_out(conn, known, witnessed)
        wrong, seen = examined(stretches(conn, since.tree.size, mine), size, known, since)
        problem = heads.judged(before, last, heads.kept(site), heads.held(conn, before.file))
        problem = problem or heads.outside(site, conn, notes)
        if problem is not None:
            wrong = wrong or Wrong(_OF_HEADS[problem.kind], None, problem.lost.size - 1 if problem.lost else None)
        report = _report(size, wrong or foreign, seen, tuple(history(conn)))
        return replace(report, lost=lost, agreed=len(mine), furthest=mine[-1].size if mine else 0)


def verify_on(site: Site, before: Verified | None) -> Verified:
    """As ``verify``, without reading again what was read and found whole ``before``, for ``WHOLE_AGAIN``."""
    now = site.now()
    if before is None or before.verdict != "whole" or not of_late(before.whole_at, now, WHOLE_AGAIN):
        found = verify(site)
        return replace(found, whole_at=now, then=found.entries)
    return replace(verify(site, before.seen), whole_at=before.whole_at, then=before.then)


def _furthest(found: heads.Kept) -> Checkpoint | None:
    """The kept head that covers most."""
    return max((one for one in (found.settled, found.file) if one is not None), key=lambda one: one.size, default=None)


def _sorted_out(
    conn: Connection, known: Known, witnessed: Sequence[Note]
) -> tuple[list[Checkpoint], int, Wrong | None]:
    """Those of ``witnessed`` that the ledger must contain, how many were lost and recorded so, and one of another ledger."""
    found = gaps(conn) if witnessed else []
    own = [one.ledger == known.ledger and one.signed_by(known.keys) for one in witnessed]
    ours = sorted(
        (one.checkpoint() for one, mine in zip(witnessed, own, strict=True) if mine), key=lambda one: one.size
    )
    foreign = [one for one, mine in zip(witnessed, own, strict=True) if not mine]
    mine = [one for one in ours if held(conn, one) or not explained(one, found)]
    return mine, len(ours) - len(mine), Wrong("another ledger", None, foreign[0].size - 1) if foreign else None


def _still_there(conn: Connection, since: Seen) -> bool:
    root = conn.execute(select(checkpoint.c.root).where(checkpoint.c.size == since.tree.size)).scalar()
    return root == since.tree.root()


def _report(size: Extent, wrong: Wrong | None, seen: Seen, restored: tuple[Restoration, ...]) -> Verified:
    verdict: Literal["whole", "broken"] = "broken" if wrong else "whole"
    unused = max(0, size.last_id - size.entries)
    return Verified(verdict, size.entries, size.sealed, size.entries - size.sealed, unused, wrong, restored, seen=seen)


def _place(wrong: Wrong) -> str:
    where = [] if wrong.id is None else [f"entry {wrong.id}"]
    if wrong.position is not None:
        where.append(
            f"position {wrong.position}" if wrong.until is None else f"positions {wrong.position} to {wrong.until - 1}"
        )
    return ", ".join(where)
