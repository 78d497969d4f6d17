"""What an erasure has on record of its deadline, and of whom it tells, is held against the policy of the day it was asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.actions.test_late_requests import shown
from tests.asking import ann, asked, run
from tests.fixtures import days
from tests.operators import mailing
from tests.submissions import REGISTER
from troth.clock import MovedClock
from troth.collection.actions import collect
from troth.messages.mailbox import Mailbox
from troth.recipients import gate
from troth.rights import erasing
from troth.rights.intake import receive
from troth.store.site import Site
from troth.work import turn


@pytest.fixture
def shop(site: Site, mailbox: Mailbox) -> Site:
    return mailing(site, mailbox)


def test_a_deadline_later_than_the_policy_of_that_day_gives_is_not_believed(
    shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann(shop)
    monkeypatch.setattr("troth.rights.rules.destroyed_by", lambda _, at: at + days(200))
    receive(shop, asked("erasure", vouched="account"))
    run(shop)
    found = shown(shop, "erasure")
    assert (found.verdict, found.measured) == ("broken", "1 deletion with a later deadline than was promised")


def test_an_erasure_that_goes_by_the_policy_keeps_the_promise(shop: Site) -> None:
    ann(shop)
    receive(shop, asked("erasure", vouched="account"))
    run(shop)
    assert shown(shop, "erasure").verdict == "kept"


def test_an_erasure_that_forgets_that_recipients_are_to_be_told_breaks_the_promise(
    shop: Site, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = collect(shop, replace(REGISTER, choices={"newsletter_house": True, "marketing": True})).person_id
    given = gate.disclose(shop, one, "newsletter_house", ["email"], "marketing")
    run(shop)
    gate.hand_over(shop, given)
    real = erasing.begin_ending
    monkeypatch.setattr(erasing, "begin_ending", lambda *given: real(*given, everywhere=False))
    receive(shop, asked("erasure", vouched="account"))
    run(shop)
    assert shown(shop, "erasure").verdict == "kept"
    clock.move(days(19))
    turn(shop)
    found = shown(shop, "erasure")
    assert (found.verdict, found.measured) == ("broken", "Letter House not told to delete data of 1 person")
