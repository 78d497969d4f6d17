"""Collecting and delivering in processes of their own that are killed midway; each function is the body of one process."""

from datetime import datetime
from pathlib import Path

from tests.crashing import die, die_at_commit_after, die_at_statement
from tests.submissions import REGISTER
from troth.agenda import run_due
from troth.clock import MovedClock
from troth.collection import collect
from troth.recipients import gate, instructions
from troth.settings import Delivery
from troth.store.site import Site, open_site


def collect_and_die(folder: str, database: str, keys: str, at: datetime, point: str) -> None:
    """Take in a registration and die at ``point``."""
    site = open_site(Path(folder), MovedClock(at), database=database, keys=keys)
    if point == "in the middle":
        die_at_statement(site, "INSERT INTO choice")
    if point == "before the commit":
        die_at_commit_after(site, "INSERT INTO ledger_entry")
    collect(site, REGISTER)
    die()


def deliver_and_die(folder: str, database: str, keys: str, at: datetime, url: str, point: str) -> None:
    """Deliver what is due to the courier and die at ``point``."""
    site = wired(open_site(Path(folder), MovedClock(at), database=database, keys=keys), url)
    if point == "before it leaves":
        die_at_commit_after(site, "UPDATE disclosure")
    if point == "after it arrived":
        die_at_statement(site, "UPDATE disclosure", nth=2)
    run_due(site, {gate.DELIVER: gate.deliver, instructions.INSTRUCT: instructions.carry})


def wired(site: Site, url: str) -> Site:
    """The shop with its courier behind ``url``."""
    wires = {"courier": Delivery.model_validate({"url": url, "secret env": "TROTH_TEST_SECRET"})}
    wiring = site.wiring.model_copy(update={"recipients": wires})
    return Site(site.folder, wiring, site.engine, site.keys, site.clock)
