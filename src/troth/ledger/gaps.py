"""Trees that were lost and recorded as lost: what explains that a head or a witness of one is not in the ledger any more."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from troth.ledger import events
from troth.ledger.checkpoints import Checkpoint
from troth.ledger.tables import entry


@dataclass(frozen=True, slots=True)
class Gap:
    """What the ledger itself says of a tree that was lost: entries from ``kept`` on, up to ``lost``, are in no copy here."""

    at: datetime
    kept: int
    lost: int
    root: str

    def explains(self, one: Checkpoint) -> bool:
        """Whether ``one``, which the ledger does not hold, was signed for the tree that was lost."""
        return self.kept < one.size < self.lost or (one.size == self.lost and one.root.hex() == self.root)


def gaps(conn: Connection) -> list[Gap]:
    """The trees that were lost, as sealed entries say: what is not sealed anybody may have put there."""
    told = entry.c.event.in_((events.LEDGER_RESTORED, events.STORE_RESTORED))
    rows = conn.execute(
        select(entry.c.at, entry.c.body).where(told, entry.c.position.is_not(None)).order_by(entry.c.id)
    )
    return [gap for at, text in rows if (gap := _gap(at, json.loads(text))) is not None]


def _gap(at: datetime, body: dict[str, object]) -> Gap | None:
    lost = body.get("lost")
    if not isinstance(lost, dict):
        return None
    return Gap(at, int(str(body["kept"])), int(lost["size"]), str(lost["root"]))


def explained(one: Checkpoint, known: Iterable[Gap]) -> bool:
    """Whether one of ``known`` says why the ledger does not hold ``one``."""
    return any(gap.explains(one) for gap in known)
