"""What somebody hands in of a witness, to hold the ledger against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from troth.errors import InvalidInput
from troth.ledger.notes import Note, notes_in
from troth.store.site import Site
from troth.witnessing.stamp import stamped_at


@dataclass(frozen=True, slots=True)
class Stamp:
    """That an authority saw a tree of ``size`` entries, and when by its clock."""

    witness: str
    size: int
    at: datetime


def notes_of(site: Site, files: Sequence[Path]) -> list[Note]:
    """The checkpoints of this site's ledger in ``files``, which may hold others, too.

    Raises:
        InvalidInput: when a file cannot be read or holds none of this ledger.
    """
    found: list[Note] = []
    for path in files:
        try:
            mine = [one for one in notes_in(path.read_bytes()) if one.ledger == site.name]
        except OSError:
            mine = []
        if not mine:
            raise InvalidInput(f"{path} holds no checkpoint of the ledger of {site.name}.", {"witness": "is none"})
        found += mine
    return found


def stamps_of(site: Site, notes: Sequence[Note]) -> list[Stamp]:
    """The time stamps on ``notes``, of the authorities that ``site.yaml`` names.

    Raises:
        Unverifiable: when one is not of its note, or not of that authority.
        StoreError: when the certificates of an authority cannot be read.
    """
    found = []
    for name, wire in site.wiring.ledger.witness.items():
        for note in notes if wire.certificate is not None else ():
            answer = note.stamp(name)
            if answer is not None and wire.certificate is not None:
                at = stamped_at(answer, note.text, site.folder / wire.certificate)
                found.append(Stamp(name, note.size, at))
    return sorted(found, key=lambda one: (one.size, one.witness))
