"""How long LED Flex keeps what it has, and how it goes: at the end of business, and when somebody asks for it by mail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from tests.actions.lives import places_of
from tests.doors import Opening, Operator, Taken
from tests.fixtures import days
from tests.receiver import SECRET, Receiver, receiving
from troth.people.tables import holding, quarantined
from troth.retention.alarms import alarms
from troth.retention.tables import ending
from troth.settings import Delivery
from troth.store.site import Site

BOOKS = {"billing_information", "order_lines"}


@pytest.fixture
def shop(operator: Opening) -> Operator:
    return operator("ledflex")


def enquirer(shop: Operator, address: str = "ann@shop.example") -> str:
    """Somebody who wrote in, of whom no books are kept."""
    return shop.take("contact_form", email=address).person


def customer(shop: Operator, **values: str) -> Taken:
    """Somebody with an order that is open, of which the books keep a part for six years."""
    return shop.take("place_order", delivery_address="2 Quay Road", billing_information="Ann Ltd", **values)


def asks_to_be_deleted(shop: Operator, address: str = "ann@shop.example") -> None:
    """By mail, and confirmed with the link that comes back."""
    shop.mail(f"Ann <{address}>", "Please delete all my data.", "Delete my data")
    assert shop.web.post(shop.link("privacy/confirm", address), data={"press": "yes"}).status_code == 200
    shop.turn()


def day_by_day(shop: Operator, days: int, until: Callable[[], bool]) -> int:
    """Let days pass, the worker after each, until something is so; how many passed."""
    for passed in range(1, days + 1):
        shop.later(days=1)
        if until():
            return passed
    raise AssertionError(f"it is not so after {days} days")


def endings(shop: Operator) -> list[str]:
    with shop.site.reading() as conn:
        return [str(one) for one in conn.scalars(select(ending.c.state).order_by(ending.c.id))]


def of_kind(shop: Operator) -> set[str]:
    return {one.kind for one in alarms(shop.site)}


@pytest.mark.clause("F48", "F50")
def test_everything_about_a_customer_is_gone_within_175_days_of_their_notice(shop: Operator) -> None:
    values = shop.answers("open_account")
    shop.take("open_account", email="bob@shop.example")
    bob = shop.person()
    ann = shop.take("open_account", **values).person
    shop.later(days=300)
    assert shop.reads(ann, "service_messages", "email"), "business goes on"
    shop.done("customer-notice", person=ann, number="N-1")
    shop.later(days=150)
    assert shop.reads(ann, "service_messages", "email") and of_kind(shop) == set()
    passed = 150 + day_by_day(shop, 25, lambda: not places_of(shop.site, [ann]))
    assert 170 <= passed < 175, "ahead of the day, so that a failure can be mended"
    assert not shop.reads(ann, "service_messages", "email")
    assert shop.reads(bob, "service_messages", "email")


@pytest.mark.clause("F48", "F78")
def test_a_worker_that_stood_still_is_an_alarm_and_ends_what_is_due_when_it_comes_back(shop: Operator) -> None:
    ann = enquirer(shop)
    shop.turn()
    shop.clock.move(days(400))
    assert "clock overdue" in of_kind(shop)
    shop.turn()
    assert places_of(shop.site, [ann]) == set() and "clock overdue" not in of_kind(shop)


@pytest.mark.clause("F50")
def test_business_ends_with_the_last_warranty_and_a_new_purchase_goes_on(shop: Operator) -> None:
    first = customer(shop)
    ann, began = first.person, shop.clock.now()
    shop.done("set-warranty", number=first.case, warranty_ends=(began + days(10)).isoformat())
    shop.done("close-dealing", kind="order", number=first.case)
    shop.later(days=100)
    again = customer(shop)
    assert again.person == ann
    shop.done("set-warranty", number=again.case, warranty_ends=(began + days(500)).isoformat())
    shop.done("close-dealing", kind="order", number=again.case)
    shop.later(days=300)
    assert shop.reads(ann, "service_messages", "email"), "day 400: the second warranty runs"
    shop.later(days=250)
    assert shop.reads(ann, "service_messages", "email"), "day 650: 150 days after it"
    shop.later(days=24)
    assert not shop.reads(ann, "service_messages", "email")


@pytest.mark.clause("F49", "F64")
def test_a_recipient_that_says_nothing_keeps_a_deletion_open_and_is_an_alarm(shop: Operator) -> None:
    ordered = customer(shop)
    ann = ordered.person
    shop.agree(ann, "@invoice_system")
    for recipient, purpose in (("carriers", "fulfil_order"), ("invoice_system", "invoicing")):
        given = shop.done(
            "disclose", person=ann, recipient=recipient, purpose=purpose, fields=["full_name"], case=ordered.case
        )
        shop.turn()
        assert shop.done("hand-over", disclosure=given["disclosure"])["data"] == {"full_name": "my full_name"}
    shop.done("close-dealing", kind="order", number=ordered.case)
    asks_to_be_deleted(shop)
    shop.later(days=19)
    shop.done("acknowledge-deletion", recipient="carriers", person=ann)
    shop.later(days=2)
    assert endings(shop) == ["destroyed"]
    assert {one.subject.rpartition(":")[2] for one in alarms(shop.site) if one.kind == "recipient silent"} == {
        "invoice_system"
    }
    shop.done("acknowledge-deletion", recipient="invoice_system", person=ann)
    shop.turn()
    assert endings(shop) == ["complete"] and "recipient silent" not in of_kind(shop)


@pytest.mark.clause("F49", "F64")
@pytest.mark.parametrize("answer", [0, 500])
def test_a_parcel_that_was_on_its_way_is_recalled_and_keeps_the_deletion_open_until_it_is(
    shop: Operator, receiver: Receiver, answer: int
) -> None:
    shop.site = reached(shop.site, receiver, "carriers")
    ordered = customer(shop)
    parcel = {"purpose": "fulfil_order", "fields": ["full_name"], "case": ordered.case}
    receiver.answers = [answer] * 999
    shop.done("disclose", person=ordered.person, recipient="carriers", **parcel)
    shop.turn()
    assert receiver.bodies("disclosure") == [{"person": ordered.person, "data": {"full_name": "my full_name"}}]
    shop.done("close-dealing", kind="order", number=ordered.case)
    asks_to_be_deleted(shop)
    shop.later(days=21)
    assert endings(shop) == ["destroyed"] and "recipient silent" in of_kind(shop), "nobody said that it is gone there"
    receiver.answers = []
    shop.later(days=2)
    assert receiver.bodies("delete") == [{"people": [ordered.person]}]
    assert endings(shop) == ["complete"] and "recipient silent" not in of_kind(shop)


def reached(site: Site, receiver: Receiver, recipient: str) -> Site:
    """``site`` with a recipient's own system behind ``receiver``."""
    wire = Delivery.model_validate({"url": receiver.url, "secret env": "TROTH_TEST_SECRET"})
    return replace(site, wiring=site.wiring.model_copy(update={"recipients": {recipient: wire}}))


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("TROTH_TEST_SECRET", SECRET)
    with receiving() as started:
        yield started


