"""Requests in processes of their own that are killed midway; each function is the body of one process."""

from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from tests.crashing import die
from troth.clock import MovedClock
from troth.rights import following
from troth.rights.intake import receive
from troth.rights.rules import Intake
from troth.store.site import Site, open_site


def wish(right: str, key: str = "wish-1") -> Intake:
    """What Ann asks for, as staff entered it who know her."""
    changes = {"full_name": "Ann Wren"} if right == "correction" else {}
    about = ("improvement",) if right == "objection" else ()
    email = "ann@shop.example"
    return Intake(right, "letter", key, email=email, changes=changes, about=about, vouched="staff", by="7")


def ask_and_die(folder: str, database: str, keys: str, at: datetime, right: str, nth: int) -> None:
    """Take a request in and carry it out; die just before the ``nth`` commit of either store, if there are so many."""
    site = open_site(Path(folder), MovedClock(at), database=database, keys=keys)
    die_at_commit(site, nth)
    receive(site, wish(right))


def work_and_die(folder: str, database: str, keys: str, at: datetime, nth: int) -> None:
    """Follow requests as the worker does; die just before the ``nth`` commit of either store, if there are so many."""
    site = open_site(Path(folder), MovedClock(at), database=database, keys=keys)
    die_at_commit(site, nth)
    following.follow(site)


def die_at_commit(site: Site, nth: int) -> None:
    met = 0

    def count(_conn: Connection) -> None:
        nonlocal met
        met += 1
        if met == nth:
            die()

    for engine in (site.engine, site.keys):
        _listen(engine, count)


def _listen(engine: Engine, count: Any) -> None:
    event.listen(engine, "commit", count)
