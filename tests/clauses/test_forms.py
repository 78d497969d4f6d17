"""What a form lets in: all that it needs and only what it lists, so that nothing begins with half of it or comes in beside it.

Each clause here leans on that. Forms are filled in as a shop's own program or a person at the page does.
"""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from tests.doors import Opening, Operator
from tests.fixtures import days
from tests.served import filled, words_of
from troth.accounts.tables import account
from troth.collection import Submission, collect
from troth.consent.tables import choice
from troth.errors import InvalidInput
from troth.people.tables import dealing, holding


def turned_away(site: Operator, point: str, *strangers: str, without: str = "", **values: str) -> None:
    """A program's submission is refused whole, naming what is wrong with it, and leaves nothing: no data and no dealing."""
    before = site.count(holding), site.count(dealing)
    answers = site.answers(point, **values) | dict.fromkeys(strangers, "of no concern here")
    given = {key: value for key, value in answers.items() if key != without}
    answer = site.submit(point, given, acknowledged=True)
    assert answer.status_code == 422, (point, strangers, without)
    assert answer.json()["problems"].keys() == {*strangers, without} - {""}
    assert (site.count(holding), site.count(dealing)) == before


def sent_back(site: Operator, point: str, values: dict[str, str], **ticked: str) -> None:
    """What a person sends at the page comes back to be mended, and nothing of it is held or begun."""
    before = site.count(holding), site.count(dealing)
    assert site.send_form(point, values, **ticked).status_code == 422, values
    assert (site.count(holding), site.count(dealing)) == before


# --- LED Flex --------------------------------------------------------------------------------------------------------


@pytest.mark.clause("F3")
def test_a_form_that_was_read_under_an_older_policy_is_not_taken_under_a_newer_one(operator: Opening) -> None:
    shop = operator("ledflex")
    shop.publish(days=40)
    shop.later(days=39, hours=14)
    page, typed = "/ledflex/forms/contact_form", shop.answers("contact_form")
    sent = filled(shop.web, page, typed)
    shop.clock.move(days(0.1))
    answer = shop.web.post(page, data=sent)
    assert answer.status_code == 422 and "policy has changed" in words_of(answer.text)
    assert shop.count(holding) == 0
    assert shop.web.post(page, data=filled(shop.web, page, typed)).status_code == 200
    with shop.site.reading() as conn:
        assert set(conn.scalars(select(holding.c.policy_version))) == {2}


@pytest.mark.clause("F23")
def test_an_account_takes_in_nothing_that_is_collected_for_something_else(operator: Opening) -> None:
    shop = operator("ledflex")
    for stranger in ("order_lines", "message", "project", "social_page", "region"):
        turned_away(shop, "open_account", stranger)
    assert shop.take("open_account").person


@pytest.mark.clause("F26")
def test_no_order_begins_without_whom_and_where_it_goes_to_and_what_it_is(operator: Opening) -> None:
    shop = operator("ledflex")
    for missing in ("full_name", "email", "phone", "office_address", "order_lines"):
        turned_away(shop, "place_order", without=missing)
    ordered = shop.take("place_order", order_lines="3 strips")
    assert shop.reads(ordered.person, "fulfil_order", "full_name office_address order_lines", case=ordered.case)


@pytest.mark.clause("F27")
def test_no_ticket_is_opened_by_a_call_for_help_that_says_nothing_or_not_who_asks(operator: Opening) -> None:
    shop = operator("ledflex")
    ann = shop.take("contact_form").person
    for missing in ("message", "full_name"):
        turned_away(shop, "assistance", without=missing)
    assert not shop.reads(ann, "support", "full_name email")
    assert shop.reads(ann, "support", "full_name email", case=shop.take("assistance").case)


# --- Infortrend ------------------------------------------------------------------------------------------------------

OCCASIONS = (
    "request_quote request_service request_support request_information order promotion subscribe apply_for_job contact"
)


@pytest.mark.clause("I3")
@pytest.mark.parametrize("point", OCCASIONS.split())
def test_each_occasion_asks_by_a_form_of_its_own_that_takes_no_other_forms_data(operator: Opening, point: str) -> None:
    office = operator("infortrend")
    points = office.site.policy().policy.collection
    asked = {*points[point].required, *points[point].optional}
    for other in sorted({key for one in points.values() for key in (*one.required, *one.optional)} - asked):
        turned_away(office, point, other)
    for missing in points[point].required:
        if len(points[point].required) > 1:
            turned_away(office, point, without=missing)
    assert office.take(point).person


@pytest.mark.clause("I4")
def test_an_application_comes_in_by_the_form_that_is_for_recruiting_and_by_no_other(operator: Opening) -> None:
    office = operator("infortrend")
    for point in {*OCCASIONS.split(), "register"} - {"apply_for_job"}:
        turned_away(office, point, "application")
    turned_away(office, "apply_for_job", without="application")
    ann = office.take("apply_for_job").person
    assert office.reads(ann, "recruitment", "application", role="human resources")


MARKED = re.compile(r'<label for="f-(\w+)">.*?<span class="mark">\((.*?)\)</span>', re.DOTALL)


@pytest.mark.clause("I8")
@pytest.mark.parametrize("point", [*OCCASIONS.split(), "register"])
def test_what_a_form_calls_required_is_and_what_it_calls_optional_may_be_left_out(
    operator: Opening, point: str
) -> None:
    office = operator("infortrend")
    marks = dict(MARKED.findall(office.get(f"forms/{point}").text))
    required = {field for field, mark in marks.items() if mark == "required"}
    assert required and set(marks.values()) <= {"required", "optional"}
    whole = {field: office.answers(point)[field] for field in required}
    for missing in required:
        sent_back(office, point, {field: value for field, value in whole.items() if field != missing})
    assert office.send_form(point, whole).status_code == 200


