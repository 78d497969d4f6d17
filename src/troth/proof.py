"""What a proof says: whether one promise holds now, by which measure, and what the evidence is. No personal values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from troth.policy.compile import Compiled
from troth.store.site import Site

Verdict = Literal["kept", "broken", "unproven", "attested"]
How = Literal["query", "replay", "canary", "construction", "attestation"]


@dataclass(frozen=True, slots=True)
class Proof:
    """The answer for one promise. ``limit`` is what was promised, ``measured`` what was found, both for people to read."""

    verdict: Verdict
    how: How
    limit: str
    measured: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """What replaying the ledger found about the decisions that speak of one promise."""

    decisions: int = 0
    wrong: int = 0
    first_wrong: int | None = None
    """id of the ledger entry that does not come out again"""


@dataclass(frozen=True)
class Canary:
    """What became of the made-up person that went through the real paths: a sentence for each step that failed."""

    steps: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Proving:
    """What every proof is given: the site, one consistent state of its data, the policy in force and what was replayed."""

    site: Site
    conn: Connection
    compiled: Compiled
    now: datetime
    replayed: Mapping[str, Replayed]
    canary: Canary

    def replay(self, promise_id: str) -> Replayed:
        """What the ledger's replay found about one promise."""
        return self.replayed.get(promise_id, Replayed())


def counted(wrong: int, of: int, what: str, limit: str, bad: str) -> Proof:
    """A query's proof from two counts: broken when anything is ``wrong``, unproven when there is nothing yet to look at."""
    if wrong:
        return Proof("broken", "query", limit, f"{wrong:,} {bad}", f"{of:,} {what} looked at")
    if not of:
        return Proof("unproven", "query", limit, "nothing yet", f"no {what} so far")
    return Proof("kept", "query", limit, f"0 {bad}", f"{of:,} {what} looked at")


def replayed(found: Replayed, limit: str) -> Proof:
    """A replay's proof: every decision on the ledger that speaks of the promise came out again as it is written."""
    if found.wrong:
        where = f"first at ledger entry {found.first_wrong}"
        return Proof("broken", "replay", limit, f"{found.wrong:,} decisions come out otherwise", where)
    if not found.decisions:
        return Proof("unproven", "replay", limit, "nothing yet", "no decision has been asked for so far")
    return Proof(
        "kept", "replay", limit, f"{found.decisions:,} decisions, all come out again", "the ledger, re-derived"
    )


def span(time: timedelta) -> str:
    """A length of time in its two largest units: ``29 d 3 h``, ``4 h 10 min``, ``12 min``."""
    minutes = int(time.total_seconds() // 60)
    days, hours, minutes = minutes // 1440, minutes % 1440 // 60, minutes % 60
    if days:
        return f"{days:,} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
