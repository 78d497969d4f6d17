"""Living short lists of events again and again, to see whether they still go wrong: as cheaply as can be without changing it.

The stores are copied from empty ones that were made once, and nothing is proven at the end unless a promise is what was broken,
and then without a made-up person: tables and proofs would take more time than the events. With faults a trial is a rehearsal
like any other.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from troth.rehearsal.acts import Acts
from troth.rehearsal.reproduce import Again
from troth.rehearsal.result import Kind, Violation
from troth.rehearsal.run import begin, live, rehearse
from troth.rehearsal.shrink import Events
from troth.rehearsal.stage import staged
from troth.store.engines import open_engine
from troth.store.prepare import upgrade

STORES = ("data", "keys")


@contextmanager
def trials(source: Path, seed: int, kind: Kind, *, policy: Path | None = None, faults: bool = False) -> Iterator[Again]:
    """What lives a list of events on the site in ``source``, on new SQLite files, and says what went wrong.

    ``kind`` is what the trials look for; ``policy`` and ``faults`` are as for ``rehearse``.
    """

    def with_faults(events: Events, days: int) -> Iterable[Violation]:
        return rehearse(source, days=days, seed=seed, policy=policy, faults=True, events=events).violations

    if faults:
        yield with_faults
        return
    with TemporaryDirectory(prefix="troth-rehearsal-") as name:
        empty = Path(name)
        _make_stores(empty)

        def without(events: Events, days: int) -> Iterable[Violation]:
            return _lived(source, empty, seed, kind, policy, events, days)

        yield without


def _make_stores(folder: Path) -> None:
    for store in STORES:
        engine = open_engine(f"sqlite:///{store}.db", folder)
        upgrade(engine, store)
        engine.dispose()


def _lived(
    source: Path, empty: Path, seed: int, kind: Kind, policy: Path | None, events: Events, days: int
) -> list[Violation]:
    with TemporaryDirectory(prefix="troth-rehearsal-") as name:
        folder = Path(name)
        urls = {store: f"sqlite:///{shutil.copy(empty / f'{store}.db', folder)}" for store in STORES}
        with staged(source, folder, policy=policy, database=urls["data"], keys=urls["keys"]) as stage:
            life = begin(stage.site, stage.clock, Acts(stage.site, stage.clock, seed), seed)
            live(life, events, days)
            if kind == "promise":
                life.prove(days - 1, stage.clock.at)
            return life.violations