@pytest.mark.clause("I5")
def test_to_complete_a_transaction_no_more_is_asked_than_it_takes(operator: Opening) -> None:
    office = operator("infortrend")
    office.join("register", office.answers("register"))
    office.done("open-dealing", person=office.person(), kind="order", number="A-1")
    both = {"identity_evidence": "passport seen", "payment_reference": "number 7"}
    for point, field in (("identity_supplement", "identity_evidence"), ("payment_supplement", "payment_reference")):
        sent_back(office, point, both)
        sent_back(office, point, {field: " "})
        assert office.send_form(point, {field: both[field]}).status_code == 200


@pytest.mark.clause("I6")
def test_a_yes_to_tailoring_counts_where_it_is_asked_for_and_is_slipped_into_no_other_form(operator: Opening) -> None:
    office = operator("infortrend")
    answers = office.answers("request_quote")
    answer = office.submit("request_quote", answers, choices={"tailoring": True})
    assert answer.status_code == 422 and answer.json()["problems"].keys() == {"tailoring"}
    assert office.count(choice) == 0
    ann = office.take("register", "tailoring", page_settings="storage").person
    office.confirm("ann@shop.example")
    assert office.reads(ann, "tailoring", "page_settings")


# --- LEDinside -------------------------------------------------------------------------------------------------------


@pytest.mark.clause("L4")
def test_what_is_given_at_one_moment_is_taken_at_no_other(operator: Opening) -> None:
    site = operator("ledinside")
    for other in ("product_request", "suggestion"):
        turned_away(site, "registration", other)
    site.join("registration", site.answers("registration"))
    ann = {"email": "ann@shop.example"}
    suggested, asked = ann | {"suggestion": "More lamps"}, ann | {"name": "Ann Other", "product_request": "Ten lamps"}
    for point, said, beside in (("suggestion", suggested, asked), ("product_request", asked, suggested)):
        sent_back(site, point, beside | said)
        assert site.send_form(point, said).status_code == 200
    with pytest.raises(InvalidInput):  # what a campaign brings in is written down by staff
        collect(site.site, Submission("campaign", suggested, "stand-1"))


@pytest.mark.clause("L8")
def test_half_a_registration_opens_no_account_and_no_service(operator: Opening) -> None:
    site = operator("ledinside")
    whole = site.answers("registration")
    for missing in whole:
        sent_back(site, "registration", {key: value for key, value in whole.items() if key != missing})
    assert site.count(account) == 0 and site.letters() == []
    assert site.log_in(whole["email"]).status_code >= 400
    assert 'name="token"' not in site.get("forms/product_request").text, "the form is closed"
    site.join("registration", whole)
    assert 'name="token"' in site.get("forms/product_request").text


@pytest.mark.clause("L11")
def test_a_suggestion_is_taken_without_anything_that_ads_are_chosen_by(operator: Opening) -> None:
    site = operator("ledinside")
    site.join("registration", site.answers("registration"))
    said = {"email": "ann@shop.example", "suggestion": "More lamps"}
    for field in site.site.policy().policy.purposes["advertising"].uses:
        sent_back(site, "suggestion", said | {field: "lamps"})
    sent_back(site, "suggestion", said | {"suggestion": " "})
    assert site.send_form("suggestion", said).status_code == 200


@pytest.mark.clause("L12")
def test_a_request_that_names_no_product_opens_no_use_of_data(operator: Opening) -> None:
    site = operator("ledinside")
    site.join("registration", site.answers("registration"))
    ann, asked = site.person(), {"name": "Ann Other", "email": "ann@shop.example", "product_request": "Ten lamps"}
    sent_back(site, "product_request", asked | {"product_request": " "})
    assert not site.reads(ann, "product_request", "name email")
    assert site.send_form("product_request", asked).status_code == 200
    assert site.reads(ann, "product_request", "name email product_request")


# --- Made-in-China.com -----------------------------------------------------------------------------------------------


@pytest.mark.clause("M31")
@pytest.mark.parametrize("point", ["post_item", "make_offer"])
def test_nothing_of_a_profile_is_published_with_a_post(operator: Opening, point: str) -> None:
    board = operator("made-in-china")
    profile = board.answers("register")
    board.join("register", profile)
    for field in profile:
        sent_back(board, point, {"trade_post": "Ten pallets", field: profile[field]}, acknowledged="yes")
    assert board.send_form(point, {"trade_post": "Ten pallets"}, acknowledged="yes").status_code == 200


# --- Optokingdom -----------------------------------------------------------------------------------------------------


@pytest.mark.clause("O8")
def test_what_a_visit_leaves_is_held_to_the_same_as_what_a_form_asks_for(operator: Opening) -> None:
    shop = operator("optokingdom")
    shop.join("register", shop.answers("register"), acknowledged="yes")
    shop.get("forms")
    ann, before = shop.person(), shop.count(holding)
    seen = {"language": "en", "clicked_pages": "/optokingdom/forms"}
    for wrong in ({"email": "bob@shop.example"}, {"clicked_pages": "/search?card=4111 1111 1111 1111"}):
        with pytest.raises(InvalidInput) as told:  # visits of members come in through no other door than their pages
            collect(shop.site, Submission("member_visits", seen | wrong, "visit-1", member=ann))
        assert told.value.problems.keys() == wrong.keys()
    assert shop.count(holding) == before > 1
