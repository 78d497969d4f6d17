"""A row that was changed to speak of another entry, or to give a fact it did not give: what rested on it is kept no more."""

from __future__ import annotations

import pytest

from tests.actions.test_unconfirmed import YES, done
from tests.fixtures import days
from tests.members import ANN, PASSWORD, Door
from tests.members import door as door
from tests.promises.lies import telling
from tests.shoppers import BOB
from troth.accounts import actions
from troth.clock import MovedClock
from troth.collection.rules import Submission
from troth.consent.actions import record
from troth.evidence.prove import prove
from troth.people import vault

ON_CONSENT = {
    "purposes.marketing",
    "purposes.marketing.consent",
    "recipients.newsletter_house",
    "recipients.newsletter_house.consent",
    "messages.offers",
}


@pytest.fixture
def store_kind() -> str:
    return "sqlite"


@pytest.fixture
def lived(door: Door, clock: MovedClock) -> Door:
    """Bob agreed, confirmed his address, and was read, given and written to; Ann agreed and has not confirmed hers."""
    for who, given in (("bob", BOB), ("ann", ANN)):
        actions.register(door.site, Submission("register", dict(given), f"{who}-1", choices=YES))
        clock.move(days(0.05))
        if who == "bob":
            actions.choose_password(door.site, door.token(to=given["email"]), PASSWORD)
            clock.move(days(0.05))
            assert len(done(door.site, of(door, given))) == 3
    return door


def of(door: Door, whom: dict[str, str]) -> str:
    with door.site.reading() as conn:
        found = vault.find(door.site, conn, "email", whom["email"])
    assert found
    return found


def verdicts(door: Door, *lies: str) -> dict[str, str]:
    with telling(door.site, "data", stays=True) as teller:
        for lie in lies:
            teller.tell(lie, ann=of(door, ANN)) if ":ann" in lie else teller.tell(lie)
    return {one.promise.id: one.proof.verdict for one in prove(door.site).proven}


@pytest.mark.parametrize(
    "lie",
    ["UPDATE account SET confirmed_at = made_at WHERE person_id = :ann", "DELETE FROM account WHERE person_id = :ann"],
)
def test_an_account_that_opens_a_yes_turns_all_that_rests_on_consent(lived: Door, lie: str) -> None:
    assert {key for key, one in verdicts(lived).items() if one == "kept"} >= ON_CONSENT - {"messages.offers"}
    assert {key for key, one in verdicts(lived, lie).items() if one == "kept"} & ON_CONSENT == set()


def test_a_disclosure_that_is_said_to_have_gone_to_somebody_else(lived: Door) -> None:
    found = verdicts(lived, "UPDATE disclosure SET recipient = 'courier'")
    assert found["recipients.newsletter_house"] == "broken", "this is where it went, and the record of it is gone"
    assert found["recipients.courier"] != "kept"


def test_a_message_that_is_said_to_be_of_another_class(lived: Door) -> None:
    found = verdicts(lived, "UPDATE message SET class = 'order_mail' WHERE class = 'offers'")
    assert found["messages.offers"] == "broken" and found["messages.order_mail"] != "kept"


def test_a_withdrawal_that_is_said_to_be_about_something_else(lived: Door, clock: MovedClock) -> None:
    site, bob = lived.site, of(lived, BOB)
    with site.writing() as conn:
        record(site, conn, bob, "marketing", "withdrawn", "", "en", "privacy_centre", site.policy(conn))
    clock.move(days(0.05))
    found = verdicts(lived, "UPDATE choice SET scope = '@newsletter_house' WHERE state = 'withdrawn'")
    assert found["purposes.marketing.consent"] == "broken"
    assert "kept" not in {found[one] for one in ("purposes.marketing", "recipients.newsletter_house.consent")}
