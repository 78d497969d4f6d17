"""What data is used for: a program of the operator asks for every field that is held, for every purpose that there is.

What the policy names is given and all else is refused, also where nobody would think of asking.
"""

from __future__ import annotations

import pytest

from tests.doors import ANSWERS, Opening, Operator
from tests.fixtures import days
from tests.served import token_of
from troth.clock import utc
from troth.collection import Submission, collect
from troth.errors import Refused
from troth.people.vault import By
from troth.visits import actions as visits

BASICS = "full_name first_name email phone region"


def comes_in(site: Operator, point: str, **values: str) -> str:
    """Somebody of whom all that ``point`` lists is held; their number."""
    policy = site.site.policy().policy
    asked = (*policy.collection[point].required, *policy.collection[point].optional)
    answers = {key: ANSWERS.get(policy.data[key].category, f"my {key}") for key in asked} | values
    if policy.collection[point].kind in {"form", "account"}:
        return site.take(point, **answers).person
    # no door takes what a stand wrote down or a page records
    return collect(site.site, Submission(point, answers, f"{point}-1")).person_id


def member_of(site: Operator, point: str, **ticked: str) -> str:
    """Somebody who has registered at ``point`` and is logged in."""
    site.join(point, site.answers(point), **ticked)
    return site.person()


def role_for(site: Operator, purpose: str) -> str:
    roles = site.site.policy().policy.purposes[purpose].roles
    return roles[0] if roles else ""


def fields_for(site: Operator, person: str, purpose: str, case: str | None = None) -> set[str]:
    """What those whom ``purpose`` is reserved for are given of somebody, asking for one field after the other."""
    held = (key for key, one in site.site.policy().policy.data.items() if one.protect != "never stored")
    return {one for one in held if site.reads(person, purpose, one, role_for(site, purpose), case)}


def uses_of(site: Operator, person: str, field: str, case: str | None = None) -> set[str]:
    """The purposes for which ``field`` of somebody is given to those whom each is reserved for."""
    purposes = site.site.policy().policy.purposes
    return {one for one in purposes if site.reads(person, one, field, role_for(site, one), case)}


# --- What waits for a yes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "point", "purpose", "others", "fields"),
    [
        pytest.param("ledflex", "trade_show", "marketing", "surveys", "first_name email",
                     marks=pytest.mark.clause("F25", "F41")),
        pytest.param("infortrend", "order", "responsive_service", "product_news affiliate_marketing", "full_name email",
                     marks=pytest.mark.clause("I21")),
        pytest.param("infortrend", "subscribe", "affiliate_marketing", "product_news responsive_service",
                     "full_name email", marks=pytest.mark.clause("I22")),
        pytest.param("infortrend", "subscribe", "product_news", "affiliate_marketing tailoring", "full_name email",
                     marks=pytest.mark.clause("I15")),
        pytest.param("made-in-china", "register", "partner_marketing", "promotion", "full_name email company_name",
                     marks=pytest.mark.clause("M24")),
    ],
)  # fmt: skip
def test_what_waits_for_a_yes_is_done_with_the_listed_data_of_those_who_said_that_very_yes(
    operator: Opening, name: str, point: str, purpose: str, others: str, fields: str
) -> None:
    site = operator(name)
    ann = comes_in(site, point)
    assert fields_for(site, ann, purpose) == set(), "who was not asked"
    site.agree(ann, *others.split())
    assert fields_for(site, ann, purpose) == set(), "a yes to something else"
    site.agree(ann, purpose)
    assert fields_for(site, ann, purpose) == set(fields.split())
    site.clock.move(days(1))
    site.done("withdraw-consent", person=ann, about=purpose, channel="letter")
    assert fields_for(site, ann, purpose) == set(), "who took it back"


