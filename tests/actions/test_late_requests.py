"""A request that was answered late is late for good, also when its own record is destroyed."""

from __future__ import annotations

import pytest

from tests.fixtures import days
from tests.operators import mailing
from tests.submissions import count
from troth.clock import MovedClock
from troth.evidence.prove import prove
from troth.messages.mailbox import Mailbox
from troth.proof import Proof
from troth.rights import desk
from troth.rights.intake import receive
from troth.rights.rules import Intake
from troth.rights.tables import request
from troth.store.site import Site
from troth.work import turn


@pytest.fixture
def shop(site: Site, mailbox: Mailbox) -> Site:
    return mailing(site, mailbox)


def shown(site: Site, promise_id: str) -> Proof:
    return next(one.proof for one in prove(site).proven if one.promise.id == promise_id)


@pytest.mark.parametrize(("after", "is_late"), [(29, False), (40, True)])
def test_a_request_that_was_answered_late_is_late_when_its_record_is_gone(
    shop: Site, clock: MovedClock, after: int, is_late: bool
) -> None:
    letter = Intake("correction", "letter", "letter:1", name="Ann", text="please", by="staff", vouched="staff")
    received = receive(shop, letter)
    clock.move(days(after))
    desk.refuse(shop, received.id, desk.Refusal("It is right.", "", clock.now() + days(30), "privacy lead"), "7")
    assert (shown(shop, "rights.correction").verdict == "broken") is is_late
    clock.move(days(180))
    turn(shop)
    assert count(shop, request) == 0
    found = shown(shop, "rights.correction")
    assert (found.verdict == "broken") is is_late
    assert not is_late or found.measured == "1 request not answered in time"
