"""A shop that lived a while through its own doors, so that nearly every promise has something to show; copied for tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.databases import Databases, StoreKind
from tests.fixtures import SHOP, START, days, open_shop
from troth.clock import MovedClock
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.evidence import canary
from troth.ledger.seal import seal
from troth.messages.actions import queue
from troth.people import dealings, vault
from troth.people.vault import By
from troth.recipients.gate import disclose
from troth.retention import relationship
from troth.retention.ending import begin_ending
from troth.retention.holds import make_hold
from troth.store.site import Site, open_site
from troth.visits import actions as visits
from troth.web.inside import Inside

KEYS = "sqlite:///var/keys.db"
ANN = {"email": "ann@shop.test", "full_name": "Ann Other", "interest": "lamps", "birth_date": "1990-05-31"}
ORDER = {"email": "ann@shop.test", "full_name": "Ann Other", "delivery_address": "1 Main Street", "order_total": "99"}
NOW = START + days(3)


def live(site: Site, clock: MovedClock) -> None:
    """Three days: visits, a member who orders and agrees, one who asks, one from a fair, one who is erased, one who is held."""
    with site.writing() as conn:
        visits.record(site, conn, {"pd:IPAddress": "192.0.2.7", "pd:BrowserHistory": "/lamps"})
    clock.move(days(1))
    ann = collect(
        site, Submission("register", ANN, "s1", choices={"marketing": True, "newsletter_house": True})
    ).person_id
    collect(site, Submission("order", ORDER, "s2"))
    lee = collect(
        site, Submission("contact", {"email": "lee@shop.test", "question": "Do you sell bulbs?"}, "s3")
    ).person_id
    collect(site, Submission("fair_import", {"email": "fay@shop.test"}, "s4", partner="fair"))
    gone = collect(site, Submission("contact", {"email": "gone@shop.test", "question": "Delete me"}, "s5")).person_id
    vault.read(site, ann, ["full_name", "delivery_address"], "fulfil_order", By("staff", "sales"))
    vault.read(site, ann, ["order_total"], "fulfil_order", By("program"))  # whether Ann may pay later
    vault.read(site, ann, ["email"], "marketing", By("system"))
    disclose(site, ann, "courier", ["full_name", "delivery_address"], "fulfil_order")
    disclose(site, ann, "newsletter_house", ["email"], "marketing")
    list(visits.read(site, "improvement", By("system")))
    clock.move(days(1))
    with site.writing() as conn:
        queue(site, conn, ann, "offers", "confirmation", {}, "offer:1")
        begin_ending(site, conn, gone, "request:1", site.now() + days(20))
        make_hold(
            site,
            conn,
            ann,
            ["full_name"],
            "legal_duties",
            "tax audit",
            "accounts",
            "privacy-lead",
            site.now() + days(90),
            {"reference": "T-1"},
        )
        dealings.close_dealing(site, conn, lee, "ticket", "contact:s3", site.now())
        relationship.refresh(site, conn)
    clock.move(NOW - clock.now())
    seal(site)
    canary.fly(site, Inside)


def _folder(around: Path, kind: StoreKind) -> Path:
    return around / f"living-{kind}"


class Living:
    """Makes the living shop once on each store and hands out copies."""

    def __init__(self, databases: Databases, around: Path) -> None:
        self.databases, self.around = databases, around
        self._prepare: dict[StoreKind, Callable[[str], None]] = {}

    @contextmanager
    def copy(self, kind: StoreKind, folder: Path) -> Iterator[Site]:
        """A copy of its own in ``folder``, with the clock where the life ended."""
        prepare = self._prepare.setdefault(kind, lambda url: self._live(kind, url))
        url = self.databases.fresh(kind, prepare)
        shutil.copytree(_folder(self.around, kind), folder)
        site = open_site(folder, MovedClock(NOW), database=url, keys=KEYS)
        try:
            yield site
        finally:
            site.close()
            self.databases.drop(url)

    def _live(self, kind: StoreKind, url: str) -> None:
        clock = MovedClock(START)
        folder = shutil.copytree(SHOP, _folder(self.around, kind))
        site = open_shop(folder, clock, database=url, keys=KEYS)
        live(site, clock)
        site.close()
