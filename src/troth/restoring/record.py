"""The ledger goes on after a restore: entries made since the backup are carried over, so that the record is never put back.

They come from the live site's ledger while that can be read, or from an export that lies elsewhere. Whatever
is carried must go on from the tree in the backup: every checkpoint is held against its signature and against the tree.

What could go wrong: a store that was put back by hand goes on for a while before anybody carries over what was lost, and
gives its new entries the ids of those. So entries that nobody had sealed are set aside first. Those that the record has, too,
come with it; the others follow after it. Or an export is edited before it is given, so that what it says is done again is not
what was done. So of a file every entry must be what its leaf says, and a checkpoint of the site must cover it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, text

from troth.clock import to_micros
from troth.errors import StoreError, Unverifiable
from troth.ledger.actions import CARRIED, canonical
from troth.ledger.checkpoints import FORMAT, Checkpoint, PublicKeys, frontier_of, genuine
from troth.ledger.heads import last_checkpoint
from troth.ledger.tables import APPEND_ONLY, checkpoint, entry
from troth.ledger.tree import Frontier, leaf_hash
from troth.ledger.walk import Entry, unmoving, walk
from troth.store.site import Site

AT_ONCE = 1000
NOT_SEALED = "Nothing was done. Take another copy of the export: `troth ledger export` writes one."
SEAL_IT = (
    "`troth ledger export` seals what is there before it writes. Where the site is gone, remove the lines after the last "
    "checkpoint: what they say is then not done again."
)
NOT_ON = "It does not go on from the ledger in the backup: it is of another site, or of another time of this one."


@dataclass(frozen=True, slots=True)
class Said:
    """One entry that was made after the backup."""

    at: datetime
    event: str
    body: dict[str, Any]
    id: int = 0


def of(said: Iterable[Said], *kinds: str) -> list[Said]:
    """Those of these events, in the order in which they were made."""
    return [one for one in said if one.event in kinds]


def of_site(site: Site, after: int) -> Iterator[Entry | Checkpoint]:
    """What the ledger of ``site`` has after its first ``after`` entries."""
    with unmoving(site) as conn:
        yield from walk(conn, after)


def of_file(path: Path, ledger: str) -> Iterator[Entry | Checkpoint]:
    """What an export of ``ledger`` says. Raises ``StoreError`` when it is none."""
    try:
        with path.open(encoding="utf-8") as lines:
            head = json.loads(next(lines))
            if head.get("format") != FORMAT or head.get("ledger") != ledger:
                raise StoreError(f"{path} is no export of the ledger of {ledger}.", "`troth ledger export` writes one.")
            yield from (_parsed(json.loads(line)) for line in lines if line.endswith("\n"))
    except (OSError, ValueError, KeyError, TypeError, StopIteration, AttributeError):
        raise StoreError(f"{path} cannot be read as a ledger.", "`troth ledger export` writes one.") from None


def _parsed(value: dict[str, Any]) -> Entry | Checkpoint:
    if "checkpoint" in value:
        one = value["checkpoint"]
        at, root, signature = (
            datetime.fromisoformat(one["at"]),
            bytes.fromhex(one["root"]),
            bytes.fromhex(one["signature"]),
        )
        return Checkpoint(int(one["size"]), at, root, b"", str(one["key_id"]), signature)
    sealed = value["entry"]
    told = json.loads(sealed)
    body = sealed[len(f'{{"at":"{told["at"]}","body":') : -len(f',"event":"{told["event"]}"}}')]
    at = datetime.fromisoformat(told["at"])
    place = value["position"]
    leaf, position = bytes.fromhex(value["leaf"]), None if place is None else int(place)
    return Entry(int(value["id"]), at, told["event"], body, leaf, position)


def carry_over(
    conn: Connection, rows: Iterable[Entry | Checkpoint], ledger: str, keys: PublicKeys, *, all_sealed: bool
) -> list[Said]:
    """Add to the ledger behind ``conn`` what ``rows`` have more than it, in the caller's transaction; what that says.

    ``all_sealed``: a checkpoint must cover all of them, as where they come from a file.

    Raises:
        Unverifiable: when the rows do not go on from it, or are not what was sealed; the caller's transaction is to be undone.
    """
    carrying = _Carrying.begun(conn, ledger, keys, all_sealed)
    for row in rows:
        carrying.take(row)
    carrying.end()
    return carrying.said


@dataclass
class _Carrying:
    conn: Connection
    ledger: str
    keys: PublicKeys
    tree: Frontier
    aside: dict[int, Entry]  # what the backup has and nobody had sealed, by id
    all_sealed: bool
    said: list[Said] = field(default_factory=list)
    waiting: list[Entry] = field(default_factory=list)  # for the checkpoint that covers them

    @classmethod
    def begun(cls, conn: Connection, ledger: str, keys: PublicKeys, all_sealed: bool) -> _Carrying:
        last = last_checkpoint(conn)
        tree = frontier_of(last) if last else Frontier()
        if tree is None:
            raise Unverifiable("The last checkpoint in the backup was changed.", "Take an older backup.")
        return cls(conn, ledger, keys, tree, _set_aside(conn), all_sealed)

    def take(self, row: Entry | Checkpoint) -> None:
        if isinstance(row, Checkpoint):
            self.checkpoint(row)
        elif row.position is None:
            self._wait(row)
            if len(self.waiting) >= AT_ONCE:
                self.write(None)
        elif row.position == self.tree.size + len(self.waiting):
            self._wait(row)
        elif row.position > self.tree.size + len(self.waiting):
            raise Unverifiable("The ledger has a gap.", NOT_ON)

    def _wait(self, row: Entry) -> None:
        if leaf_hash(canonical(row.at, row.event, row.body)) != row.leaf:
            raise Unverifiable(f"Entry {row.id} of the ledger was changed after it was written.", NOT_SEALED)
        if self.all_sealed and row.position is None:
            raise Unverifiable(f"Nobody sealed entry {row.id} and what follows it.", SEAL_IT)
        self.waiting.append(row)

    def checkpoint(self, row: Checkpoint) -> None:
        if row.size <= self.tree.size:
            self.waiting.clear()  # said again after a writer was cut short
            return
        tree = self.tree.extended(one.leaf for one in self.waiting)
        if not genuine(self.ledger, row, self.keys) or (tree.size, tree.root()) != (row.size, row.root):
            raise Unverifiable("The ledger cannot be carried over.", NOT_ON)
        self.write(self.tree.size)
        self.tree = tree
        row_ = {"size": row.size, "at": row.at, "root": row.root, "frontier": tree.packed()}
        self.conn.execute(insert(checkpoint), {**row_, "key_id": row.key_id, "signature": row.signature})

    def end(self) -> None:
        """What no checkpoint covers waits to be sealed; ids go on after the last."""
        if self.all_sealed and self.waiting:
            raise Unverifiable(f"No checkpoint covers entry {self.waiting[0].id} and what follows it.", SEAL_IT)
        self.write(None)
        last = int(self.conn.scalar(select(func.coalesce(func.max(entry.c.id), 0))) or 0)
        own = [self.aside[id_] for id_ in sorted(self.aside)]
        for start in range(0, len(own), AT_ONCE):
            rows = own[start : start + AT_ONCE]
            ids = range(last + start + 1, last + start + 1 + len(rows))
            CARRIED.many(self.conn, [_row(one, id_, None) for id_, one in zip(ids, rows, strict=True)])
        if self.conn.dialect.name == "postgresql":
            words = (
                "SELECT setval(pg_get_serial_sequence('ledger_entry', 'id'), greatest(max(id), 1)) FROM ledger_entry"
            )
            self.conn.execute(text(words))

    def write(self, first: int | None) -> None:
        """Enter what waits, from position ``first`` on, or unsealed."""
        for start in range(0, len(self.waiting), AT_ONCE):
            self._enter(self.waiting[start : start + AT_ONCE], None if first is None else first + start)
        self.waiting.clear()

    def _enter(self, rows: list[Entry], first: int | None) -> None:
        there = self._there(rows) if first is None else set()
        rows = [one for one in rows if one.id not in there]
        CARRIED.many(self.conn, [_row(one, one.id, None if first is None else first + n) for n, one in enumerate(rows)])
        for one in rows:
            mine = self.aside.get(one.id)
            if mine is not None and mine.leaf == one.leaf:
                del self.aside[one.id]
            else:
                self.said.append(Said(one.at, one.event, json.loads(one.body), one.id))

    def _there(self, rows: list[Entry]) -> set[int]:
        """Those that the backup has sealed, though the ledger that is carried over, being older, has not."""
        return set(self.conn.scalars(select(entry.c.id).where(entry.c.id.in_([one.id for one in rows]))))


def _row(one: Entry, id_: int, position: int | None) -> dict[str, Any]:
    at = to_micros(one.at)
    return {"id": id_, "at": at, "event": one.event, "body": one.body, "leaf": one.leaf, "position": position}


def _set_aside(conn: Connection) -> dict[int, Entry]:
    """Take the entries that nobody sealed out of the ledger, to be put back at its end, in the same transaction."""
    waiting = entry.c.position.is_(None)
    found = {row.id: Entry(*row) for row in conn.execute(select(*entry.c).where(waiting))}
    if found:
        kept = "ledger_entry_kept"
        conn.execute(text(f"DROP TRIGGER {kept}" + (" ON ledger_entry" if conn.dialect.name == "postgresql" else "")))
        conn.execute(delete(entry).where(waiting))
        conn.execute(text(next(one for one in APPEND_ONLY[conn.dialect.name] if f"TRIGGER {kept} " in one)))
    return found
