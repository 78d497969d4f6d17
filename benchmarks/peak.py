"""``python -m benchmarks.peak ACT ROWS FOLDER DATABASE KEYS``: do one thing and print the most memory this process ever had.

Run by ``memory`` in a process of its own for each figure, since what a process once had it seldom gives back.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.people import fresh, registration
from benchmarks.stores import START
from troth import ledger
from troth.clock import MovedClock
from troth.collection.actions import collect
from troth.evidence.prove import prove
from troth.ledger.export import export
from troth.people import vault
from troth.people.vault import By
from troth.retention.sweep import sweep
from troth.rights.copy.as_csv import as_csv
from troth.rights.copy.as_json import as_json
from troth.rights.copy.overview import everything_told
from troth.store.site import Site, open_site


def collecting(site: Site, rows: int) -> None:
    """Take in ``rows`` forms."""
    for _ in range(rows):
        collect(site, registration(fresh()[1]))


def proving(site: Site, rows: int) -> None:
    """Prove every promise once; the rows are there."""
    prove(site)


def sweeping(site: Site, rows: int) -> None:
    """Sweep an eighth of the rows that are there."""
    sweep(site)


def verifying(site: Site, rows: int) -> None:
    """Seal and verify a ledger."""
    ledger.seal(site)
    if ledger.verify(site).verdict != "whole":
        raise AssertionError("the ledger does not verify")


def exporting(site: Site, rows: int) -> None:
    """Export a ledger."""
    with Path(os.devnull).open("w") as nowhere:
        export(site, nowhere)


def everything(site: Site, rows: int) -> None:
    """Open all that is held about one person, a page at a time."""
    one = _somebody(site, rows)
    if sum(1 for _ in vault.everything(site, one, By("person", ref=one))) < rows:
        raise AssertionError("something is missing from the answer")


def answering(site: Site, rows: int) -> None:
    """Tell one person everything as JSON, and as tables."""
    one = _somebody(site, rows)
    for copy in (as_json, as_csv):
        if sum(map(len, copy(everything_told(site, one, By("person", ref=one), "en")))) < rows:
            raise AssertionError("something is missing from the copy")


def _somebody(site: Site, rows: int) -> str:
    one = collect(site, registration(fresh()[1])).person_id
    fields = registration(fresh()[1]).values
    with site.writing() as conn:
        policy = site.policy(conn)
        for number in range(rows):
            vault.hold(
                site, conn, person_id=one, point="register", source="registration", values=fields, told="0" * 64,
                submission=f"{number:024d}", policy=policy,
            )  # fmt: skip
    return one


ACTS: dict[str, Callable[[Site, int], None]] = {
    act.__name__: act for act in (collecting, everything, answering, sweeping, proving, verifying, exporting)
}


def main() -> None:
    """Do it, and print bytes."""
    act, rows, folder, database, keys = sys.argv[1:]
    site = open_site(Path(folder), MovedClock(START), database=database, keys=keys)
    ACTS[act](site, int(rows))
    site.close()
    print(most_ever())  # noqa: T201


def most_ever() -> int:
    """The most memory this process ever had, in bytes.

    Linux says it of the program; what ``getrusage`` says there begins with the most of whoever started this process.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


if __name__ == "__main__":
    main()
