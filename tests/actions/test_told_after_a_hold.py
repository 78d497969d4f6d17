"""Recipients of somebody whom a hold keeps are told to delete when the hold is over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.actions.lives import publish, rows, work
from tests.fixtures import START, days
from tests.submissions import REGISTER
from troth.agenda import run_due
from troth.clock import MovedClock
from troth.collection.actions import collect
from troth.evidence.prove import prove
from troth.people.dealings import open_dealing
from troth.proof import Proof
from troth.recipients import gate
from troth.retention.holds import make_hold
from troth.retention.relationship import refresh
from troth.store.site import Site
from troth.work import HANDLERS


def shown(site: Site, promise_id: str) -> Proof:
    return next(one.proof for one in prove(site).proven if one.promise.id == promise_id)


@pytest.mark.parametrize(
    ("kept", "everywhere"), [((), ", everywhere: true"), (("full_name",), "")], ids=["all", "some"]
)
def test_recipients_of_whom_a_hold_keeps_are_told_when_the_hold_is_over(
    site: Site, clock: MovedClock, kept: tuple[str, ...], everywhere: str
) -> None:
    publish(site, "data: [order_total, full_name]}", "data: [everything]}")
    publish(site, "relationship ends, everywhere: true}", f"relationship ends{everywhere}}}", version=3)
    one = collect(site, replace(REGISTER, choices={"newsletter_house": True, "marketing": True})).person_id
    given = gate.disclose(site, one, "newsletter_house", ["email"], "marketing")
    run_due(site, HANDLERS)
    gate.hand_over(site, given)
    with site.writing() as conn:
        until = site.now() + days(400)
        make_hold(site, conn, one, kept, "legal_duties", "audit", "", "privacy lead", until, {"reference": "T-1"})
        open_dealing(site, conn, one, "notice", "n1", site.now())
        refresh(site, conn, [one])
    for day in (90, 99, 158, 165, 172, 180):
        clock.at = START + days(day)
        work(site)
    assert (rows(site, "disclosure"), rows(site, "person", "state = 'held'")) == (1, 1)
    for day in (401, 403):
        clock.at = START + days(day)
        work(site)
    assert (rows(site, "disclosure"), rows(site, "person"), rows(site, "instruction")) == (0, 0, 1)
    assert "not told" not in shown(site, "erasure").measured
