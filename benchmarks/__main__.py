"""``python -m benchmarks [NAME...] [--quick]``: measure, show the table and keep a whole run's figures."""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from importlib import import_module
from pathlib import Path

from rich.console import Console

from benchmarks import machine, report
from benchmarks.measure import Figure, seconds
from benchmarks.registry import BENCHMARKS, Bench
from benchmarks.stores import SERVER, Stores, find_server
from troth.clock import SystemClock

MODULES = ("decisions", "collecting", "reading", "visits", "sweeping", "erasing", "ledger", "processes", "gdprbench")
WIDTH = 150
for module in MODULES:
    import_module(f"benchmarks.{module}")


def main() -> None:
    """Run the benchmarks that were named, or all; only a whole run, not a quick one, is kept."""
    asked = _arguments()
    console, server = Console(width=WIDTH), find_server()
    facts = machine.facts(server)
    if server is None:
        console.print(f"No PostgreSQL answers on this machine (or at {SERVER}): measuring SQLite alone.")
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="troth-bench-") as folder:
        stores = Stores(Path(folder), server)
        try:
            for name in asked.names or BENCHMARKS:
                took = seconds(partial(_measure, name, Bench(stores, asked.quick), figures))
                console.print(f"[dim]{name}: {took:.0f} s[/dim]")
        finally:
            stores.close()
    report.shown(console, figures)
    if not asked.names and not asked.quick:
        path = report.kept(figures, facts, asked.quick, SystemClock().now())
        console.print(f"Kept in benchmarks/results/{path.name}.")


def _measure(name: str, bench: Bench, figures: list[Figure]) -> None:
    figures.extend(BENCHMARKS[name](bench))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Troth beside the bare work.")
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *BENCHMARKS], help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="a tenth of the size, to see that it works")
    return parser.parse_args()


if __name__ == "__main__":
    main()