@pytest.mark.clause("F64", "F65", "F66")
def test_who_asks_to_be_deleted_is_out_of_reach_at_once_and_nowhere_within_twenty_days(shop: Operator) -> None:
    ann, bob = enquirer(shop), enquirer(shop, "bob@shop.example")
    shop.mail("Eve <ann@shop.example>", "Please delete all my data.", "Delete my data")
    shop.turn()
    assert shop.reads(ann, "answer_enquiries", "email"), "nobody has shown to be Ann"
    assert shop.web.post(shop.link("privacy/confirm", "ann@"), data={"press": "yes"}).status_code == 200
    shop.turn()
    assert (shop.count(holding, holding.c.person_id == ann), shop.count(quarantined)) == (0, 1)
    assert shop.read("answer_enquiries", "email", email="ann@shop.example").status_code == 403
    assert not shop.reads(ann, "answer_enquiries", "email")
    for act in ({"act": "restrict", "person": ann}, {"act": "customer-notice", "person": ann, "number": "N-1"}):
        assert shop.act(**act).status_code == 422
    passed = day_by_day(
        shop, 20, lambda: not places_of(shop.site, [ann]) & {"person", "holding", "quarantined", "person_key"}
    )
    assert passed < 20 and endings(shop) == ["complete"]
    assert shop.reads(bob, "answer_enquiries", "email")


