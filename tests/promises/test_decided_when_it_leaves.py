"""What leaves was decided when it left; a decision of the day before, or of the first try, is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.fixtures import days
from tests.receiver import SECRET, Receiver, receiving
from tests.submissions import REGISTER
from troth.agenda import run_due
from troth.clock import MovedClock
from troth.collection import collect
from troth.consent.actions import record
from troth.evidence.prove import prove
from troth.proof import Proof
from troth.recipients import gate
from troth.recipients.gate import disclose
from troth.settings import Delivery
from troth.store.site import Site

LETTER = ("newsletter_house", ["email"], "marketing")
WRONG = "1 disclosure not decided again when it left"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


@pytest.fixture
def shop(site: Site, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The shop, whose newsletter house is reached over HTTP."""
    monkeypatch.setenv("TROTH_TEST_SECRET", SECRET)
    wire = Delivery.model_validate({"url": receiver.url, "secret env": "TROTH_TEST_SECRET"})
    return replace(site, wiring=site.wiring.model_copy(update={"recipients": {"newsletter_house": wire}}))


@pytest.fixture
def ann(shop: Site) -> str:
    return collect(shop, replace(REGISTER, choices={"newsletter_house": True, "marketing": True})).person_id


def deliver(shop: Site) -> None:
    run_due(shop, {gate.DELIVER: gate.deliver})


def withdraw(shop: Site, person_id: str) -> None:
    with shop.writing() as conn:
        record(shop, conn, person_id, "@newsletter_house", "withdrawn", "words", "en", "letter", shop.policy(conn))


def undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what was recorded leave without asking the policy again."""
    monkeypatch.setattr(gate._WayOut, "payload", lambda *_: {"email": "ann@shop.test"})


def found(shop: Site) -> dict[str, Proof]:
    return {one.promise.id: one.proof for one in prove(shop).proven}


def test_what_leaves_after_a_withdrawal_undecided_breaks_the_promise(
    shop: Site, ann: str, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    disclose(shop, ann, *LETTER)
    clock.move(days(1))
    withdraw(shop, ann)
    undecided(monkeypatch)
    deliver(shop)
    now = found(shop)
    for promise in ("recipients", "recipients.newsletter_house"):
        assert (now[promise].verdict, now[promise].measured) == ("broken", WRONG)


def test_a_later_try_that_is_not_decided_breaks_it_too(
    shop: Site, receiver: Receiver, ann: str, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.answers = [500]
    disclose(shop, ann, *LETTER)
    deliver(shop)
    assert found(shop)["recipients"].verdict == "kept", "it may have arrived, and was decided"
    clock.move(days(1))
    withdraw(shop, ann)
    undecided(monkeypatch)
    deliver(shop)
    assert found(shop)["recipients"].measured == WRONG


def test_a_later_try_that_is_decided_keeps_it(shop: Site, receiver: Receiver, ann: str, clock: MovedClock) -> None:
    receiver.answers = [500]
    disclose(shop, ann, *LETTER)
    deliver(shop)
    clock.move(days(1))
    deliver(shop)
    now = found(shop)
    assert {now["recipients"].verdict, now["recipients.newsletter_house"].verdict} == {"kept"}
