"""What witnesses outside said of the ledger, kept beside its head: a file of notes for each witness.

What could go wrong: the ledger is written anew from its tables, with its checkpoints and both kept heads, by somebody who
holds the signing key: it is whole in itself. A witness outside remembers the former tree. So every note that a witness took,
and every one that its file has more than that, is kept here too, and the ledger is held against them whenever its heads are
looked at.
Taking these files away hides nothing from whoever has the witness itself: ``verify`` takes notes from anywhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from troth.batches import batches
from troth.ledger.gaps import explained, gaps
from troth.ledger.keys import beside
from troth.ledger.notes import Note, notes_in
from troth.ledger.tables import checkpoint, entry
from troth.ledger.tree import Frontier
from troth.store.site import Site

FOLDER = "ledger.witnessed"
_BATCH = 500
_READ, _AGREED = "notes of witnesses", "notes of witnesses that agreed"


@dataclass(frozen=True, slots=True)
class Denial:
    """The furthest note that the ledger contradicts, and the size up to which witnesses and ledger agree before it."""

    note: Note
    agreed: int


def keep(site: Site, witness: str, notes: Sequence[Note]) -> None:
    """Add ``notes`` to what is kept of ``witness``, safely on disk when this returns."""
    folder = beside(site) / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    appended(folder / witness, notes)


def appended(path: Path, notes: Sequence[Note]) -> None:
    """Append ``notes`` to a file that only grows, each after a blank line. Raises ``OSError``."""
    text = "".join(f"{note.written()}\n" for note in notes).encode()
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if os.write(handle, b"\n" + text) != len(text) + 1:
            raise OSError("the file took less than was written")
        os.fsync(handle)
    finally:
        os.close(handle)


def kept(site: Site, witness: str) -> Sequence[Note]:
    """The notes of this ledger that are kept of ``witness``, in the order in which they came."""
    return _read(site, beside(site) / FOLDER / witness)[1]


Told = Mapping[str, tuple[Any, Sequence[Note]]]
"""by witness, the state of its file and its notes"""


def told(site: Site) -> Told:
    """All that is kept. To be read before the ledger that is held against it: a note comes after its checkpoint."""
    folder = beside(site) / FOLDER
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else ()
    return {name: _read(site, folder / name) for name in names}


def _read(site: Site, path: Path) -> tuple[Any, Sequence[Note]]:
    """A file's state and its notes of this ledger; one that is as it was is not read again."""
    try:
        stat = path.stat()
        state = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        known: dict[Path, tuple[Any, Sequence[Note]]] = site.shared.setdefault(_READ, {})
        if known.get(path, (None,))[0] != state:
            known[path] = state, tuple(one for one in notes_in(path.read_bytes()) if one.ledger == site.name)
        return known[path]
    except OSError:
        return None, ()


def denied(site: Site, conn: Connection, files: Told) -> Denial | None:
    """Hold the ledger behind ``conn`` against what is kept of witnesses.

    Once all of them agreed, the furthest stands for the others: a tree that has its root contains theirs.
    """
    state = {name: one[0] for name, one in files.items()}
    agreed = site.shared.get(_AGREED)
    if agreed is not None and agreed[0] == state and _roots(conn, [agreed[1]]).get(agreed[1].size) == agreed[1].root:
        return None
    notes = sorted({one for _, some in files.values() for one in some}, key=lambda one: one.size)
    found = against(conn, notes)
    if found is None and notes:
        site.shared[_AGREED] = state, notes[-1]
    return found


def against(conn: Connection, notes: Sequence[Note]) -> Denial | None:
    """The furthest of ``notes``, in the order of size, that the ledger contradicts and no recorded restoration explains."""
    roots = _roots(conn, notes)
    wrong = [one for one in notes if _root(conn, roots, one.size) != one.root]
    if not wrong:
        return None
    known = gaps(conn)
    wrong = [one for one in wrong if not explained(one.checkpoint(), known)]
    if not wrong:
        return None
    first = wrong[0].size
    return Denial(wrong[-1], max((one.size for one in notes if one.size < first), default=0))


def _roots(conn: Connection, notes: Sequence[Note]) -> dict[int, bytes]:
    sizes = sorted({one.size for one in notes})
    found: dict[int, bytes] = {}
    for named in batches(sizes, _BATCH):
        some = checkpoint.c.size.in_(named)
        found |= {row.size: row.root for row in conn.execute(select(checkpoint.c.size, checkpoint.c.root).where(some))}
    return found


def _root(conn: Connection, roots: dict[int, bytes], size: int) -> bytes:
    """The root of the first ``size`` entries: of the checkpoint, or, where that is gone, of the leaves themselves."""
    if size not in roots:
        query = select(entry.c.leaf).where(entry.c.position < size).order_by(entry.c.position)
        leaves: Iterable[bytes] = conn.execute(query.execution_options(yield_per=_BATCH)).scalars()
        tree = Frontier().extended(leaves)
        roots[size] = tree.root() if tree.size == size else b""
    return roots[size]
