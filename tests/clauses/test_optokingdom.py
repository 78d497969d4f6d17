"""What Optokingdom promises, through its pages, its programs and its worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doors import Opening, Operator, checked
from troth.collection import Submission, collect
from troth.consent.tables import choice
from troth.errors import InvalidInput, Refused
from troth.ledger import events
from troth.ledger.tables import entry
from troth.people.tables import holding, shape
from troth.people.vault import By
from troth.visits import actions as visits
from troth.visits.partitions import days_present

PROFILE = "full_name phone address"
NO_ADDRESS = (
    ("policy.yaml", "records: [ip_address, ", "records: ["),
    ("policy.yaml", "optional: [ip_address, ", "optional: ["),
)


@pytest.fixture
def shop(operator: Opening) -> Operator:
    return operator("optokingdom")


def recorded(shop: Operator) -> list[dict[str, str]]:
    """All visits that the store has, expired or not."""
    with shop.site.reading() as conn:
        return [dict(one.fields) for day in days_present(conn) for one in visits.sample(shop.site, conn, [day], 9)]


@pytest.mark.clause("O1", "O4", "O7")
def test_a_visit_leaves_the_listed_details_for_thirty_days_and_no_other(shop: Operator) -> None:
    shop.looked_at("forms?lang=zh-Hant&secret=canary")
    assert recorded(shop) == [{"ip_address": "127.0.0.1", "language": "zh-Hant", "clicked_pages": "/optokingdom/forms"}]
    shop.later(days=29, hours=23)
    assert len(recorded(shop)) == 1
    shop.later(days=1)
    assert recorded(shop) == []


@pytest.mark.clause("O4")
def test_no_address_is_kept_once_the_policy_no_longer_lists_it(operator: Opening) -> None:
    shop = operator("optokingdom", *NO_ADDRESS)
    shop.looked_at("forms")
    assert [one.keys() for one in recorded(shop)] == [{"language", "clicked_pages"}]
    shop.join("register", shop.answers("register"), acknowledged="yes")
    shop.get("forms")
    ann, read = shop.person(), ("shop_service", "language clicked_pages")
    assert shop.reads(ann, *read, role=""), "a member's visits are with their account"
    assert not shop.reads(ann, "shop_service", "ip_address", role="")
    slipped_in = Submission("member_visits", {"ip_address": "192.0.2.7", "language": "en"}, "visit-1", member=ann)
    with pytest.raises(InvalidInput) as told:  # visits of members come in through no other door than their pages
        collect(shop.site, slipped_in)
    assert told.value.problems.keys() == {"ip_address"}


@pytest.mark.clause("O1")
def test_the_log_of_visits_is_read_to_serve_the_shop_and_for_nothing_else(shop: Operator) -> None:
    shop.looked_at("forms")
    roles, purposes = ("", "customer service", "marketing"), shop.site.policy().policy.purposes
    looks = {
        (purpose, role) for purpose in (*purposes, "delivery_times") for role in roles if may_look(shop, purpose, role)
    }
    assert looks == {("shop_service", "")}, (
        "the shop's own system, and staff for customer service alone, which is no use of it"
    )


def may_look(shop: Operator, purpose: str, role: str) -> bool:
    """Whether somebody in a role is shown the log; no page or program shows it, so that this asks the room itself."""
    try:
        return len(list(visits.read(shop.site, purpose, By("staff", role) if role else By("system")))) == 1
    except Refused:
        return False


@pytest.mark.clause("O3")
def test_a_member_who_only_looks_at_pages_has_agreed_to_nothing(shop: Operator) -> None:
    shop.join("register", shop.answers("register"), acknowledged="yes")
    for page in ("", "forms", "forms/register", "privacy", "versions", "account", "forms/checkout"):
        assert shop.get(page).status_code == 200, page
    shop.turn()
    ann = shop.person()
    assert shop.count(holding, holding.c.person_id == ann) > 1, "the visits themselves are on record"
    assert shop.count(choice) == 0
    for purpose, fields in (("own_marketing", "email"), ("site_improvement", "language")):
        assert not shop.reads(ann, purpose, fields, role=""), purpose
        shop.agree(ann, purpose)
        assert shop.reads(ann, purpose, fields, role=""), "once they say so themselves"


@pytest.mark.clause("O1", "O14")
def test_what_visits_tell_serves_the_shop_and_leaves_it_for_nobody(shop: Operator) -> None:
    shop.join("register", shop.answers("register"), acknowledged="yes")
    shop.get("forms")
    ann, told = shop.person(), "language clicked_pages"
    with shop.site.reading() as conn:
        assert "member_visits" in {one.point for one in conn.execute(shape.select().join(holding)).all()}
    shop.done("open-dealing", person=ann, kind="order", number="A-1")
    shop.done("pay-order", number="A-1")
    assert shop.reads(ann, "shop_service", told, role="")
    assert not shop.reads(ann, "shop_service", told), "staff read for what orders need, and for nothing else"
    assert not shop.reads(ann, "site_improvement", told, role="")
    shop.agree(ann, "own_marketing", "site_improvement")
    assert shop.reads(ann, "site_improvement", told, role="")
    assert not shop.reads(ann, "site_improvement", told)
    for purpose in ("delivery", "order", "payment", "own_marketing", "reviews"):
        assert not shop.reads(ann, purpose, told) and not shop.reads(ann, purpose, told, role="")
    for recipient in shop.site.policy().policy.recipients:
        for purpose in ("site_improvement", "shop_service", "delivery"):
            assert not any(shop.gives(ann, recipient, purpose, field, case="A-1") for field in told.split())


@pytest.mark.clause("O10", "O12")
def test_the_courier_gets_name_telephone_and_address_of_a_paid_order_and_nothing_else(shop: Operator) -> None:
    ann = shop.take("register", "own_marketing", card_token="tok-1").person
    to_courier = (ann, "courier", "delivery")
    shop.done("open-dealing", person=ann, kind="order", number="A-1")
    assert not shop.gives(*to_courier, PROFILE, case="A-1") and not shop.reads(ann, "delivery", PROFILE)
    assert shop.count(entry, entry.c.event == events.DISCLOSURE_REFUSED) == 1, "that it was refused is on record"
    shop.done("pay-order", number="A-1")
    assert shop.reads(ann, "delivery", PROFILE)
    assert not shop.gives(*to_courier, f"{PROFILE} email", case="A-1")
    assert not shop.gives(ann, "courier", "own_marketing", "full_name")
    shop.done("disclose", person=ann, recipient="courier", purpose="delivery", case="A-1")
    shop.turn()
    shop.done("dispatch-order", number="A-1")
    assert not shop.gives(*to_courier, PROFILE, case="A-1")


@pytest.mark.clause("O10")
def test_no_provider_gets_a_field_beyond_its_own_task(shop: Operator) -> None:
    ann = shop.take("register", "own_marketing", card_token="tok-1").person
    for kind, number in (("order", "A-1"), ("ticket", "T-1")):
        shop.done("open-dealing", person=ann, kind=kind, number=number)
    shop.done("pay-order", number="A-1")
    policy, given = shop.site.policy().policy, set()
    fields = [key for key, one in policy.data.items() if one.protect != "never stored"]
    for provider in ("courier", "card_finance", "service_providers"):
        for purpose in ("delivery", "payment", "order"):
            given |= {(provider, field) for field in fields if shop.gives(ann, provider, purpose, field)}
    assert given == {*(("courier", field) for field in PROFILE.split()), ("card_finance", "card_token")}


@pytest.mark.clause("O24")
def test_nothing_goes_to_somebody_who_is_not_listed_or_gives_something_for_it(
    operator: Opening, tmp_path: Path
) -> None:
    price = ("decisions.yaml", "recipients.courier.consideration: none", "recipients.courier.consideration: licence")
    assert "absolutes.never_sell" in checked("optokingdom", tmp_path, price)
    bound = "recipients.courier.agreement:"
    asking = ("decisions.yaml", bound, f"recipients.courier.consent: itself\n      {bound}")
    shop = operator("optokingdom", price, asking)
    ann = shop.take("register", card_token="tok-1").person
    shop.agree(ann, "@courier")
    shop.done("open-dealing", person=ann, kind="order", number="A-1")
    shop.done("pay-order", number="A-1")
    assert not shop.gives(ann, "courier", "delivery", PROFILE, case="A-1")
    assert shop.gives(ann, "card_finance", "payment", "card_token", case="A-1"), "which gives nothing for it"
    for stranger in ("data_broker", "competitor"):
        answer = shop.act("disclose", person=ann, recipient=stranger, purpose="delivery", case="A-1")
        assert answer.status_code == 422 and "recipient" in answer.json()["problems"]


@pytest.mark.clause("O32")
def test_a_policy_without_an_address_for_questions_is_no_policy(shop: Operator, tmp_path: Path) -> None:
    decided = ("E-13 operator.email, ", "      operator.email: privacy@optokingdom.example\n")
    without = (("decisions.yaml", one, "") for one in decided)
    assert "E-13 operator.email" in checked("optokingdom", tmp_path, *without)
    assert checked("optokingdom", tmp_path) == ""
    assert "mailto:privacy@optokingdom.example" in shop.get().text