@pytest.mark.clause("F19")
def test_what_a_cookie_tells_makes_the_website_work_and_serves_anything_else_after_a_yes_to_that(
    operator: Opening,
) -> None:
    shop = operator("ledflex")
    came = comes_in(shop, "website_visit", ip_address="192.0.2.7", cookie_id="c0ffee")
    assert uses_of(shop, came, "cookie_id") == {"website_function"}
    for agreed in ("recognition", "analytics"):
        shop.agree(came, agreed)
        assert uses_of(shop, came, "cookie_id") == {"website_function", agreed}
        shop.clock.move(days(1))
        shop.done("withdraw-consent", person=came, about=agreed, channel="letter")
    assert uses_of(shop, came, "cookie_id") == {"website_function"}


@pytest.mark.clause("I25")
def test_data_supports_a_relationship_that_exists_and_that_its_customer_agreed_to(operator: Opening) -> None:
    office = operator("infortrend")
    stranger, customer = comes_in(office, "request_quote", email="bob@shop.example"), comes_in(office, "order")
    office.agree(stranger, "business_relationship")
    assert fields_for(office, stranger, "business_relationship") == set(), (
        "who does no business with us has no such use"
    )
    assert fields_for(office, customer, "business_relationship") == set()
    office.agree(customer, "business_relationship")
    assert fields_for(office, customer, "business_relationship") == {"full_name", "email", "business_address"}


# --- What waits for an order, a ticket or a request ------------------------------------------------------------------


@pytest.mark.clause("F8")
@pytest.mark.parametrize(
    ("purpose", "fields"),
    [
        ("fulfil_order", "full_name email phone fax delivery_address more_delivery_addresses"),
        ("invoicing", "full_name email billing_information"),
    ],
)
def test_customers_data_serves_what_they_buy_and_nothing_before_they_buy_or_after(
    operator: Opening, purpose: str, fields: str
) -> None:
    shop = operator("ledflex")
    ann = comes_in(shop, "open_account")
    assert fields_for(shop, ann, purpose) == set(), "who has an account has bought nothing"
    shop.done("open-dealing", person=ann, kind="ticket", number="T-1")
    assert fields_for(shop, ann, purpose) == set()
    shop.done("open-dealing", person=ann, kind="order", number="A-1")
    assert fields_for(shop, ann, purpose, "A-1") == fields_for(shop, ann, purpose) == set(fields.split())
    shop.done("close-dealing", kind="order", number="A-1")
    assert fields_for(shop, ann, purpose) == set()


@pytest.mark.clause("F25")
def test_confirming_takes_the_data_of_an_order_that_is_open_and_of_those_who_registered(operator: Opening) -> None:
    shop = operator("ledflex")
    ordered = shop.take("place_order")
    met = comes_in(shop, "trade_show", email="lea@shop.example")
    assert fields_for(shop, ordered.person, "order_confirmation", ordered.case) == {"full_name", "email", "order_lines"}
    assert (
        fields_for(shop, met, "order_confirmation") == fields_for(shop, ordered.person, "event_confirmation") == set()
    )
    assert fields_for(shop, met, "event_confirmation") == {*BASICS.split(), "trade_show"}
    shop.done("close-dealing", kind="order", number=ordered.case)
    assert fields_for(shop, ordered.person, "order_confirmation") == set()


@pytest.mark.clause("O18")
def test_an_address_is_there_for_service_mail_while_a_question_is_open_and_for_those_who_answer_it(
    operator: Opening,
) -> None:
    shop = operator("optokingdom")
    ann = shop.take("register", "own_marketing").person
    asked = (ann, "customer_service", "full_name email")
    assert not shop.reads(*asked, role="customer service"), "who has no question is written to about none"
    shop.done("open-dealing", person=ann, kind="ticket", number="T-1")
    assert shop.reads(*asked, role="customer service", case="T-1") and not shop.reads(*asked)
    shop.done("close-dealing", kind="ticket", number="T-1")
    assert not shop.reads(*asked, role="customer service")


# --- What is for one use only ----------------------------------------------------------------------------------------


