"""Requests taken in and answered: how many in a minute, whether each kept its deadline, and the privacy centre's page.

A round is a hundred requests of people who registered, of the rights that people use most, as verified as somebody who is
logged in or pressed the button in a mail. It counts from the first byte to the last: recorded, logged and carried out, each
answer composed and handed to a mail server of this machine, links followed up, and what was erased destroyed and read again
when its day has come. Nothing is left out of the time but the moving of the clock. A request that is open at the end, or was
closed after it was due, is a mistake of the run and not a figure.

The privacy centre's page is what one request of a member costs the server: everything read, decided, laid out and drawn, for
an account's form and three orders' worth of holdings, without the network.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import cycle
from typing import Any

from litestar.testing import TestClient
from sqlalchemy import func, select

from benchmarks.access import ORDINARY, PAGES, somebody
from benchmarks.measure import Figure, Goal, figure, seconds
from benchmarks.people import answers, fresh, registration
from benchmarks.registry import Bench, benchmark
from benchmarks.spent import spent
from benchmarks.stores import Kind, shop
from troth.agenda import run_due
from troth.clock import MovedClock
from troth.collection.actions import collect
from troth.logins.digests import digest_of
from troth.messages.mailbox import Mailbox
from troth.retention.ending import destroy_quietly
from troth.rights import carrying, following, links
from troth.rights.intake import receive
from troth.rights.rules import Intake
from troth.rights.tables import request
from troth.settings import MailWires
from troth.store.site import Site
from troth.web.app import make_app
from troth.web.tokens import form_token, new_key
from troth.work import HANDLERS

REQUESTS = 100
MIX = (
    *("access", "erasure", "correction", "access", "stop marketing"),
    *("objection", "access", "erasure", "withdrawal", "access"),
)
QUARANTINE = timedelta(days=19)


@benchmark("requests")
def requests(bench: Bench) -> Iterator[Figure]:
    """Requests in a minute on SQLite, and the page on each store."""
    for kind in bench.stores.kinds:
        with shop(bench.stores, kind) as bare, closing_box() as box:
            wires = MailWires(smtp=box.address, sender="privacy@shop.example")
            site = replace(bare, wiring=bare.wiring.model_copy(update={"mail": wires}))
            if kind == "sqlite":  # for which there is a goal
                yield from _answered(bench, site, kind)
            yield from _page(bench, site, kind)


def closing_box() -> closing[Any]:
    """A mail server that takes everything, for the length of a ``with``."""

    class Box(Mailbox):
        def close(self) -> None:
            self.stop()

    box = Box()
    box.start()
    return closing(box)


def _answered(bench: Bench, site: Site, kind: Kind) -> Iterator[Figure]:
    many = bench.size(REQUESTS)

    def once() -> float:
        wishes = _wishes(site, many)
        taken = seconds(lambda: _taken_in(site, wishes))
        assert isinstance(site.clock, MovedClock)
        site.clock.move(QUARANTINE)
        destroyed = seconds(lambda: _followed_to_the_end(site))
        kept, all_ = _in_time(site)
        if kept != all_:
            raise AssertionError(f"{all_ - kept} of {all_} requests were not answered in time")
        return (taken + destroyed) / many

    pairs = bench.in_turn(once, lambda: 1.0)
    kept, all_ = _in_time(site)
    found = figure(
        "requests answered",
        pairs,
        Goal("rate", 1000),
        ours="receive(), run_due(), follow(), destroy",
        theirs="-",
        store=kind,
        size=f"{many} requests a run, {kept / all_:.0%} of {all_} deadlines kept",
    )
    yield found.with_spent(spent(once))


def _wishes(site: Site, many: int) -> list[Intake]:
    """A request each of people who registered; this is not counted."""
    wishes = []
    for right, _ in zip(cycle(MIX), range(many), strict=False):
        number, values = fresh()
        person = collect(site, registration(values)).person_id
        changes = {"address": f"{number} Short Lamp Street"} if right == "correction" else {}
        about = {"objection": ("marketing",), "withdrawal": ("@newsletter_house",)}.get(right, ())
        wishes.append(
            Intake(
                right, "web", secrets.token_hex(12), answers(number)["email"], "Alexandra Montgomery", "Please.", "192.0.2.7",
                member=person, vouched="link", about=about, changes=changes,
            )
        )  # fmt: skip
    return wishes


def _taken_in(site: Site, wishes: list[Intake]) -> None:
    for wish in wishes:
        receive(site, wish)
    _mailed(site)


def _mailed(site: Site) -> None:
    while run_due(site, HANDLERS).done:
        pass
    while following.follow(site) and run_due(site, HANDLERS).done:
        pass


def _followed_to_the_end(site: Site) -> None:
    destroy_quietly(site)
    _mailed(site)


def _in_time(site: Site) -> tuple[int, int]:
    """How many requests were answered by their day, of how many."""
    in_time = request.c.closed_at <= request.c.due_at
    with site.reading() as conn:
        kept = conn.scalar(select(func.count()).select_from(request).where(in_time)) or 0
        return kept, conn.scalar(select(func.count()).select_from(request)) or 0


def _page(bench: Bench, site: Site, kind: Kind) -> Iterator[Figure]:
    person = somebody(site, ORDINARY)
    wish = Intake("access", "web", secrets.token_hex(12), "page@mail.example", member=person, vouched="link")
    received = receive(site, wish)
    with site.writing() as conn:
        visit = links.begin_visit(site, conn, received.id)
    if carrying.visitor(site, visit) is None:
        raise AssertionError("the visit is not there")
    os.environ.setdefault("TROTH_BENCH_TOKEN", secrets.token_hex(32))
    with TestClient(make_app([site]), base_url=site.wiring.base_url) as web:
        bound = f"centre:{digest_of(visit).hex()}"

        def shown() -> None:
            sent = {"visit": visit, "token": form_token(site, bound, new_key())}
            answer = web.post(f"/{site.name}/privacy/centre", data=sent)
            if answer.status_code != 200 or "Long Lamp Street" not in answer.text:
                raise AssertionError("something is missing from the page")

        pairs = bench.in_turn(lambda: seconds(lambda: [shown() for _ in range(PAGES)], PAGES), lambda: 1.0)
        yield figure(
            "privacy centre",
            pairs,
            Goal("seconds", 0.05),
            ours="POST /privacy/centre, by link",
            theirs="-",
            store=kind,
            size=f"{ORDINARY} holdings of 8 fields",
        ).with_spent(spent(shown))
