"""Whole processes of the command line, from start to exit, beside a Python that does nothing.

Python may keep the bytecode of what it imports, as it may wherever Troth is installed: the run that warms caches writes it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.measure import Figure, Goal, figure, seconds
from benchmarks.registry import Bench, benchmark

SITES = Path(__file__).parent.parent / "sites"
TROTH = str(Path(sys.executable).parent / "troth")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def largest_site() -> Path:
    """The site with the longest policy and decisions."""
    return max(SITES.iterdir(), key=lambda site: sum(file.stat().st_size for file in site.glob("*.yaml")))


@benchmark("processes")
def processes(bench: Bench) -> Iterator[Figure]:
    """``troth --help`` and ``troth check``; the size is the same when brief."""
    site = largest_site()
    nothing = [sys.executable, "-c", "pass"]
    for what, arguments, goal, size in (
        ("troth --help", ["--help"], 0.3, ""),
        ("troth check", ["check", str(site)], 0.5, f"{site.name}, the largest site"),
    ):
        pairs = bench.in_turn(partial(_run, [TROTH, *arguments]), lambda: _run(nothing))
        told = _imports([TROTH, *arguments])
        yield figure(what, pairs, Goal("seconds", goal), ours=what, theirs="python -c pass", size=size).with_spent(told)


def _run(command: list[str]) -> float:
    return seconds(lambda: subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT))  # noqa: S603


def _imports(command: list[str]) -> str:
    """The packages whose own modules take longest to import."""
    timed = [sys.executable, "-X", "importtime", *command]
    said = subprocess.run(timed, check=True, capture_output=True, text=True, env=ENVIRONMENT).stderr  # noqa: S603
    found: dict[str, int] = {}
    for line in said.splitlines()[1:]:
        own, _, name = line.removeprefix("import time:").split("|")
        package = name.strip().split(".")[0]
        found[package] = found.get(package, 0) + int(own)
    most = sorted(found.items(), key=lambda one: -one[1])[:5]
    return "imports: " + ", ".join(f"{micros / 1000:.0f} ms {name}" for name, micros in most)
