"""A site: its folder, its wiring, its two stores and its clock; what every action is given first."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from troth.clock import Clock, SystemClock
from troth.errors import PolicyError
from troth.policy.compile import Compiled
from troth.settings import StoreWires, Wiring
from troth.store import versions
from troth.store.engines import alone, hurried, open_engine, reading, writing
from troth.store.secret import mark_key
from troth.store.swap import finish
from troth.store.wiring import read_wiring


@dataclass(frozen=True)
class Site:
    """One operator's site, opened. ``engine`` is the store of the data, ``keys`` the store of the keys, apart from it."""

    folder: Path
    wiring: Wiring
    engine: Engine
    keys: Engine
    clock: Clock
    shared: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """what the rooms above keep for as long as this site is open, under names of their own; nothing personal"""

    @property
    def name(self) -> str:
        """The short name, as in addresses."""
        return self.wiring.name

    def now(self) -> datetime:
        """What the site's clock says."""
        return self.clock.now()

    @contextmanager
    def writing(self, *, in_pipeline: bool = False) -> Iterator[Connection]:
        """A transaction on the data that writes: all of it happens or nothing does; ``engines.writing`` says the rest."""
        with writing(self.engine, in_pipeline=in_pipeline) as conn:
            yield conn

    @contextmanager
    def hurried(self, wait_ms: int) -> Iterator[Connection]:
        """As ``writing``, for what can be done another time: it waits for other writers no longer than ``wait_ms``."""
        with hurried(self.engine, wait_ms) as conn:
            yield conn

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction on the data that only reads; ``engines.reading`` says what it sees while others write."""
        with reading(self.engine) as conn:
            yield conn

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """For one statement on the data, which is a transaction by itself."""
        with alone(self.engine) as conn:
            yield conn

    def policy(self, conn: Connection | None = None, at: datetime | None = None) -> Compiled:
        """The version in force now, or at ``at``; read through ``conn`` when a transaction is open."""
        instant = at or self.now()
        if conn is not None:
            return versions.in_force(conn, instant)
        with self.alone() as fresh:
            return versions.in_force(fresh, instant)

    def close(self) -> None:
        """Give both stores' connections back."""
        self.engine.dispose()
        self.keys.dispose()


def open_site(
    folder: Path, clock: Clock | None = None, *, database: str | None = None, keys: str | None = None
) -> Site:
    """Open the site in ``folder``; ``database`` and ``keys`` take the place of the URLs in ``site.yaml``.

    Raises:
        PolicyError: when ``site.yaml`` is missing or does not fit.
    """
    wiring = read_wiring(folder)
    key: Callable[[], bytes | None] = lambda: mark_key(site)  # noqa: E731 - the site is asked once it is there
    site = Site(
        folder=folder,
        wiring=wiring,
        engine=open_engine(database or _url(wiring.store), folder, mark_key=key),
        keys=open_engine(keys or _url(wiring.keys), folder, mark_key=key),
        clock=clock or SystemClock(),
    )
    finish(folder, site.engine, site.keys)
    return site


def _url(store: StoreWires) -> str:
    if store.database_env is None:
        return store.database
    url = os.environ.get(store.database_env)
    if not url:
        message = f"The environment variable {store.database_env}, named in site.yaml, is not set."
        raise PolicyError(message, "It must hold the database's URL.")
    return url
