"""``python -m benchmarks.growth [--rows N...]``: what a collect, a read, a sweep and a proof take as a store fills up.

For each number of people (with a holding each, made by the databases) the same is done: forms of new people are collected,
people are read one by one, all that is due is swept, and every promise is proven. The figures are kept in
``results/growth.json`` and put into ``docs/what-it-costs.md``, with the shares of the time that a profiler finds and a picture.
What was not measured is not in the figures: the page carries the lines on from their slope, dashed, and says so.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median

from rich.console import Console

from benchmarks import machine
from benchmarks.crowds import crowd, due
from benchmarks.curves import page
from benchmarks.measure import seconds
from benchmarks.people import FIELDS, fresh, registered, registration
from benchmarks.report import RESULTS
from benchmarks.spent import spent
from benchmarks.stores import Kind, Stores, find_server, settled, shop
from troth.clock import SystemClock
from troth.collection.actions import collect
from troth.evidence.prove import prove
from troth.people import vault
from troth.retention.sweep import sweep
from troth.store.site import Site

KEPT = RESULTS / "growth.json"
ROWS = (1_000, 10_000, 100_000)
FORMS, READS, TURNS = 20, 60, 5
BY = vault.By("staff", role="service")


@dataclass(frozen=True)
class Point:
    """What ``act`` took with so many ``rows``: ``each`` in seconds for a form, a read, a row swept, or a whole proof."""

    act: str
    store: Kind
    rows: int
    each: float
    spent: str
    load: float


def measured(stores: Stores, kind: Kind, rows: int) -> list[Point]:
    """The four acts on a fresh store with ``rows`` people."""
    with shop(stores, kind) as site:
        crowd(site, rows)
        people = registered(site, FORMS)
        settled(site.engine)
        taken = {
            "collect": _often(partial(_collect, site), FORMS),
            "read": _often(partial(_read, site, people), READS),
            "sweep": _once(partial(sweep, site), due(site)),
            "proof": _once(partial(prove, site), 1),
        }
    return [Point(act, kind, rows, *found, round(os.getloadavg()[0], 1)) for act, found in taken.items()]


def _often(act: Callable[[], None], pieces: int) -> tuple[float, str]:
    act()
    each = median(seconds(act, pieces) for _ in range(TURNS))
    return each, spent(act)


def _once(act: Callable[[], object], pieces: int) -> tuple[float, str]:
    """Done once and profiled at the same time: done again it would find nothing to do. The profiler makes it slower."""
    took: list[float] = []
    where = spent(lambda: took.append(seconds(act, max(1, pieces))))
    return took[0], where


def _collect(site: Site) -> None:
    for _ in range(FORMS):
        collect(site, registration(fresh()[1]))


def _read(site: Site, people: Sequence[str]) -> None:
    for _ in range(READS):
        vault.read(site, secrets.choice(people), FIELDS, "service", BY)


def main() -> None:
    """Measure, keep and write the page; with ``--page`` only write it from what is kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description="Costs as a store fills up.")
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    parser.add_argument("--page", action="store_true", help="write the page from the figures that are kept")
    asked = parser.parse_args()
    if not asked.page:
        _keep(asked.rows)
    page(json.loads(KEPT.read_text()))


def _keep(numbers: Sequence[int]) -> None:
    console, server = Console(), find_server()
    points: list[Point] = []
    facts = machine.facts(server)
    with tempfile.TemporaryDirectory(prefix="troth-growth-") as folder:
        stores = Stores(Path(folder), server)
        try:
            for rows in numbers:
                for kind in stores.kinds:
                    points += measured(stores, kind, rows)
                    shown = ", ".join(f"{one.act} {one.each * 1e3:.3g} ms" for one in points[-4:])
                    console.print(f"{rows:,} rows on {kind}: {shown}", highlight=False)
        finally:
            stores.close()
    at = f"{SystemClock().now():%Y-%m-%dT%H:%MZ}"
    tree = {"at": at, "machine": facts, "points": [asdict(one) for one in points]}
    KEPT.write_text(json.dumps(tree, indent=1) + "\n")


if __name__ == "__main__":
    main()
