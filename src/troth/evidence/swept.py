"""What the ledger says of the sweeps of the visit log: which came in time, which late, and of which nothing shows it.

Nothing is left of a visit that was destroyed a year late but the entry of the sweep: when it ran, and how old its oldest visit
was. By when that had to go the sweep does not say, since it would vouch for itself: it is worked out anew, from the versions
that were in force since. A visit is due as soon as one of them says so, and for as long as none says otherwise; a version that
keeps for less makes visits due on the day it takes effect, not before. The margins are those of endings (``ended``).

The age is in whole hours: *in time* is held against the oldest instant that it may mean, *late* against the youngest. An entry
from before ages were entered shows neither.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from troth.clock import from_micros, to_micros
from troth.evidence.archive import Archive
from troth.evidence.ended import GRACE_MICROS, LATE_MICROS, was_lost
from troth.policy.compile import Compiled
from troth.proof import Ended
from troth.visits.rules import due_at

_HOUR_MICROS = timedelta(hours=1) // timedelta(microseconds=1)


@dataclass
class SweptHeard:
    """What became of visits so far, counted by sweep. In the ledger's own order."""

    visits: Ended = field(default_factory=Ended)

    def hear(self, at: int, body: Mapping[str, Any], archive: Archive, lost: Collection[tuple[int, int]]) -> None:
        """Take in the entry of a sweep; ``lost`` are the times of which a restoration lost what was done."""
        if body.get("count"):
            self.visits += judged_sweep(at, body.get("oldest"), archive, lost)


def judged_sweep(at: int, hours: object, archive: Archive, lost: Collection[tuple[int, int]] = ()) -> Ended:
    """Whether a sweep at ``at`` (microseconds since 1970), whose oldest visit was ``hours`` old, came in time, as a count."""
    if not isinstance(hours, int) or not 0 <= hours < at // _HOUR_MICROS:
        return Ended(1, unknown=1, doubtful=1)
    youngest = at - hours * _HOUR_MICROS
    if _overdue(archive, youngest - _HOUR_MICROS, at)[1] <= GRACE_MICROS:
        return Ended(1)
    by, past = _overdue(archive, youngest, at)
    if past > LATE_MICROS and not was_lost(by, lost):
        return Ended(1, 1, timedelta(microseconds=past))
    return Ended(1, unknown=1, doubtful=int(past > LATE_MICROS))


def _overdue(archive: Archive, visit: int, swept: int) -> tuple[int, int]:
    """Since when, and for how long without a break, a visit was due at the most until it was swept; all in microseconds."""
    by, longest, since = swept, 0, None
    for begun, over, compiled in archive.between(visit, swept):
        due = max(begun, _due(compiled, visit)) if compiled else over
        if due >= over:
            since = None
            continue
        since = due if since is None or due > begun else since
        if over - since > longest:
            by, longest = since, over - since
    return by, longest


def _due(compiled: Compiled, visit: int) -> int:
    return to_micros(due_at(compiled, from_micros(visit)))
