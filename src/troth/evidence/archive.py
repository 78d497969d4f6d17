"""The archive of versions as a replay asks it: which was in force at an instant, and what it answers to a question."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import BigInteger, Connection, select, type_coerce

from troth.decide import Ask, Decision
from troth.errors import StoreError
from troth.policy.compile import Compiled
from troth.store import versions
from troth.store.tables import policy_version

WINDOW_MICROS = round(timedelta(seconds=5).total_seconds() * 1_000_000)
"""For how long before an instant what was so then may count, in microseconds: two transactions that overlap may enter what they
did in either order."""


@dataclass(frozen=True, slots=True)
class Row:
    """One archived version: its number, from when it is in force (microseconds since 1970), and what it is known by."""

    version: int
    effective: int
    digest: str


@dataclass
class Archive:
    """Versions, compiled when they are asked for."""

    conn: Connection
    rows: tuple[Row, ...]
    compiled: dict[int, Compiled | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        begun = sorted((row.effective, row.version) for row in self.rows)
        self._from = [effective for effective, _ in begun]
        self._versions = [version for _, version in begun]

    def was_in_force(self, version: object, at: int) -> bool:
        """Whether ``version`` was in force at ``at`` (microseconds since 1970), or just before."""
        return isinstance(version, int) and version in (self._in_force(at), self._in_force(at - WINDOW_MICROS))

    def _in_force(self, at: int) -> int | None:
        place = bisect_right(self._from, at)
        return self._versions[place - 1] if place else None

    def decide(self, version: int, ask: Ask) -> Decision | None:
        """What ``version`` answers; None when it does not hold together any more: it was altered, as its own proof says."""
        compiled = self._numbered(version)
        return compiled.decide(ask) if compiled else None

    def kept_for(self, clock: str, at: int) -> tuple[str, ...]:
        """The purposes for which the archive ``clock`` keeps by the version in force at ``at`` (microseconds since 1970)."""
        version = self._in_force(at)
        compiled = self._numbered(version) if version is not None else None
        entry = compiled.policy.retention.get(clock) if compiled else None
        return tuple(entry.for_) if entry else ()

    def between(self, since: int, until: int) -> Iterator[tuple[int, int, Compiled | None]]:
        """Each version in force from ``since`` to ``until`` (microseconds since 1970): from when, until when, and itself.

        None stands in the place of one that was altered.
        """
        for place in range(max(bisect_right(self._from, since) - 1, 0), len(self._from)):
            begun = max(self._from[place], since)
            over = min([until, *self._from[place + 1 : place + 2]])
            if begun < over:
                yield begun, over, self._numbered(self._versions[place])

    def _numbered(self, version: int) -> Compiled | None:
        if version not in self.compiled:
            try:
                self.compiled[version] = versions.by_number(self.conn, version)
            except StoreError:
                self.compiled[version] = None
        return self.compiled[version]

    def speaks_as(self, before: Collection[Row], until: int) -> bool:
        """Whether all that was said by ``before`` up to ``until`` would be said now: no version changed, none came between."""
        known = set(before)
        return known <= set(self.rows) and all(row.effective > until for row in set(self.rows) - known)


def archive(conn: Connection) -> Archive:
    """The archive as it is now; a version is known by the digest of its texts, not by the one that stands beside them."""
    effective = type_coerce(policy_version.c.effective_at, BigInteger).label("effective")
    query = select(policy_version.c.version, effective, policy_version.c.policy, policy_version.c.decisions)
    digested = (
        Row(row.version, row.effective, versions.digest(row.policy, row.decisions)) for row in conn.execute(query)
    )
    return Archive(conn, tuple(sorted(digested, key=lambda row: row.version)))
