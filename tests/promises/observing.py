"""Which tables a proof reads: every statement that is sent while it runs, and what was read for what it was given."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.promises.lies import TABLES
from troth.evidence import canary
from troth.evidence.catalogue import CATALOGUE
from troth.evidence.replay import Replay
from troth.proof import Proving
from troth.store import trial as trials
from troth.store.site import Site

LOOKED_UP: Mapping[str, str] = {
    "choice": "whether a choice that an entry names was made; what the entry says is held against the decisions",
    "person": "whether somebody whom an entry about a choice names is still here",
    "stop": "what an entry about a stop left to its row; the promises that a stop holds up name it themselves",
}
"""tables in which a replay looks something up that only makes more decisions wrong, never one right; each with why"""

_READ = re.compile(r'(?:\bFROM|\bJOIN|,)\s+\(?"?([a-z_]+\d*)"?(?![\w.("])', re.IGNORECASE)


def tables_in(statement: str) -> set[str]:
    """The tables that a statement reads; partitions of visits count as ``visit``."""
    named = {"visit" if name.startswith("visit_") else name for name in _READ.findall(statement)}
    return named & TABLES if "SELECT" in statement.upper() else set()


@dataclass
class Watch:
    """The tables that were read since it was last emptied; what is done on trial is taken back, and shows nothing of rows."""

    read: set[str] = field(default_factory=set)
    on_trial: int = 0


@contextmanager
def watching(patch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Watch every statement of every engine until the end of the block."""
    watch = Watch()

    def sent(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not watch.on_trial:
            watch.read |= tables_in(statement)

    undone = trials._undone

    @contextmanager
    def aside(*given: Any) -> Iterator[None]:
        watch.on_trial += 1
        try:
            with undone(*given):
                yield
        finally:
            watch.on_trial -= 1

    patch.setattr(trials, "_undone", aside)
    event.listen(Engine, "before_cursor_execute", sent)
    try:
        yield watch
    finally:
        event.remove(Engine, "before_cursor_execute", sent)


class _Told:
    """What a proof was given, which notes that it was used."""

    def __init__(self, given: Any, used: Callable[[], None]) -> None:
        self._given, self._used = given, used

    def __getattr__(self, name: str) -> Any:
        self._used()
        return getattr(self._given, name)


def reads(site: Site, watch: Watch) -> dict[str, frozenset[str]]:
    """By promise the tables that its proof reads, each as if it were the only one."""
    found = {}
    with site.reading() as conn:
        compiled, now = site.policy(conn), site.now()
        watch.read.clear()
        heard = Replay().heard(conn)
        replayed = frozenset(watch.read) - LOOKED_UP.keys()
        watch.read.clear()
        flown = canary.last(conn, site)
        walked = frozenset(watch.read) - {"policy_version"}
        for promise in compiled.promises:
            watch.read.clear()
            told = _Told(heard, lambda: watch.read.update(replayed))
            steps = _Told(flown, lambda: watch.read.update(walked))
            proving = Proving(site, conn, compiled, now, told, steps)  # type: ignore[arg-type]
            CATALOGUE[promise.kind].prove(proving, promise)
            found[promise.id] = frozenset(watch.read)
    return found
