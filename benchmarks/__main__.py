"""``python -m benchmarks [NAME...] [--quick | --full]``: measure, show the table and keep the figures."""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path

from rich.console import Console

from benchmarks import machine, report
from benchmarks.gdprbench.workloads import WORKLOADS
from benchmarks.measure import Figure, seconds
from benchmarks.registry import BENCHMARKS, Bench
from benchmarks.stores import SERVER, Stores, find_server
from troth.clock import SystemClock

MODULES = (
    "decisions",
    "collecting",
    "reading",
    "access",
    "requests",
    "visits",
    "sweeping",
    "erasing",
    "ledger",
    "reconciling",
    "space",
    "memory",
    "http",
    "processes",
    "gdprbench",
)
WIDTH = 150
for module in MODULES:
    import_module(f"benchmarks.{module}")


def main() -> None:
    """Run the benchmarks that were named, or all; a run that is not a quick one is kept."""
    asked = _arguments()
    console, server = Console(width=WIDTH), find_server()
    facts = machine.facts(server)
    if server is None and asked.on == "postgresql":
        raise SystemExit(f"No PostgreSQL answers on this machine (or at {SERVER}): start one, or leave --on out.")
    if server is None:
        console.print(f"No PostgreSQL answers on this machine (or at {SERVER}): measuring SQLite alone.")
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="troth-bench-") as folder:
        stores = Stores(Path(folder), server, asked.on)
        bench = Bench(stores, asked.quick, asked.full)
        names = asked.names or list(BENCHMARKS)
        try:
            for place, name in enumerate(names, 1):
                console.print(f"[bold]{name}[/bold] ({place} of {len(names)})")
                which, _, part = name.partition(":")
                took = seconds(partial(_measure, console, which, replace(bench, part=part), figures))
                console.print(f"[dim]{name}: {took:.0f} s[/dim]")
        finally:
            stores.close()
    report.shown(console, figures)
    if figures and not asked.quick:
        path = report.kept(figures, facts, asked.full, SystemClock().now())
        console.print(f"Kept in benchmarks/results/{path.name}.")


def _measure(console: Console, name: str, bench: Bench, figures: list[Figure]) -> None:
    """Each figure is shown when it is there, and what came before one that fails is not lost."""
    try:
        for one in BENCHMARKS[name](bench):
            figures.append(replace(one, load=round(os.getloadavg()[0], 1)))
            console.print(f"  {one.what} {one.store}: {' '.join(report.row(one)[4:5])}", highlight=False)
    except Exception as error:
        console.print(f"[red]{name} stopped: {type(error).__name__}: {error}[/red]")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Troth beside the bare work.")
    parts = [f"gdprbench:{name}" for name in WORKLOADS]
    known = [*BENCHMARKS, *parts]
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *known], help=", ".join(known))
    parser.add_argument("--on", choices=["sqlite", "postgresql"], help="one store alone")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="a tenth of the size, to see that it works")
    size.add_argument("--full", action="store_true", help="the sizes of the goals, which take hours on a small machine")
    return parser.parse_args()


if __name__ == "__main__":
    main()
