"""What a demo does by itself: the policy may refuse it, and whatever else goes wrong is a mistake that stops the building."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest

from tests.shoppers import ANN, registered
from tests.submissions import count
from troth.clock import MovedClock
from troth.errors import InvalidInput, TrothError
from troth.evidence.doors import Page
from troth.ledger.tables import entry
from troth.messages.mailbox import Mailbox
from troth.policy.compile import Compiled
from troth.rehearsal import demo_days
from troth.rehearsal.acts import Acts
from troth.rehearsal.demo_business import act, begins
from troth.rehearsal.demo_days import LAST, Days
from troth.rehearsal.demo_people import Errand, Somebody
from troth.rehearsal.demo_staff import CLERK, comes_to_the_desk
from troth.rehearsal.offers import Offers, offers
from troth.staff.rules import DESK
from troth.store.site import Site


class Closed:
    """A browser at a site that takes nothing."""

    def get(self, path: str) -> Page:
        return Page(200, "")

    def post(self, path: str, sent: Mapping[str, str]) -> Page:
        return Page(422, "")

    def forget(self) -> None:
        return


def errand(site: Site) -> Errand:
    return Errand(site, Closed(), Mailbox())


def test_what_the_policy_refuses_is_no_mistake_of_the_demo_and_what_does_not_fit_is(site: Site) -> None:
    ann = registered(site, ANN)
    given = {"person": ann, "recipient": "courier", "purpose": "fulfil_order"}
    assert act(site, "disclose", **given) is None, "there is no open order"
    with pytest.raises(InvalidInput):
        act(site, "disclose", **{**given, "person": "0" * 26})
    with pytest.raises(InvalidInput):
        act(site, "close-dealing", kind="order", number="A-1")


def test_what_is_open_is_not_opened_again(site: Site) -> None:
    ann = Somebody(errand(site), site.policy(), person_id=registered(site, ANN))
    before = count(site, entry)
    begins(ann)
    once = count(site, entry)
    assert once > before
    begins(ann)
    assert count(site, entry) == once


def test_staff_whom_the_desk_does_not_let_in_stop_the_demo(site: Site, clock: MovedClock) -> None:
    with pytest.raises(TrothError, match="set-up, 422"):
        comes_to_the_desk(errand(site), clock, CLERK, DESK)


def test_a_demo_whose_policy_cannot_change_says_so(
    site: Site, clock: MovedClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def with_none(compiled: Compiled, partners: Collection[str]) -> Offers:
        return replace(offers(compiled, partners), durations=())

    monkeypatch.setattr(demo_days, "offers", with_none)
    before = (site.folder / "policy.yaml").read_text("utf-8")
    LAST[-1](Days(Closed(), errand(site), Acts(site, clock, seed=7)))
    assert "has no version 2" in caplog.text
    assert (site.folder / "policy.yaml").read_text("utf-8") == before