@pytest.mark.clause("F21")
def test_an_older_customer_is_kept_or_written_to_as_long_as_they_object_to_neither(operator: Opening) -> None:
    shop = operator("ledflex")
    shop.clock.at = utc(2018, 5, 24, 12)
    people = [shop.take("place_order", email=f"{one}@shop.example").person for one in ("ann", "bob")]
    shop.agree(people[0], "marketing")
    shop.agree(people[1], "marketing")
    both = {"existing_customers", "marketing"}
    for person, objected in zip(people, sorted(both), strict=True):
        assert uses_of(shop, person, "email") & both == both
        shop.clock.move(days(1))
        shop.done("object", person=person, about=objected, channel="e-mail")
        assert uses_of(shop, person, "email") & both == both - {objected}


@pytest.mark.clause("F29")
def test_the_books_are_read_for_finance_alone_and_show_nothing_but_what_was_bought(operator: Opening) -> None:
    shop = operator("ledflex")
    ordered = shop.take("place_order", billing_information="Ann Ltd", fax="+44 20 7946 0959")
    ann, books = ordered.person, {"billing_information", "order_lines"}
    assert fields_for(shop, ann, "finance_archive") == books
    assert "fulfil_order" in uses_of(shop, ann, "order_lines"), "as long as the order is open"
    shop.done("close-dealing", kind="order", number=ordered.case)
    assert {field: uses_of(shop, ann, field) for field in books} == {one: {"finance_archive"} for one in books}


@pytest.mark.clause("M31")
def test_the_board_reads_what_a_member_posted_and_nothing_of_the_profile_behind_it(operator: Opening) -> None:
    board = operator("made-in-china")
    ann = member_of(board, "register")
    posted = board.send_form("post_item", {"trade_post": "Ten pallets of lamps"}, acknowledged="yes")
    assert posted.status_code == 200
    assert fields_for(board, ann, "trade_board") == {"trade_post"}
    assert uses_of(board, ann, "trade_post") == {"trade_board"}


@pytest.mark.clause("O25")
def test_a_review_is_its_writers_data_and_is_read_to_be_shown_and_for_nothing_else(operator: Opening) -> None:
    shop = operator("optokingdom")
    ann = member_of(shop, "register", acknowledged="yes")
    assert shop.send_form("write_review", {"review": "Bright and quiet"}).status_code == 200
    assert fields_for(shop, ann, "reviews") == {"review"} and uses_of(shop, ann, "review") == {"reviews"}
    token = token_of(shop.get("account/data").text)
    assert "Bright and quiet" in shop.post("account/data", data={"token": token, "format": "json"}).text


# --- What is counted in groups and never read ------------------------------------------------------------------------


@pytest.mark.clause("M20", "M21")
def test_research_reads_no_members_registration_and_no_row_of_the_log(operator: Opening) -> None:
    """Neither can be read one by one, so that neither can be joined to the other."""
    board = operator("made-in-china")
    ann = board.take("register").person
    board.looked_at("forms")
    assert fields_for(board, ann, "research") == fields_for(board, ann, "membership_statistics") == set()
    assert "company_type" in fields_for(board, ann, "operate_site"), "which is held"
    with pytest.raises(Refused):  # no page or program shows the log
        list(visits.read(board.site, "research", By("system")))


@pytest.mark.clause("M15")
def test_what_serves_figures_about_traffic_reads_nothing_about_one_member(operator: Opening) -> None:
    board = operator("made-in-china")
    ann = board.take("register").person
    board.agree(ann, "marketing_statistics")
    board.looked_at("forms")
    for purpose in ("marketing_statistics", "service_improvement"):
        assert fields_for(board, ann, purpose) == set(), purpose
    for purpose in board.site.policy().policy.purposes:
        with pytest.raises(Refused):  # no page or program shows the log, for these two or for anything else
            list(visits.read(board.site, purpose, By("system")))


@pytest.mark.clause("O16")
def test_general_facts_come_from_no_record_of_one_visitor(operator: Opening) -> None:
    shop = operator("optokingdom")
    ann = member_of(shop, "register", acknowledged="yes")
    shop.get("forms")
    told = {"language", "visit_count", "clicked_pages"}
    assert fields_for(shop, ann, "shop_service") == told, "which are held"
    assert fields_for(shop, ann, "marketplace_statistics") == set()
    with pytest.raises(Refused):  # no page or program shows the log
        list(visits.read(shop.site, "marketplace_statistics", By("system")))
