"""Finds the first thing wrong in a ledger that is read once from its beginning to its end; pure.

How: every body is hashed again and a tree grown twice, once from the leaves as they are kept and once from the bodies as they
are. At each checkpoint both must have the signed root. When one has and the other has not, that tells whether a body or a leaf
was changed, and in which row. When neither has, positions and ids tell whether rows were swapped, inserted or removed since the
last checkpoint; a row changed together with its leaf is known to lie between the two. What lies before a checkpoint that holds
is certain; what follows the last one is not sealed and is only held against its own leaf.

Nearly always nothing is wrong. So rows come in stretches, and a stretch in which every position, id and leaf is at a glance
what it must be is taken at once, its leaves into both trees; any other is gone through row by row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import lt
from typing import Literal

from troth.ledger.actions import canonical, leaves_of
from troth.ledger.checkpoints import Checkpoint, PublicKeys, frontier_of, genuine
from troth.ledger.tree import Frontier, leaf_hash
from troth.ledger.walk import Entry, Extent, Raw, Stretch, Witnessed

Kind = Literal[
    "changed body",
    "changed leaf",
    "rewritten",
    "removed",
    "inserted",
    "swapped",
    "truncated",
    "forged checkpoint",
    "removed checkpoint",
    "unreadable",
    "missing head",
    "old keys",
    "another ledger",
]

Row = Entry | Checkpoint | Stretch | Witnessed

_FLUSH = 1024  # leaves held back before they are added to the trees


@dataclass(frozen=True, slots=True)
class Wrong:
    """The first thing that is wrong. ``position`` counts from 0; when the row itself cannot be told, it is one of those from
    ``position`` up to, not including, ``until``. ``id`` is the row's, or that of the row that is no longer there."""

    kind: Kind
    id: int | None
    position: int | None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known from outside the ledger: its name, the keys that may sign, and the last checkpoint seen before."""

    ledger: str
    keys: PublicKeys
    remembered: Checkpoint | None


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a ledger was found whole: its tree at the last checkpoint, and the id of the last entry that this covers."""

    tree: Frontier
    last_id: int


NOTHING = Seen(Frontier(), 0)


def examine(rows: Iterable[Row], extent: Extent, known: Known) -> Wrong | None:
    """The first thing wrong in ``rows``, which come in the order of ``walk``; nothing when the ledger is whole."""
    return examined(rows, extent, known, NOTHING)[0]


def examined(rows: Iterable[Row], extent: Extent, known: Known, seen: Seen) -> tuple[Wrong | None, Seen]:
    """As ``examine``, for the rows after those that were ``seen``; also says how far the ledger is seen now."""
    examination = _Examination(extent, known).after(seen)
    try:
        found = (examination.see(row) for row in rows)
        wrong = next((wrong for wrong in found if wrong), None) or examination.end()
    except (TypeError, ValueError, OverflowError):  # no writer of the ledger puts such a value into a column
        wrong = Wrong("unreadable", None, examination.next)
    return wrong, Seen(examination.held, examination.held_id)


