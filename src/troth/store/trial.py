"""A trial: acts carried out on the real stores by the real functions, and taken back whole.

A proof that says "this is refused", or "this is done", should have tried it. What a trial writes is never committed, in neither
store: nobody else ever sees it, no work for after the commit begins, and a process that is killed leaves nothing behind. On
SQLite other writers wait while a trial lasts, so it should be short.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from troth.store.engines import Joined, writing
from troth.store.site import Site


@dataclass
class Stage:
    """A site for trials: one object, so that an application may be built on it once. Outside a trial its stores are closed."""

    real: Site
    data: Joined = field(init=False)
    keys: Joined = field(init=False)
    site: Site = field(init=False)

    def __post_init__(self) -> None:
        self.data, self.keys = Joined(self.real.engine.dialect), Joined(self.real.keys.dialect)
        engines: Any = {"engine": self.data, "keys": self.keys}
        self.site = replace(self.real, **engines)

    @contextmanager
    def trial(self) -> Iterator[Site]:
        """The site, for acts that are taken back at the end of the block.

        Raises:
            StoreError: when a store is locked or gone.
        """
        with _undone(self.real.engine, self.data), _undone(self.real.keys, self.keys):
            yield self.site


@contextmanager
def _undone(engine: Any, joined: Joined) -> Iterator[None]:
    with writing(engine) as conn:
        undo = conn.begin_nested()
        joined.conn = conn
        try:
            yield
        finally:
            joined.conn = None
            undo.rollback()


@contextmanager
def trial(site: Site) -> Iterator[Site]:
    """``site`` for acts that are taken back at the end of the block. Raises ``StoreError`` as ``Stage.trial`` does."""
    with Stage(site).trial() as tried:
        yield tried
