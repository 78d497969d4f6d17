"""A refused deletion destroys nothing of what it refuses, and a part is refused on a ground alone."""

from dataclasses import replace

import pytest

from tests.actions.lives import fields_held
from tests.asking import ann, asked, run, secret
from tests.backups import keys, people
from tests.fixtures import days
from tests.operators import mailing
from tests.submissions import count, rows
from troth.clock import MovedClock
from troth.errors import InvalidInput, Refused
from troth.messages.mailbox import Mailbox
from troth.people.tables import quarantined
from troth.rights import carrying, desk
from troth.rights.desk import Refusal
from troth.rights.intake import receive
from troth.rights.tables import request
from troth.store.site import Site
from troth.work import turn


@pytest.fixture
def shop(site: Site, mailbox: Mailbox) -> Site:
    return mailing(site, mailbox)


@pytest.fixture
def refusal(clock: MovedClock) -> Refusal:
    return Refusal("We are in a lawsuit.", "", clock.now() + days(300), "privacy lead")


def outcome(shop: Site) -> str:
    (one,) = rows(shop, request)
    return str(one["outcome"])


def later(shop: Site, clock: MovedClock) -> None:
    clock.move(days(21))
    for _ in range(2):
        turn(shop)


@pytest.mark.parametrize("begun", [False, True])
def test_who_is_told_that_their_deletion_is_refused_is_still_there(
    shop: Site, mailbox: Mailbox, clock: MovedClock, refusal: Refusal, begun: bool
) -> None:
    one = ann(shop)
    held = fields_held(shop, one)
    received = receive(shop, asked("erasure"))
    run(shop)
    if begun:
        carrying.confirm(shop, secret(mailbox, "confirm"))
        assert count(shop, quarantined)
    desk.refuse(shop, received.id, refusal, "7")
    later(shop, clock)
    assert (outcome(shop), people(shop), keys(shop)) == ("refused", {one}, {one})
    assert fields_held(shop, one) == held and not count(shop, quarantined)
    if begun:
        with pytest.raises(InvalidInput):
            carrying.undo(shop, secret(mailbox, "undo"))


def test_fields_are_refused_on_a_ground_alone(
    shop: Site, mailbox: Mailbox, clock: MovedClock, refusal: Refusal
) -> None:
    one = ann(shop)
    received = receive(shop, asked("erasure", vouched="account"))
    part = replace(refusal, fields=("full_name",))
    with pytest.raises(InvalidInput) as wrong:
        desk.refuse(shop, received.id, part, "7")
    assert wrong.value.problems == {"ground": "is missing"}
    with pytest.raises(InvalidInput) as wrong:
        desk.refuse(shop, received.id, replace(part, ground="legal_duties"), "7")
    assert wrong.value.problems == {"record": "lacks what the ground needs: reference"}
    run(shop)
    assert not [letter for letter in mailbox.messages() if "lawsuit" in letter.body("plain")]
    desk.refuse(shop, received.id, replace(part, ground="legal_duties", record={"reference": "T-1"}), "7")
    later(shop, clock)
    assert (outcome(shop), fields_held(shop, one)) == ("partly done", {"full_name", "order_total"})


@pytest.mark.parametrize("ground", ["", "legal_duties"])
def test_what_is_destroyed_is_refused_no_more(
    shop: Site, mailbox: Mailbox, clock: MovedClock, refusal: Refusal, ground: str
) -> None:
    ann(shop)
    received = receive(shop, asked("erasure", vouched="account"))
    clock.move(days(21))
    turn(shop)
    part = replace(refusal, ground=ground, fields=("full_name",) if ground else (), record={"reference": "T-1"})
    with pytest.raises(Refused):
        desk.refuse(shop, received.id, part, "7")
    turn(shop)
    assert outcome(shop) in {"done", "partly done"}
