"""Telling people of a change in processes of their own that are killed midway; the body of one process."""

from datetime import datetime
from pathlib import Path

from tests.request_crashes import die_at_commit
from troth.agenda import run_due
from troth.clock import MovedClock
from troth.messages import changing
from troth.store.site import open_site


def tell_and_die(folder: str, database: str, keys: str, at: datetime, nth: int) -> None:
    """Put due reminders on the agenda and queue notices, two people at a time; die just before the ``nth`` commit."""
    changing.BATCH = 2
    site = open_site(Path(folder), MovedClock(at), database=database, keys=keys)
    die_at_commit(site, nth)
    changing.remind(site)
    for _ in range(5):
        run_due(site, {changing.CHANGED: changing.tell})