@pytest.mark.clause("F66")
def test_a_deletion_that_does_not_run_is_an_alarm(shop: Operator) -> None:
    enquirer(shop)
    asks_to_be_deleted(shop)
    assert "ending late" not in of_kind(shop)
    received = shop.clock.now()
    shop.clock.at = received + days(19)
    stopped = {one.subject for one in alarms(shop.site) if one.kind == "sweeper stopped"}
    assert "destroy" in stopped, "a day before it is late"
    shop.clock.at = received + days(20)
    assert "ending late" in of_kind(shop)
    shop.turn()
    assert "ending late" not in of_kind(shop) and shop.count(quarantined) == 0


@pytest.mark.clause("F29", "F67")
def test_the_books_outlast_a_deletion_for_finance_alone_and_go_in_the_end(shop: Operator) -> None:
    ordered = customer(shop)
    ann = ordered.person
    shop.done("close-dealing", kind="order", number=ordered.case)
    assert shop.reads(ann, "finance_archive", "order_lines")
    asks_to_be_deleted(shop)
    shop.later(days=20)
    assert {field for field in BOOKS if shop.reads(ann, "finance_archive", field)} == BOOKS
    for purpose in ("invoicing", "support", "marketing", "inventory", "service_messages"):
        assert not any(shop.reads(ann, purpose, field) for field in (*BOOKS, "email")), purpose
    assert not shop.reads(ann, "finance_archive", "email")
    shop.later(days=365 * 6 - 60)
    assert shop.reads(ann, "finance_archive", "order_lines")
    shop.later(days=62)
    assert places_of(shop.site, [ann]) & {"person", "holding", "quarantined", "person_key"} == set()


@pytest.mark.clause("F67")
def test_an_open_order_keeps_what_delivering_it_takes_until_it_is_delivered(shop: Operator) -> None:
    ordered = customer(shop)
    ann = ordered.person
    kept = {"fields": ["full_name", "delivery_address"], "purpose": "fulfil_order"}
    ends = (shop.clock.now() + days(90)).isoformat()
    held = shop.done(
        "place-hold",
        person=ann,
        ground="open_orders",
        because="to be delivered",
        ends=ends,
        record={"reference": "O-1"},
        **kept,
    )
    asks_to_be_deleted(shop)
    for _ in range(2):
        assert shop.reads(ann, "fulfil_order", "full_name delivery_address", case=ordered.case)
        for purpose, field in (("service_messages", "email"), ("invoicing", "full_name"), ("marketing", "email")):
            assert not shop.reads(ann, purpose, field), purpose
        shop.later(days=21)
    shop.done("close-dealing", kind="order", number=ordered.case)
    shop.done("release-hold", hold=held["hold"])
    assert not shop.reads(ann, "fulfil_order", "delivery_address")
    shop.later(days=2)
    with shop.site.reading() as conn:
        left = set(conn.scalars(select(holding.c.only_for).where(holding.c.person_id == ann)))
    assert left == {"finance_archive"}, "nothing but the books"


@pytest.mark.clause("F67")
def test_a_hold_has_a_ground_of_the_policy_a_reason_and_an_end_and_then_lets_go(shop: Operator) -> None:
    ann = enquirer(shop)
    ends = (shop.clock.now() + days(60)).isoformat()
    whole = {
        "person": ann,
        "ground": "law_or_interest_to_keep",
        "because": "a claim",
        "ends": ends,
        "fields": ["message"],
        "record": {"reference": "K-1"},
    }
    for lacking in ("ground", "because", "ends", "fields", "record"):
        assert (
            shop.act("place-hold", **{key: value for key, value in whole.items() if key != lacking}).status_code == 422
        )
    for wrong in ({"ground": "curiosity"}, {"ends": shop.clock.now().isoformat()}, {"fields": ["passport"]}):
        assert shop.act("place-hold", **(whole | wrong)).status_code == 422, wrong
    beyond = shop.act("place-hold", **(whole | {"ground": "open_orders"}))
    assert beyond.status_code == 403, "an order to be completed keeps no message"
    shop.done("place-hold", **whole)
    asks_to_be_deleted(shop)
    shop.later(days=30)
    assert not shop.reads(ann, "answer_enquiries", "message"), "kept, and read for nothing"
    with shop.site.reading() as conn:
        assert len(conn.scalars(select(holding.c.id).where(holding.c.person_id == ann)).all()) == 1
    shop.later(days=31)
    shop.later(days=20)
    assert shop.count(holding, holding.c.person_id == ann) == shop.count(quarantined) == 0
