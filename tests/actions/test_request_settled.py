"""What the page of a request does not offer, the desk does not do either: who it is about and who vouched for it is settled."""

from collections.abc import Callable

import pytest

from tests.asking import ann, asked, run, secret
from tests.operators import mailing
from tests.submissions import count, rows
from troth.collection import Submission, collect
from troth.errors import Refused
from troth.messages.mailbox import Mailbox
from troth.people.tables import quarantined
from troth.retention.tables import ending
from troth.rights import carrying, desk, rules
from troth.rights.intake import receive
from troth.rights.tables import request
from troth.store.site import Site

BOB = {"email": "bob@shop.example", "full_name": "Bob Heron"}
Act = Callable[[Site, str], object]
IDENTIFY: Act = lambda shop, one: desk.identify(shop, one, "address", BOB["email"], "7")  # noqa: E731
ACCEPT: Act = lambda shop, one: desk.accept_evidence(shop, one, "a passport", "7")  # noqa: E731
REJECT: Act = lambda shop, one: desk.reject_evidence(shop, one, "another hand", "7")  # noqa: E731
ANSWER: Act = lambda shop, one: desk.answer(shop, one, "It is done.", "7")  # noqa: E731


@pytest.fixture
def shop(site: Site, mailbox: Mailbox) -> Site:
    made = mailing(site, mailbox)
    collect(made, Submission("register", BOB, "bob-1"))
    return made


@pytest.mark.parametrize("act", [IDENTIFY, ACCEPT, REJECT, ANSWER], ids=["identify", "accept", "reject", "answer"])
def test_a_verified_request_stays_what_it_is(shop: Site, act: Act) -> None:
    ann(shop)
    received = receive(shop, asked("erasure", vouched="account"))
    run(shop)
    before = rows(shop, request)
    for _ in range(rules.FAILURES):
        with pytest.raises(Refused):
            act(shop, received.id)
    assert rows(shop, request) == before and count(shop, quarantined) and count(shop, ending) == 1


def test_a_link_that_was_sent_confirms_a_request_for_nobody_else(shop: Site, mailbox: Mailbox) -> None:
    one = ann(shop)
    received = receive(shop, asked("erasure"))
    run(shop)
    with pytest.raises(Refused):
        IDENTIFY(shop, received.id)
    carrying.confirm(shop, secret(mailbox, "confirm"))
    (began,) = rows(shop, ending)
    assert began["person_id"] == one
