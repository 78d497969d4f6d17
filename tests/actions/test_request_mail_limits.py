"""A stranger who asks in somebody's name fills no mailbox, and takes no right from them."""

import pytest

from tests.asking import ann, asked, run, secret
from tests.fixtures import days
from tests.operators import mailing
from tests.submissions import count, rows
from troth.clock import MovedClock
from troth.messages.mailbox import Mailbox
from troth.retention.tables import ending
from troth.rights import carrying, rules
from troth.rights.intake import receive
from troth.rights.tables import request
from troth.store.site import Site


@pytest.fixture
def shop(site: Site, mailbox: Mailbox) -> Site:
    made = mailing(site, mailbox)
    ann(made)
    return made


def stranger_asks(shop: Site, day: int) -> None:
    """Every request that somebody can make in Ann's name without reading her mail, some of them many times."""
    for number in range(6):
        for right in ("access", "complaint", "restriction"):
            receive(shop, asked(right, f"{right}-{day}-{number}"))
        changes = {"full_name": f"Ann {number}"}
        receive(shop, asked("correction", f"correction-{day}-{number}", changes=changes))
    run(shop)


def state(shop: Site, request_id: str) -> str:
    (found,) = (one for one in rows(shop, request) if one["id"] == request_id)
    return str(found["state"] if not found["outcome"] else found["outcome"])


@pytest.mark.parametrize("again", [False, True], ids=["once", "every day"])
def test_a_request_is_asked_to_be_confirmed_on_the_first_day_on_which_mail_may_leave(
    shop: Site, mailbox: Mailbox, clock: MovedClock, again: bool
) -> None:
    stranger_asks(shop, 0)
    hers = receive(shop, asked("erasure", "hers"))
    run(shop)
    assert len(mailbox.messages()) == rules.MAILS_A_DAY
    asked_on: list[int] = []
    for day in range(1, 4):
        clock.move(days(1))
        before = len(mailbox.messages())
        if again:
            stranger_asks(shop, day)
        for _ in range(2):
            run(shop)
        new = sorted(mailbox.messages(), key=lambda one: one.number)[before:]
        assert len(new) <= rules.MAILS_A_DAY
        asked_on += [day for one in new if "delet" in one.subject.lower()]
    assert asked_on[:1] == [1]
    assert state(shop, hers.id) == "verifying" and count(shop, ending) == 0


def test_the_time_to_confirm_counts_from_the_mail(shop: Site, mailbox: Mailbox, clock: MovedClock) -> None:
    for number in range(rules.MAILS_A_DAY):
        receive(shop, asked("access", f"access-{number}"))
    hers = receive(shop, asked("erasure", "hers"))
    run(shop)
    clock.move(days(1))
    run(shop)
    run(shop)
    clock.move(rules.VERIFY_WITHIN - days(0.5))
    run(shop)
    assert state(shop, hers.id) == "verifying"
    clock.move(days(0.5))
    run(shop)
    assert state(shop, hers.id) == "not verified"


def test_who_confirms_a_day_later_gets_what_they_asked_for(shop: Site, mailbox: Mailbox, clock: MovedClock) -> None:
    for number in range(rules.MAILS_A_DAY):
        receive(shop, asked("access", f"access-{number}"))
    hers = receive(shop, asked("erasure", "hers"))
    clock.move(days(1))
    for _ in range(2):
        run(shop)
    carrying.confirm(shop, secret(mailbox, "confirm"))
    assert (state(shop, hers.id), count(shop, ending)) == ("carrying out", 1)
