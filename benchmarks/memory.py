"""Memory as rows grow tenfold: the most that a process ever had for each thing it does, with some rows and with ten times them.

Flat means that ten times the rows take at most a quarter more. Each figure is a process of its own on stores of its own, filled
before by another way, so that only what is measured counts. *Collecting*, *everything about a person*, *answering* (the same
as JSON) and *exporting* are told how many rows to go through; *sweeping* and *proving* find them there; *verifying* seals a
ledger first.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.crowds import crowd
from benchmarks.ledger import bodies
from benchmarks.measure import Figure, Goal, Pairs, figure
from benchmarks.registry import Bench, benchmark
from benchmarks.stores import START, Kind, shop
from troth import ledger
from troth.ledger import events

ROOT = Path(__file__).parent.parent
ROWS = {
    "collecting": 200,
    "everything": 500,
    "answering": 1_000,
    "sweeping": 10_000,
    "proving": 10_000,
    "verifying": 5_000,
    "exporting": 5_000,
}
"""rows of the smaller side; the other has ten times as many"""
AT_ONCE = 1000


@benchmark("memory")
def memory(bench: Bench) -> Iterator[Figure]:
    """Peaks with ``ROWS`` and with ten times them, on each store."""
    for kind in bench.stores.kinds:
        for act, usual in ROWS.items():
            rows = bench.size(usual)
            few, many = peak(bench, kind, act, rows), peak(bench, kind, act, 10 * rows)
            yield figure(
                f"peak memory, {act}",
                Pairs((many,), (few,)),
                Goal("cost", 1.25),
                ours="ten times the rows",
                theirs="the rows",
                store=kind,
                size=f"{10 * rows:,} rows beside {rows:,}",
                unit="B",
            )


def peak(bench: Bench, kind: Kind, act: str, rows: int) -> float:
    """Bytes that a process had at most while it did ``act``."""
    with shop(bench.stores, kind) as site:
        if act in ("sweeping", "proving"):
            crowd(site, rows)
        if act in ("verifying", "exporting"):
            made = bodies(site, min(rows, AT_ONCE))
            for _ in range(rows // len(made)):
                with site.writing() as conn:
                    ledger.append_many(conn, START, events.PERSON_READ, made)
        if act == "exporting":
            ledger.seal(site)
        for engine in (site.engine, site.keys):
            engine.dispose()
        urls = [engine.url.render_as_string(hide_password=False) for engine in (site.engine, site.keys)]
        command = [sys.executable, "-m", "benchmarks.peak", act, str(rows), str(site.folder), *urls]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603
        return float(done.stdout)
