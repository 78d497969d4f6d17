"""Backups and restores in processes of their own that are killed midway; each function is the body of one process."""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.crashing import die
from troth.clock import MovedClock
from troth.restoring import backup as taking
from troth.restoring import by_hand, erasures, staging
from troth.restoring import restore as putting
from troth.retention import destroy as destroying
from troth.retention import ending as endings
from troth.store import swap
from troth.store.site import open_site

PLACES: dict[str, tuple[object, str, int]] = {
    "while a copy is opened": (staging, "_opened", 1),
    "between the two copies": (staging, "_opened", 2),
    "before the copies are prepared": (staging, "prepare", 1),
    "before the ledger is carried over": (putting, "carry_over", 1),
    "before the restore is entered": (putting, "enter", 1),
    "before the heads are kept": (sys.modules["troth.ledger.heads"], "reset", 1),
    "before what was done is done again": (putting, "replay", 1),
    "before the seal": (putting, "seal", 1),
    "before it is committed": (putting, "commit", 1),
    "before the first store is exchanged": (putting, "finish", 1),
    "before the second store is exchanged": (swap, "_replaced", 2),
    "before the head is exchanged": (swap, "_replaced", 3),
    "before the scratch folder goes": (swap.shutil, "rmtree", 1),
}
OLD = tuple(PLACES)[:9]
"""the places up to which the site is as it was"""


def _dies(module: object, name: str, nth: int) -> None:
    """Let the process die just before the ``nth`` call of a function."""
    real: Callable[..., Any] = getattr(module, name)
    met = 0

    def called(*args: Any, **named: Any) -> Any:
        nonlocal met
        met += 1
        if met == nth:
            die()
        return real(*args, **named)

    setattr(module, name, called)


def restore_and_die(folder: str, urls: dict[str, str], at: datetime, backup: str, place: str) -> None:
    site = open_site(Path(folder), MovedClock(at), **urls)
    _dies(*PLACES[place])
    putting.restore(site, Path(backup), because="the disk failed", by="engineer")


RECORDING: dict[str, tuple[object, str, int]] = {
    "before it is recorded": (by_hand, "enter", 1),
    "before what was done is done again": (by_hand, "replay", 1),
    "between two endings": (endings, "begin_each", 2),
    "before what ended is destroyed": (erasures, "destroy_keys", 1),
    "before keys are destroyed": (destroying, "destroy_keys", 1),
    "before the heads are kept": (sys.modules["troth.ledger.heads"], "reset", 1),
    "before the seal": (by_hand, "seal", 1),
    "before it is finished": (by_hand, "finish", 1),
    "before the last seal": (by_hand, "seal", 2),
}


def accept_and_die(folder: str, urls: dict[str, str], at: datetime, record: str, place: str) -> None:
    site = open_site(Path(folder), MovedClock(at), **urls)
    _dies(*RECORDING[place])
    by_hand.accept(site, "copies of the night before", "engineer", Path(record))


def backup_and_die(folder: str, urls: dict[str, str], at: datetime, backup: str, nth: int) -> None:
    site = open_site(Path(folder), MovedClock(at), **urls)
    _dies(*((taking, "copy_out", nth) if nth < 3 else (taking, "write", 1)))
    taking.backup(site, Path(backup))
