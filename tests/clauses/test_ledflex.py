"""What LED Flex promises, through its pages, its programs and its worker."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from tests.doors import Opening, Operator, checked
from tests.served import boxes_of, words_of
from tests.staffed import at_desk, somebody
from troth.clock import utc
from troth.collection import Submission, collect
from troth.consent.tables import choice
from troth.errors import InvalidInput
from troth.evidence.prove import prove
from troth.people import vault
from troth.people.tables import holding, person
from troth.people.vault import By
from troth.staff.tables import staff_log
from troth.verdicts import Verdict

AT_SHOW = {"trade_show": "Light + Building 2026"}
CARRIERS = "full_name phone delivery_address"


@pytest.fixture
def shop(operator: Opening) -> Operator:
    return operator("ledflex")


@pytest.mark.clause("F7", "F8")
def test_a_list_that_somebody_else_made_is_an_error_and_takes_nothing_when_it_is_written_in(
    operator: Opening, tmp_path: Path
) -> None:
    bought = "{label: A list, source: a broker, people: customer, required: [email], for: [fulfil_order]}"
    edit = ("policy.yaml", "\ncollection:\n", f"\ncollection:\n  bought_in: {bought}\n")
    shop = operator("ledflex", edit)
    answer = shop.submit("bought_in", {"email": "ann@shop.example"})
    assert answer.status_code == 403 and answer.json()["because"] == ["absolutes.all_from_you"]
    assert shop.count(person) == 0
    assert shop.take("place_order").person, "and the customer's own form works"
    for others in ({"partner": "crm"}, {"source": "a broker"}, {"member": "0" * 26}):
        body = {"values": shop.answers("place_order"), "key": "a-key-that-is-long-enough", **others}
        assert shop.post("api/collect/place_order", json=body).status_code in {400, 422}


@pytest.mark.clause("F7", "F8")
def test_data_comes_in_at_the_forms_of_the_policy_with_its_source_and_for_buying_delivery_and_invoicing(
    shop: Operator,
) -> None:
    ordered = shop.take("place_order", delivery_address="2 Quay Road", billing_information="Ann Ltd")
    assert shop.submit("survey_by_a_broker", {"email": "ann@shop.example"}).status_code == 404
    nothing = shop.count(holding)
    for stranger in ("passport", "birth_date", "credit_score"):
        answer = shop.submit("place_order", shop.answers("place_order") | {stranger: "X1"})
        assert answer.status_code == 422
    assert shop.count(holding) == nothing
    assert shop.reads(
        ordered.person, "fulfil_order", "full_name email phone office_address delivery_address order_lines"
    )
    assert shop.reads(ordered.person, "invoicing", "billing_information order_lines")
    for purpose in ("projects", "existing_customers", "marketing", "surveys"):
        assert not shop.reads(ordered.person, purpose, "order_lines")


@pytest.mark.clause("F14")
def test_people_met_at_a_trade_show_are_kept_with_the_basics_and_the_event(shop: Operator) -> None:
    basics = {"full_name": "Ann Other", "email": "ann@shop.example", "phone": "020 7946 0958", "region": "Hampshire"}
    with pytest.raises(InvalidInput) as told:
        collect(shop.site, Submission("trade_show", basics, "stand-0"))
    assert told.value.problems.keys() == {"trade_show"}, "which show it was is not left out"
    basics |= {"trade_show": "Light + Building 2026"}
    met = collect(
        shop.site, Submission("trade_show", basics, "stand-1")
    ).person_id  # no door takes what a stand wrote down
    with pytest.raises(InvalidInput):
        collect(shop.site, Submission("trade_show", basics | {"delivery_address": "1 Main Street"}, "stand-2"))
    (held,) = vault.everything(shop.site, met, By("person", ref=met))
    assert (held.source, held.fields) == ("trade_show", basics) and shop.count(holding) == 1
    assert shop.reads(met, "event_confirmation", "full_name email phone region trade_show")
    for purpose in ("marketing", "fulfil_order", "invoicing"):
        assert not shop.reads(met, purpose, "email") and not shop.reads(met, purpose, "trade_show")


@pytest.mark.clause("F1", "F20")
def test_customers_from_before_the_policy_stay_in_business_on_an_assessment_until_they_object(
    shop: Operator, tmp_path: Path
) -> None:
    assessed = ("decisions.yaml", "      purposes.existing_customers.assessment: LIA-2018-05\n", "")
    cited = ("decisions.yaml", ", E-25 purposes.existing_customers]", "]")
    assert "E-25 purposes.existing_customers" in checked("ledflex", tmp_path, assessed, cited)
    shop.clock.at = utc(2018, 5, 24, 12)
    old = shop.take("place_order", email="old@shop.example").person
    shop.clock.at = utc(2018, 5, 25)
    new = shop.take("place_order", email="new@shop.example").person
    asked = ("existing_customers", "full_name email order_lines")
    assert shop.reads(old, *asked) and not shop.reads(new, *asked)
    shop.done("object", person=old, about="existing_customers", channel="e-mail")
    assert not shop.reads(old, *asked)


OFFER = {"class": "marketing_mail", "subject": "Lamps", "words": "We have new lamps."}


@pytest.mark.clause("F53")
def test_who_objects_gets_no_more_offers_whatever_they_rest_on_and_what_waits_does_not_leave(shop: Operator) -> None:
    shop.clock.at = utc(2018, 5, 24, 12)
    ann, bob = (shop.take("place_order", email=f"{one}@shop.example").person for one in ("ann", "bob"))
    for one in (ann, bob):
        shop.agree(one, "marketing")
        shop.done("send-message", person=one, **OFFER)
    shop.clock.move(timedelta(seconds=1))
    for use in ("marketing", "existing_customers"):
        shop.done("object", person=ann, about=use, channel="e-mail")
    shop.turn()
    assert [one.message["To"] for one in shop.mailbox.messages() if "new lamps" in one.body("plain")] == [
        "bob@shop.example"
    ]
    assert shop.act("send-message", person=ann, **OFFER).status_code == 403
    for asked in (("marketing", "email"), ("existing_customers", "full_name email order_lines")):
        assert not shop.reads(ann, *asked) and shop.reads(bob, *asked)


@pytest.mark.clause("F53")
def test_who_objects_to_one_service_is_in_its_hands_no_more_and_in_the_others_still(shop: Operator) -> None:
    ann = shop.take("project_sheet", "crm", phone="020 7946 0958").person
    order = shop.take("place_order", "invoice_system").case
    assert shop.gives(ann, "crm", "projects", "full_name email phone")
    shop.clock.move(timedelta(seconds=1))
    shop.done("object", person=ann, about="@crm", channel="e-mail")
    assert not shop.gives(ann, "crm", "projects", "full_name")
    assert shop.gives(ann, "invoice_system", "invoicing", "full_name email", case=order)


@pytest.mark.clause("F22")
def test_what_cookies_tell_reaches_google_after_a_yes_and_nobody_else(operator: Opening) -> None:
    shop = operator("ledflex", ("decisions.yaml", "recipients.carriers.consideration: none",
        "recipients.carriers.consideration: none\n      recipients.carriers.receives: [full_name, phone, cookie_id]\n"
        "      recipients.carriers.for: [analytics]\n      recipients.carriers.needs: []"))  # fmt: skip
    came = collect(shop.site, Submission("website_visit", {"cookie_id": "c0ffee"}, "visit-1")).person_id
    assert not shop.gives(came, "google", "analytics", "cookie_id")
    shop.agree(came, "marketing", "recognition")
    assert not shop.gives(came, "google", "analytics", "cookie_id") and not shop.reads(came, "analytics", "cookie_id")
    shop.agree(came, "analytics")
    assert shop.gives(came, "google", "analytics", "cookie_id")
    answer = shop.act("disclose", person=came, recipient="carriers", purpose="analytics", fields=["cookie_id"])
    assert answer.json()["because"] == ["absolutes.tracking_only_google"]
    for other in set(shop.site.policy().policy.recipients) - {"google"}:
        for purpose in ("analytics", "recognition", "website_function", "marketing"):
            assert not shop.gives(came, other, purpose, "cookie_id"), (other, purpose)
    shop.done("withdraw-consent", person=came, about="analytics", channel="letter")
    assert not shop.gives(came, "google", "analytics", "cookie_id")


@pytest.mark.clause("F30", "F37")
def test_a_recipient_that_the_list_does_not_name_gets_nothing_even_when_it_is_written_in(operator: Opening) -> None:
    ninth = "{name: Ninth, does: asks for more, country: GB, receives: [email], for: [support], consideration: none}"
    shop = operator("ledflex", ("policy.yaml", "\nrecipients:\n", f"\nrecipients:\n  ninth: {ninth}\n"))
    asked = shop.take("assistance")
    to_ninth = {"purpose": "support", "fields": ["email"], "case": asked.case}
    answer = shop.act("disclose", person=asked.person, recipient="ninth", **to_ninth)
    assert answer.status_code == 403 and answer.json()["because"] == ["absolutes.only_listed"]
    assert shop.act("disclose", person=asked.person, recipient="tenth", **to_ninth).status_code == 422


@pytest.mark.clause("F31")
@pytest.mark.parametrize("price", ["money", "rent", "barter", "licence"])
def test_a_recipient_that_gives_something_for_it_is_given_nothing_even_with_a_yes(
    operator: Opening, tmp_path: Path, price: str
) -> None:
    free = "recipients.carriers.consideration: none"
    sold = ("decisions.yaml", free, f"{free.replace('none', price)}\n      recipients.carriers.consent: itself")
    assert "E-01 absolutes.never_sold" in checked("ledflex", tmp_path, sold)
    shop = operator("ledflex", sold)
    ordered = shop.take("place_order", delivery_address="2 Quay Road")
    shop.agree(ordered.person, "@carriers")
    assert not shop.gives(ordered.person, "carriers", "fulfil_order", CARRIERS, case=ordered.case)


@pytest.mark.clause("F32", "F41")
def test_mail_chimp_gets_two_details_for_its_four_kinds_of_mail_of_those_who_chose_it(shop: Operator) -> None:
    met = {
        "full_name": "Ann Other",
        "first_name": "Ann",
        "email": "ann@shop.example",
        "phone": "020 7946 0958",
    } | AT_SHOW
    ann = collect(shop.site, Submission("trade_show", met, "stand-1")).person_id
    mails = ("marketing", "service_messages", "event_confirmation")
    assert not any(shop.gives(ann, "mailchimp", purpose, "first_name email") for purpose in mails)
    shop.agree(ann, "marketing")
    assert all(shop.gives(ann, "mailchimp", purpose, "first_name email") for purpose in mails)
    for field in ("phone", "full_name"):
        assert not any(shop.gives(ann, "mailchimp", purpose, field) for purpose in mails)
    for purpose in set(shop.site.policy().policy.purposes) - {*mails}:
        assert not shop.gives(ann, "mailchimp", purpose, "email"), purpose
    shop.done("object", person=ann, about="marketing", channel="e-mail")
    assert not shop.gives(ann, "mailchimp", "marketing", "first_name email")


BOXES = {
    "place_order": {"inventory_service", "invoice_system", "sage_pay"},
    "open_account": {"marketing", "mailchimp", "crm"},
    "project_sheet": {"crm"},
}


@pytest.mark.clause("F38")
@pytest.mark.parametrize("point", BOXES)
def test_each_service_has_an_empty_box_of_its_own_and_what_is_ticked_is_what_counts(shop: Operator, point: str) -> None:
    boxes = {f"choice.{one}": False for one in BOXES[point]}
    assert boxes_of(shop.get(f"forms/{point}").text) == boxes
    assert shop.send_form(point, shop.answers(point)).status_code == 200
    assert shop.count(choice) == 0, "who leaves the boxes alone has chosen nothing"
    for box in boxes:
        assert shop.send_form(point, shop.answers(point), **{box: "yes"}).status_code == 200
        shop.clock.move(timedelta(minutes=1))
    with shop.site.reading() as conn:
        made = conn.execute(select(choice.c.scope, choice.c.state)).all()
    assert {(one.scope.removeprefix("@"), one.state) for one in made} == {(one, "given") for one in BOXES[point]}
    assert len(made) == len(boxes)


SERVICES = {
    "inventory_service": ("inventory", "order_lines"),
    "invoice_system": ("invoicing", "full_name email billing_information order_lines"),
}


@pytest.mark.clause("F33", "F34", "F38")
@pytest.mark.parametrize("service", SERVICES)
def test_an_order_service_gets_what_it_needs_of_an_order_that_is_open_with_a_yes_to_it(
    shop: Operator, service: str
) -> None:
    purpose, fields = SERVICES[service]
    details = {"delivery_address": "2 Quay Road", "billing_information": "Ann Ltd"}
    ordered = shop.take("place_order", **details)
    asked = (ordered.person, service, purpose)
    assert not shop.gives(*asked, fields, case=ordered.case)
    shop.agree(ordered.person, *(f"@{other}" for other in SERVICES if other != service))
    assert not shop.gives(*asked, fields, case=ordered.case), "a yes to another service is none to this one"
    shop.agree(ordered.person, f"@{service}")
    assert shop.gives(*asked, fields, case=ordered.case)
    others = {"phone", "fax", "office_address", "delivery_address", "message", "full_name", "email"} - {*fields.split()}
    assert not any(shop.gives(*asked, field, case=ordered.case) for field in others)
    assert not shop.reads(ordered.person, purpose, "phone", case=ordered.case)
    assert shop.reads(ordered.person, purpose, "order_lines", case=ordered.case)
    theirs = shop.take("place_order", email="bob@shop.example").case
    assert not shop.gives(*asked, fields, case=theirs)
    assert not shop.reads(ordered.person, purpose, "order_lines", case=theirs)
    shop.done("close-dealing", kind="order", number=ordered.case)
    shop.done("open-dealing", person=ordered.person, kind="ticket", number="T-1")
    for case in ({}, {"case": ordered.case}, {"case": theirs}, {"case": "T-1"}):
        assert not shop.gives(*asked, fields, **case), case
        assert not shop.reads(ordered.person, purpose, "order_lines", **case), case
    shop.take("place_order", **details)
    assert shop.gives(*asked, fields) and shop.reads(ordered.person, purpose, "order_lines"), "with the next order"


@pytest.mark.clause("F74")
def test_data_moves_abroad_under_a_safeguard_that_lasts_and_not_because_the_policy_was_shown(shop: Operator) -> None:
    met = {"full_name": "Ann Other", "first_name": "Ann", "email": "ann@shop.example"} | AT_SHOW
    ann = collect(shop.site, Submission("trade_show", met, "stand-1")).person_id
    shop.get()
    asked = (ann, "mailchimp", "marketing", "first_name email")
    assert not shop.gives(*asked)
    shop.agree(ann, "marketing")
    assert shop.gives(*asked)
    shop.clock.at = utc(2028, 11, 1) - timedelta(minutes=1)
    assert shop.gives(*asked)
    shop.clock.at = utc(2028, 11, 1)
    shop.agree(ann, "marketing")
    assert not shop.gives(*asked), "a yes to the use is none to the transfer"


@pytest.mark.clause("F45")
def test_each_try_to_log_in_at_the_desk_is_on_record_and_a_change_of_the_record_shows(shop: Operator) -> None:
    ann = somebody(shop.site)
    assert at_desk(shop.web, ann, password="wrong") == 403
    assert at_desk(shop.web, replace(ann, login="eve")) == 403
    assert at_desk(shop.web, ann) == 303
    page = words_of(shop.get("desk/log").text)
    assert page.count("testclient") == 3 and "192.0.2.7" in page, "where they are, and where it was set up"
    assert verdict(shop, "security.login_capture") == "kept"
    with shop.site.writing() as conn:
        conn.execute(update(staff_log).where(staff_log.c.what == "failed").values(staff_id=None))
    assert verdict(shop, "security.login_capture") == "broken"


def verdict(shop: Operator, promise: str) -> Verdict:
    return next(one.proof.verdict for one in prove(shop.site).proven if one.promise.id == promise)
