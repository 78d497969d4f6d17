"""What the ledger says of endings: which were destroyed in time, which late, and which nothing shows to have been in time.

Nothing is left of what was destroyed a year late, so no store shows that it was. The ledger does: an ending has its deadline
on record, and its destruction has its instant. What began in time is held against its deadline. What began after it was swept
late, or became known late: a dealing that was reported afterwards, a version that keeps for less. The sweep before tells the
two apart: none had run since the deadline, or one had, and knew nothing of it. What a restoration brought back may have been
destroyed in time before, so of its time nothing is said. Nor is less than a day called late, since a turn of the worker stands
for a day in a rehearsal; but it is not called in time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from troth.clock import DAY, to_micros
from troth.ledger import events
from troth.proof import Beginning, Ended, Timeliness
from troth.retention.heartbeat import SWEEP_EVERY

ENDINGS = frozenset({events.ENDING_QUARANTINED, events.ENDING_DESTROYED, events.ENDING_RESTORED})
GRACE_MICROS = 2 * SWEEP_EVERY // timedelta(microseconds=1)
"""how long what may not go before its deadline, or was told after it, may take to go, in microseconds"""
LATE_MICROS = DAY // timedelta(microseconds=1)
"""by how much more than this something was late that breaks its promise, in microseconds"""


@dataclass
class EndedHeard:
    """The endings on their way, and what became of the others, by cause. In the ledger's own order."""

    begun: dict[str, Beginning] = field(default_factory=dict)
    ended: defaultdict[str, Ended] = field(default_factory=lambda: defaultdict(Ended))

    def hear(self, event: str, at: int, body: Mapping[str, Any], lost: Collection[tuple[int, int]]) -> None:
        """Take in an entry; ``lost`` are the times of which a restoration lost what was done."""
        ending = str(body.get("ending"))
        if event == events.ENDING_QUARANTINED:
            self.begun[ending] = _begun(at, body)
            return
        begun = self.begun.pop(ending, None)
        if event == events.ENDING_DESTROYED:
            one = begun or _begun(at, body)
            past_a_day = one.by is None or at - one.by > LATE_MICROS
            self.ended[one.cause] += _one(*judged(one, at, lost), past_a_day)


def judged(beginning: Beginning, gone: int, lost: Collection[tuple[int, int]] = ()) -> tuple[Timeliness, timedelta]:
    """Whether what was destroyed at ``gone`` (microseconds since 1970) was in time; and by how much it was late, if it was."""
    if beginning.by is None:
        return Timeliness.UNKNOWN, timedelta(0)
    due = beginning.by if beginning.at < beginning.by else beginning.by + GRACE_MICROS
    if gone <= due:
        return Timeliness.IN_TIME, timedelta(0)
    unswept = beginning.swept is not None and beginning.swept < beginning.by
    known = beginning.at <= due or gone > beginning.at + GRACE_MICROS or unswept
    past = gone - beginning.by
    if known and not was_lost(beginning.by, lost) and past > LATE_MICROS:
        return Timeliness.LATE, timedelta(microseconds=past)
    return Timeliness.UNKNOWN, timedelta(0)


def was_lost(by: int, lost: Collection[tuple[int, int]]) -> bool:
    """Whether a restoration lost what was done at the deadline ``by``."""
    return any(since < by <= until for since, until in lost)


def _one(timeliness: Timeliness, late_by: timedelta, past_a_day: bool) -> Ended:
    """One ending, counted."""
    unknown = timeliness is Timeliness.UNKNOWN
    return Ended(1, int(timeliness is Timeliness.LATE), late_by, int(unknown), int(unknown and past_a_day))


def _begun(at: int, body: Mapping[str, Any]) -> Beginning:
    return Beginning(str(body.get("cause")), at, _micros(body.get("by")), _micros(body.get("swept")))


def _micros(said: object) -> int | None:
    try:
        return to_micros(datetime.fromisoformat(said)) if isinstance(said, str) else None
    except ValueError:
        return None
