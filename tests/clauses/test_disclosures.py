"""What the five operators give to others: to whom, for what, which details and when, and to nobody else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.doors import Opening, Operator
from troth.collection import Submission, collect

Given = set[tuple[str, str, str]]
"""recipient, purpose and field of each thing that may be given"""


def given(at: Operator, person: str, recipients: Iterable[str] = (), **case: str) -> Given:
    """All that may be given of somebody, to these recipients or to any, for any purpose, one field at a time."""
    return set(_given(at, person, recipients or at.site.policy().policy.recipients, **case))


def _given(at: Operator, person: str, recipients: Iterable[str], **case: str) -> Iterator[tuple[str, str, str]]:
    policy = at.site.policy().policy
    fields = [key for key, one in policy.data.items() if one.protect != "never stored"]
    for recipient in recipients:
        for purpose in policy.purposes:
            for field in fields:
                if at.gives(person, recipient, purpose, field, **case):
                    yield recipient, purpose, field


def details(recipient: str, purpose: str, fields: str) -> Given:
    return {(recipient, purpose, field) for field in fields.split()}


def handed_over(at: Operator, **asked: object) -> dict[str, str]:
    """What a recipient without a system of its own is given by hand."""
    made = at.done("disclose", **asked)["disclosure"]
    at.turn()
    data: dict[str, str] = at.done("hand-over", disclosure=made)["data"]
    return data


@pytest.mark.clause("L17")
def test_a_provider_gets_the_three_details_of_an_open_product_request_and_none_for_itself(operator: Opening) -> None:
    site = operator("ledinside")
    site.join("registration", site.answers("registration", gender="x"))
    ann = site.person()
    site.agree(ann, "advertising", "@consented_party")
    assert given(site, ann, ["service_provider"]) == set(), "nothing is asked for"
    wanted = {"name": "Ann Other", "email": "ann@shop.example", "product_request": "ten lamps"}
    assert site.send_form("product_request", wanted).status_code == 200
    assert given(site, ann, ["service_provider"]) == details(
        "service_provider", "product_request", "name email product_request"
    )
    to_provider = {"person": ann, "recipient": "service_provider", "purpose": "product_request"}
    assert handed_over(site, **to_provider) == wanted
    site.done("open-dealing", person=ann, kind="request", number="R-1")
    assert site.gives(ann, "service_provider", "product_request", "email", case="R-1")
    site.done("close-dealing", kind="request", number="R-1")
    assert not site.gives(ann, "service_provider", "product_request", "email", case="R-1"), "it is answered"
    assert not site.gives(ann, "service_provider", "product_request", "email", case="R-2"), "nobody has asked that"


@pytest.mark.clause("O9")
def test_others_work_for_the_shop_at_their_own_task_when_they_are_registered(operator: Opening) -> None:
    shop = operator("optokingdom")
    courier = details("courier", "delivery", "full_name phone address")
    ann = buyer(shop)
    assert given(shop, ann) == courier | details("card_finance", "payment", "card_token")
    unheard = shop.act("disclose", person=ann, recipient="packer", purpose="delivery", fields=["address"])
    assert unheard.status_code == 422 and "recipient" in unheard.json()["problems"]


@pytest.mark.clause("O9")
def test_who_works_for_the_shop_without_an_agreement_gets_nothing(operator: Opening) -> None:
    shop = operator("optokingdom", ("decisions.yaml", "      recipients.courier.agreement: DPA-2026-01\n", ""))
    assert given(shop, buyer(shop), ["courier"]) == set()


def buyer(shop: Operator) -> str:
    """A customer of Optokingdom with an order that is paid and a question that is open."""
    ann = shop.take("register", "own_marketing", card_token="tok-1").person
    for kind, number in (("order", "A-1"), ("ticket", "T-1")):
        shop.done("open-dealing", person=ann, kind=kind, number=number)
    shop.done("pay-order", number="A-1")
    return ann


@pytest.mark.clause("O19")
def test_card_data_goes_to_the_card_service_for_an_order_that_is_placed_and_to_nobody_else(operator: Opening) -> None:
    shop = operator("optokingdom")
    ann = shop.take("register", "own_marketing", card_token="tok-1").person
    to_cards = (ann, "card_finance", "payment", "card_token")
    assert not shop.gives(*to_cards), "who has registered has bought nothing"
    shop.done("open-dealing", person=ann, kind="ticket", number="T-1")
    assert not shop.gives(*to_cards)
    shop.done("open-dealing", person=ann, kind="order", number="A-1")
    assert shop.gives(*to_cards, case="A-1")
    assert {one for one in given(shop, ann) if one[2] == "card_token"} == {("card_finance", "payment", "card_token")}
    assert not shop.reads(ann, "order", "card_token") and not shop.reads(ann, "own_marketing", "card_token")
    shop.done("close-dealing", kind="order", number="A-1")
    assert not shop.gives(*to_cards, case="A-1") and not shop.gives(*to_cards)


CARD = "4111 1111 1111 1111"


@pytest.mark.clause("F15", "F36")
def test_who_pays_is_told_to_sage_pay_for_an_order_that_is_open_with_a_yes_and_no_card_comes_to_us(
    operator: Opening,
) -> None:
    shop = operator("ledflex")
    paying = shop.answers("place_order", billing_information="Ann Ltd")
    for field in ("card", "billing_information", "order_lines"):
        refused = shop.submit("place_order", paying | {field: CARD}, choices={"@sage_pay": True})
        assert refused.status_code == 422 and {field} <= refused.json()["problems"].keys()
    ordered = shop.take("place_order", billing_information="Ann Ltd")
    to_sage = (ordered.person, "sage_pay", "payment")
    for corrected in ({"field": "billing_information", "value": CARD}, {"field": "card", "value": CARD}):
        assert shop.act("correct", person=ordered.person, **corrected).status_code in {403, 422}
    assert not shop.gives(*to_sage, "billing_information", case=ordered.case), "nobody has agreed to that"
    shop.agree(ordered.person, "@sage_pay")
    paid = {"person": ordered.person, "recipient": "sage_pay", "purpose": "payment", "case": ordered.case}
    assert handed_over(shop, **paid) == {"billing_information": "Ann Ltd"}
    assert not shop.gives(ordered.person, "sage_pay", "invoicing", "billing_information", case=ordered.case)
    shop.done("close-dealing", kind="order", number=ordered.case)
    assert not shop.gives(*to_sage, "billing_information", case=ordered.case)
    assert not shop.gives(*to_sage, "billing_information")
    assert not shop.reads(ordered.person, "payment", "billing_information")
    idle = shop.take("project_sheet", email="bob@shop.example").person
    shop.agree(idle, "@sage_pay")
    assert not shop.gives(idle, "sage_pay", "payment", "billing_information"), "who ordered nothing pays nothing"
    stores = (Path(str(one.url.database)) for one in (shop.site.engine, shop.site.keys))
    written = b"".join(one.read_bytes() for store in stores for one in store.parent.glob(f"{store.name}*"))
    assert ordered.person.encode() in written and b"4111" not in written and b"Ann Ltd" not in written


@pytest.mark.clause("F15")
def test_payment_details_are_not_stored_even_when_a_form_is_written_in_for_them(operator: Opening) -> None:
    lines = "    optional: [fax, delivery_address, billing_information]"
    asking = ("policy.yaml", lines, lines.replace("[fax", "[card, fax"))
    shop = operator("ledflex", asking, ("policy.yaml", "protect: never stored, cites: [F15", "cites: [F15"))
    answer = shop.submit("place_order", shop.answers("place_order", card="the blue one, 737"))
    assert answer.status_code == 403 and answer.json()["because"] == ["absolutes.never_store_payment"]
    assert shop.take("place_order").person


@pytest.mark.clause("F35")
def test_the_crm_gets_how_to_reach_a_customer_who_has_a_project_and_has_agreed(operator: Opening) -> None:
    shop = operator("ledflex")
    told = {"full_name": "Ann Other", "email": "ann@shop.example", "phone": "020 7946 0958", "project": "The new hall"}
    ann = shop.take("project_sheet", **told).person
    to_crm = {"person": ann, "recipient": "crm", "purpose": "projects"}
    assert shop.act("disclose", **to_crm).status_code == 403
    shop.agree(ann, "@crm")
    assert handed_over(shop, **to_crm) == told
    assert shop.reads(ann, "projects", "full_name project") and not shop.reads(ann, "existing_customers", "project")
    assert shop.submit("project_sheet", told | {"turnover": "1"}).status_code == 422, "and nothing else is asked for"
    met = {"full_name": "Bob Other", "email": "bob@shop.example", "trade_show": "Light+Building"}
    lead = collect(
        shop.site, Submission("trade_show", met, "stand-1")
    ).person_id  # no door takes what a stand wrote down
    buyer = shop.take("place_order", email="cas@shop.example").person
    for somebody in (lead, buyer):
        shop.agree(somebody, "@crm")
        assert not shop.gives(somebody, "crm", "projects", "full_name email"), "no project"


SERVICES = {
    "mailchimp": ("marketing service_messages event_confirmation", "first_name email"),
    "inventory_service": ("inventory", "order_lines"),
    "invoice_system": ("invoicing", "full_name email billing_information order_lines order_amount"),
    "crm": ("projects", "full_name email phone project"),
    "sage_pay": ("payment", "billing_information order_amount"),
}
"""the services that LED Flex lists, each with what it does and the details that are promised for that"""
RECORD = (
    "full_name first_name email phone fax office_address delivery_address more_delivery_addresses billing_information"
    " region message social_page order_lines order_amount project"
)


@pytest.mark.clause("F37")
def test_a_service_gets_its_details_for_its_task_and_never_the_whole_record(operator: Opening) -> None:
    shop = operator("ledflex")
    ann = shop.take("place_order").person
    shop.done("open-dealing", person=ann, kind="project", number="P-1")
    shop.agree(ann, "marketing", *(f"@{service}" for service in SERVICES if service != "mailchimp"))
    for service, (purposes, fields) in SERVICES.items():
        for purpose in shop.site.policy().policy.purposes:
            may = set(fields.split()) if purpose in purposes.split() else set()
            asked = RECORD.split() if may else fields.split()
            assert {one for one in asked if shop.gives(ann, service, purpose, one)} == may, (service, purpose)
            assert not shop.gives(ann, service, purpose, RECORD), (service, purpose)


PROFILE = (
    "full_name email company_name company_location company_phone company_fax company_website company_description"
    " company_type company_turnover company_employees"
)


@pytest.mark.clause("M27")
def test_what_a_member_gave_is_for_no_third_party_even_one_that_is_written_in(operator: Opening) -> None:
    fifth = f"""
  fifth:
    name: Fifth
    does: asks for all
    role: partner
    country: CN
    receives: [{", ".join(PROFILE.split())}]
    for: [administration]
    consideration: none
    consent: itself
"""
    lifted = "      absolutes.{}.unless: [fifth, legal_process, our_rights, terms, protection, law_discloses,"
    kept = "      absolutes.{}.unless: [legal_process, our_rights, terms, protection, law_discloses,"
    others = [
        ("decisions.yaml", kept.format(key), lifted.format(key)) for key in ("profile_private", "general_rule")
    ]  # the two promises that are wider in what they allow would stop it as well
    board = operator("made-in-china", ("policy.yaml", "\nrecipients:\n", f"\nrecipients:{fifth}"), *others)
    ann = board.take("register", "promotion").person
    board.agree(ann, "@fifth")
    for field in PROFILE.split():
        answer = board.act("disclose", person=ann, recipient="fifth", purpose="administration", fields=[field])
        assert answer.status_code == 403 and answer.json()["because"] == ["absolutes.shared_with_nobody"], field