@dataclass
class _Examination:
    extent: Extent
    known: Known
    kept: Frontier = field(default_factory=Frontier)  # the tree of the leaves as they are kept
    hashed: Frontier = field(default_factory=Frontier)  # the tree of the bodies as they are
    kept_leaves: list[bytes] = field(default_factory=list)
    hashed_leaves: list[bytes] = field(default_factory=list)
    since: int = 0  # the size at the last checkpoint that held
    next: int = 0  # the position that must follow
    last_id: int = 0
    ended: bool = False  # the sealed part is over
    differs: Entry | None = None  # the first entry since the checkpoint whose body and leaf differ
    ahead: Wrong | None = None  # the first entry since the checkpoint that the next one's id is not above
    missing: Wrong | None = None  # the first id since the checkpoint that no row has
    last: Entry | None = None
    remembered: bool = False
    denied: Wrong | None = None  # the first witness of another tree
    held: Frontier = field(default_factory=Frontier)  # the tree of the last checkpoint that held
    held_id: int = 0  # the id of the last entry under it

    def after(self, seen: Seen) -> _Examination:
        """Go on after what was seen."""
        self.held = self.kept = self.hashed = seen.tree
        self.since = self.next = seen.tree.size
        self.held_id = self.last_id = seen.last_id
        before = self.known.remembered
        if before is not None and 0 < before.size <= self.since:  # held once: its key is looked at again, and its root
            self.remembered = before.size < self.since or before.root == seen.tree.root()
            self.remembered &= genuine(self.known.ledger, before, self.known.keys)
        return self

    def see(self, row: Row) -> Wrong | None:
        """Take the next row, or the next of them."""
        if isinstance(row, Stretch):
            return self.stretch(row)
        if isinstance(row, Witnessed):
            self.witness(row.checkpoint)
            return None
        return self.checkpoint(row) if isinstance(row, Checkpoint) else self.entry(row)

    def stretch(self, stretch: Stretch) -> Wrong | None:
        if self._taken_at_once(stretch.rows):
            return None
        return next((wrong for wrong in map(self.entry, stretch.entries()) if wrong), None)

    def _taken_at_once(self, rows: list[Raw]) -> bool:
        """Whether everything was at a glance as it must be, and is counted in; otherwise nothing was."""
        ids, ats, events, bodies, leaves, positions = map(list, zip(*rows, strict=True))
        if not self._follow(ids) or leaves != leaves_of(zip(ats, events, bodies, strict=True)):
            return False
        if positions[0] is None:
            if any(place is not None for place in positions) or self._sealed_end() is not None:
                return False
        elif positions == list(range(self.next, self.next + len(rows))) and positions[-1] < self.extent.last_size:
            self.kept_leaves += leaves
            self.hashed_leaves += leaves
            self.next += len(rows)
            self.last = next(iter(Stretch(rows[-1:]).entries()))
            if len(self.kept_leaves) >= _FLUSH:
                self._flush()
        else:
            return False
        self.last_id = ids[-1]
        return True

    def _follow(self, ids: list[int]) -> bool:
        """Whether each id is above the one before it and, where ids have no gaps, the very next."""
        first = self.last_id + 1
        if ids == list(range(first, first + len(ids))):
            return True
        return not self.extent.gapless and ids[0] >= first and all(map(lt, ids, ids[1:]))

    def entry(self, row: Entry) -> Wrong | None:
        if row.position is None:
            return self._unsealed(row)
        if row.position != self.next:
            return self._out_of_place(row, row.position)
        if row.position >= self.extent.last_size:
            return Wrong("removed checkpoint" if self._remembers_more() else "inserted", row.id, row.position)
        self._order(row)
        self._grow(row)
        self.next += 1
        return None

    def checkpoint(self, row: Checkpoint) -> Wrong | None:
        """Hold the trees against a signed root."""
        if not genuine(self.known.ledger, row, self.known.keys):
            return Wrong("forged checkpoint", None, row.size - 1)
        if row.size > self.next:
            return self._short(row)
        self._flush()
        if row.root != self.hashed.root() or row.root != self.kept.root():
            return self._explained(row)
        if self.extent.gapless and self.missing:  # before it was sealed, so that it never had a position
            return Wrong("removed", self.missing.id, None)
        return self.ahead or self._holds(row)

    def witness(self, one: Checkpoint) -> None:
        """Hold the tree against what somebody else kept; said at the end, since a row that was changed says more."""
        self._flush()
        if self.denied is None and (one.size != self.next or one.root != self.kept.root()):
            self.denied = Wrong("another ledger", None, one.size - 1)

    def end(self) -> Wrong | None:
        """What only shows when there is nothing more."""
        wrong = self._sealed_end()
        if wrong is not None:
            return wrong
        if self.extent.gapless and self.extent.last_id != self.last_id:
            return Wrong("truncated", self.last_id + 1, None)
        return self.denied

    def _short(self, row: Checkpoint) -> Wrong:
        """A checkpoint covers more than comes before it: what is missing, the end or something within?"""
        if self.next <= self.extent.last_position:
            return Wrong("removed", self._after_last(), self.next)
        if not self.extent.gapless:
            return Wrong("truncated", None, self.since, row.size)
        return self.missing or Wrong("truncated", self.last_id + 1, self.next)

    def _out_of_place(self, row: Entry, position: int) -> Wrong:
        if position < self.next:
            return Wrong("inserted", row.id, position)
        together = row.id - self.last_id == position - self.next + 1  # ids and positions skip as many
        return Wrong("removed", self.last_id + 1 if together else None, self.next)

    def _after_last(self) -> int | None:
        """The id that must follow, where ids have no gaps."""
        return self.last_id + 1 if self.extent.gapless else None

    def _order(self, row: Entry) -> None:
        """Within a checkpoint positions follow ids; note what does not."""
        if self.last is not None and row.id <= self.last_id and self.ahead is None and self.next > self.since:
            self.ahead = Wrong("swapped", self.last.id, self.last.position)
        if row.id > self.last_id + 1 and self.missing is None:
            self.missing = Wrong("removed", self.last_id + 1, self.next)
        self.last, self.last_id = row, row.id

    def _grow(self, row: Entry) -> None:
        leaf = leaf_hash(canonical(row.at, row.event, row.body))
        if leaf != row.leaf and self.differs is None:
            self.differs = row
        self.kept_leaves.append(row.leaf)
        self.hashed_leaves.append(leaf)
        if len(self.kept_leaves) >= _FLUSH:
            self._flush()

    def _flush(self) -> None:
        same = self.kept == self.hashed and self.kept_leaves == self.hashed_leaves
        self.kept = self.kept.extended(self.kept_leaves)
        self.hashed = self.kept if same else self.hashed.extended(self.hashed_leaves)
        self.kept_leaves.clear()
        self.hashed_leaves.clear()

    def _explained(self, row: Checkpoint) -> Wrong:
        """Why the tree does not have the signed root."""
        if self.differs is not None:
            kind: Kind = "changed leaf" if row.root == self.hashed.root() else "changed body"
            return Wrong(kind, self.differs.id, self.differs.position)
        more = self.extent.sealed - self.extent.last_size
        if more > 0:
            return self._somewhere("inserted", self.ahead, row)
        if more < 0:
            return self._somewhere("removed", self.missing if self.extent.gapless else None, row)
        return self.ahead or self._somewhere("rewritten", None, row)

    def _somewhere(self, kind: Kind, where: Wrong | None, row: Checkpoint) -> Wrong:
        if where is None:
            return Wrong(kind, None, self.since, row.size)
        return Wrong(kind, where.id, where.position)

    def _holds(self, row: Checkpoint) -> Wrong | None:
        tree, seen = frontier_of(row), self.known.remembered
        if tree is None:
            return Wrong("forged checkpoint", None, row.size - 1)
        if seen is not None and seen.size == row.size:
            self.remembered = seen.root == row.root
        self.held = self.kept = self.hashed = tree
        self.held_id = self.last_id
        self.since, self.differs, self.ahead, self.missing = row.size, None, None, None
        return None

    def _unsealed(self, row: Entry) -> Wrong | None:
        wrong = self._sealed_end()
        if wrong is not None:
            return wrong
        if self.extent.gapless and row.id != self.last_id + 1:
            return Wrong("removed", self.last_id + 1, None)
        self.last_id = row.id
        same = leaf_hash(canonical(row.at, row.event, row.body)) == row.leaf
        return None if same else Wrong("changed body", row.id, None)

    def _sealed_end(self) -> Wrong | None:
        """Once, after the last sealed row: is the checkpoint that was seen before still there?"""
        seen = self.known.remembered
        if self.ended or seen is None or self.remembered:
            self.ended = True
            return None
        if not genuine(self.known.ledger, seen, self.known.keys):
            return Wrong("forged checkpoint", None, seen.size - 1)
        if seen.size > self.next:
            return Wrong("truncated", self._after_last(), self.next)
        return Wrong("removed checkpoint", None, seen.size - 1)

    def _remembers_more(self) -> bool:
        seen = self.known.remembered
        return seen is not None and seen.size > self.extent.last_size
