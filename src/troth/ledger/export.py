"""Writes the ledger as JSON lines, for somebody who verifies it without Troth: ``docs/ledger-format.md`` says how."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TextIO

from troth.ledger.actions import canonical
from troth.ledger.checkpoints import FORMAT, Checkpoint
from troth.ledger.guard import instant
from troth.ledger.keys import public_keys
from troth.ledger.walk import Entry, extent, unmoving, walk
from troth.store.site import Site


@dataclass(frozen=True, slots=True)
class Exported:
    """How many entries an export holds, and how many wait in the ledger to be sealed and are not in it."""

    entries: int
    waiting: int


def export(site: Site, out: TextIO) -> Exported:
    """Write the ledger of ``site`` to ``out``, a line at a time, up to its last checkpoint.

    What a running site enters while this begins is not sealed yet: a restore refuses a file that has it, so it is left out.

    Raises:
        StoreError: when the signing key is missing though something was signed, or the store does not answer.
    """
    entries = waiting = 0
    with unmoving(site) as conn:
        keys = public_keys(site) if extent(conn).last_size else {}
        public = {key_id: key.public_bytes_raw().hex() for key_id, key in keys.items()}
        _line(out, {"format": FORMAT, "ledger": site.name, "keys": public})
        for row in walk(conn):
            if isinstance(row, Checkpoint):
                _line(out, _checkpoint(row))
            elif row.position is None:
                waiting += 1
            else:
                _line(out, _entry(row))
                entries += 1
    return Exported(entries, waiting)


def _entry(row: Entry) -> dict[str, object]:
    sealed = canonical(row.at, row.event, row.body).decode()
    return {"id": row.id, "position": row.position, "leaf": row.leaf.hex(), "entry": sealed}


def _checkpoint(row: Checkpoint) -> dict[str, object]:
    told = {"size": row.size, "at": instant(row.at), "root": row.root.hex()}
    return {"checkpoint": {**told, "key_id": row.key_id, "signature": row.signature.hex()}}


def _line(out: TextIO, value: dict[str, object]) -> None:
    out.write(json.dumps(value, separators=(",", ":")) + "\n")
