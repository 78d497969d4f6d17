"""What the records of the benchmark are, in memory: the answer that every backend must give to every operation.

A record is a key, data, and the paper's metadata: PUR, TTL, USR, OBJ, DEC, SHR, SRC. What a record is used for, how long, and
where it comes from follow from its kind; what its person objected to and what the controller suspended do not.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from benchmarks.gdprbench.policy import KINDS, party, point, purpose, source, term, text
from benchmarks.gdprbench.policy import field as field_
from troth.clock import to_micros
from troth.policy.periods import Period
from troth.retention.clocks import ahead
from troth.store.versions import compiled

PAGE = 50
"""records of one answer to a processor who asks by purpose or decision"""
LOGS = 100
"""entries of one answer to a regulator"""
TERM = Period(20, "day")
"""within which a deletion is done"""
MARGIN = timedelta(days=2)
"""ahead of every deadline, as `site.yaml` has it when it says nothing"""


def ends(kind: int, at: datetime) -> int:
    """When a record that came in ``at`` goes (TTL), in microseconds since 1970: when a clock takes it out of use."""
    return to_micros(at + term(kind) - early(kind))


@cache
def early(kind: int) -> timedelta:
    """How long before its deadline a record goes, so that it is gone by then."""
    clock = next(one for one in compiled(text(), "").clocks if (point(kind), field_(kind)) in one.covers)
    return ahead(clock, TERM, MARGIN)


@dataclass(slots=True)
class Record:
    """One record."""

    key: str
    user: str
    kind: int
    at: datetime
    data: str


@dataclass(frozen=True, slots=True)
class Op:
    """One operation: its name, and what it is given."""

    name: str
    key: str = ""
    user: str = ""
    kind: int = -1
    data: str = ""
    on: bool = False
    at: datetime | None = None
    until: datetime | None = None
    meta: tuple[Any, ...] = ()
    """of a record to be created: what the plain table must be told, since it keeps it with each record"""


Meta = tuple[str, int, str, bool, bool, str, str]
"""PUR (blank while suspended), TTL, USR, OBJ, DEC (whether automated decisions are allowed), SHR (blank likewise), SRC"""


@dataclass
class Model:
    """All records and choices."""

    records: dict[str, Record] = field(default_factory=dict)
    of_user: dict[str, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    had: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    of_kind: dict[int, list[tuple[datetime, str]]] = field(default_factory=lambda: defaultdict(list))
    objected: set[tuple[str, int]] = field(default_factory=set)
    undecided: set[str] = field(default_factory=set)
    """users who want no automated decision"""
    suspended: set[int] = field(default_factory=set)
    """kinds whose purpose is suspended"""
    unshared: set[str] = field(default_factory=set)
    """recipients who get nothing for now"""
    logged: list[datetime] = field(default_factory=list)
    """when each record came in that was there at the start"""

    def add(self, record: Record) -> None:
        """Take a record in."""
        self.records[record.key] = record
        self.of_user[record.user][record.kind] = record.key
        self.had[record.user].add(record.kind)
        insort(self.of_kind[record.kind], (record.at, record.key))

    def remove(self, key: str) -> None:
        """Take a record out."""
        record = self.records.pop(key)
        del self.of_user[record.user][record.kind]
        self.of_kind[record.kind].remove((record.at, key))

    def meta(self, key: str) -> Meta:
        """The metadata of a record as they now are."""
        one = self.records[key]
        return (
            "" if one.kind in self.suspended else purpose(one.kind),
            ends(one.kind, one.at),
            one.user,
            (one.user, one.kind) in self.objected,
            one.user not in self.undecided,
            "" if party(one.kind) in self.unshared else party(one.kind),
            source(one.kind),
        )

    def usable(self, key: str) -> bool:
        """Whether a record may be read for its own purpose."""
        one = self.records[key]
        return one.kind not in self.suspended and (one.user, one.kind) not in self.objected

    def apply(self, op: Op) -> Any:
        """Do ``op`` and return the answer to it."""
        return getattr(self, op.name)(op)

    # --- the controller

    def create(self, op: Op) -> str:
        assert op.at is not None
        self.add(Record(op.key, op.user, op.kind, op.at, op.data))
        return "done"

    def delete_by_key(self, op: Op) -> int:
        self.remove(op.key)
        return 1

    def delete_by_user(self, op: Op) -> int:
        keys = list(self.of_user[op.user].values())
        for key in keys:
            self.remove(key)
        return len(keys)

    def delete_expired(self, op: Op) -> int:
        assert op.at is not None
        now, gone = to_micros(op.at), []
        for kind in range(KINDS):
            for at, key in self.of_kind[kind]:
                if ends(kind, at) > now:
                    break
                gone.append(key)
        for key in gone:
            self.remove(key)
        return len(gone)

    def object_by_key(self, op: Op) -> str:
        (self.objected.add if op.on else self.objected.discard)((op.user, op.kind))
        return "done"

    def decide_by_user(self, op: Op) -> str:
        (self.undecided.discard if op.on else self.undecided.add)(op.user)
        return "done"

    def suspend_by_purpose(self, op: Op) -> str:
        (self.suspended.add if op.on else self.suspended.discard)(op.kind)
        return "done"

    def unshare_by_party(self, op: Op) -> str:
        (self.unshared.add if op.on else self.unshared.discard)(party(op.kind))
        return "done"

    # --- the customer

    def read_own(self, op: Op) -> tuple[tuple[int, str], ...]:
        return tuple(sorted((kind, self.records[key].data) for kind, key in self.of_user[op.user].items()))

    def own_meta(self, op: Op) -> Meta:
        return self.meta(op.key)

    def update_data(self, op: Op) -> str:
        self.records[op.key].data = op.data
        return "done"

    # --- the processor

    def read_by_key(self, op: Op) -> str | None:
        there = op.key in self.records and self.usable(op.key)
        return self.records[op.key].data if there else None

    def _page(self, op: Op) -> list[str]:
        rows = self.of_kind[op.kind]
        start = bisect_right(rows, (op.at, "~"))  # type: ignore[type-var]
        return [key for _, key in rows[start : start + PAGE]]

    def read_by_purpose(self, op: Op) -> tuple[tuple[str, str], ...]:
        return tuple(sorted((key, self.records[key].data) for key in self._page(op) if self.usable(key)))

    def read_by_decision(self, op: Op) -> tuple[tuple[str, str], ...]:
        page = [self.records[key] for key in self._page(op)]
        return tuple(sorted((one.key, one.data) for one in page if one.user not in self.undecided))

    def read_by_objection(self, op: Op) -> tuple[tuple[int, str], ...]:
        usable = ((kind, key) for kind, key in self.of_user[op.user].items() if self.usable(key))
        return tuple(sorted((kind, self.records[key].data) for kind, key in usable))

    # --- the regulator

    def meta_by_user(self, op: Op) -> tuple[Meta, ...]:
        return tuple(sorted(self.meta(key) for key in self.of_user[op.user].values()))

    def logs(self, op: Op) -> tuple[int, ...]:
        assert op.at is not None and op.until is not None
        start, end = bisect_right(self.logged, op.at - timedelta(microseconds=1)), bisect_right(self.logged, op.until)
        return tuple(to_micros(at) for at in self.logged[start:end] if at < op.until)[:LOGS]

    def verify_deletion(self, op: Op) -> bool:
        return op.key not in self.records
