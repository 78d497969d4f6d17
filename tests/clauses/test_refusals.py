"""What clauses rule out, each tried where nothing but the promise that it rests on refuses it.

Many a promise has a second lock: data that no form asks for, a recipient that is given nothing. Where that would refuse
first, the operator here has written the second lock away and insisted, so that the first must hold alone.
"""

from __future__ import annotations

import pytest

from tests.doors import Opening
from tests.fixtures import days
from tests.served import words_of
from troth.people.tables import holding
from troth.recipients.tables import instruction
from troth.retention.tables import hold as holds
from troth.rights.tables import request_log
from troth.visits.partitions import days_present

GIFT = "recipients.advertisers.consideration: none"
GIVEN_TO = (
    "decisions.yaml",
    GIFT,
    f"{GIFT}\n      recipients.advertisers.receives: [name]\n      recipients.advertisers.for: [notification]",
)


@pytest.mark.clause("L1", "L6")
def test_whoever_is_too_young_is_not_registered(operator: Opening) -> None:
    site = operator("ledinside")
    answer = site.submit("registration", site.answers("registration", birth_date="2015-05-31"), acknowledged=True)
    assert answer.status_code in {403, 422} and site.count(holding) == 0
    assert site.submit("registration", site.answers("registration"), acknowledged=True).status_code == 201


@pytest.mark.parametrize(
    ("name", "point", "recipient", "given"),
    [
        pytest.param("ledinside", "registration", "advertisers", "", marks=pytest.mark.clause("L2", "L23")),
        pytest.param("ledinside", "registration", "business_partners", "", marks=pytest.mark.clause("L5")),
        pytest.param("ledflex", "social_pages", "social_networks", "", marks=pytest.mark.clause("F11")),
        pytest.param("made-in-china", "register", "everyone", "trade_post", marks=pytest.mark.clause("M31")),
    ],
)
def test_who_is_named_is_given_no_more_than_the_policy_says(
    operator: Opening, name: str, point: str, recipient: str, given: str
) -> None:
    site = operator(name)
    ann, policy = site.take(point, email="ann@shop.example").person, site.site.policy().policy
    held = [key for key, one in policy.data.items() if one.protect != "never stored"]
    purposes = policy.recipients[recipient].for_ or policy.collection[point].for_
    fields = [one for one in held if any(site.gives(ann, recipient, purpose, one) for purpose in purposes)]
    assert fields == given.split()


# --- What is never done ----------------------------------------------------------------------------------------------


@pytest.mark.clause("F16")
def test_what_the_policy_never_stores_is_refused_also_where_a_form_asks_for_it(operator: Opening) -> None:
    meant = "absolutes.never_store_payment.what: [card"
    shop = operator("ledflex", ("decisions.yaml", f"{meant}]", f"{meant}, billing_information]"))
    values = shop.answers("place_order")
    for billing, code in (({"billing_information": "Ann Ltd"}, 403), ({}, 201)):
        assert shop.submit("place_order", values | billing, acknowledged=True).status_code == code
    assert "Ann Ltd" not in shop.get("forms/place_order").text


@pytest.mark.clause("F16")
def test_a_card_number_is_put_in_place_of_nothing_that_is_held(operator: Opening) -> None:
    shop = operator("ledflex")
    ann = shop.take("contact_form", phone="+44 20 7946 0958").person
    answer = shop.act("correct", person=ann, field="message", value="Card 4111 1111 1111 1111")
    assert answer.status_code in {403, 422} and "4111" not in answer.text
    assert shop.read("answer_enquiries", "message", person=ann).json()["values"] == {"message": "my message"}


@pytest.mark.clause("M23")
def test_a_profile_waits_for_the_members_permission_whatever_else_its_recipient_needs(operator: Opening) -> None:
    other = "recipients.sponsors.consent: "
    board = operator("made-in-china", ("decisions.yaml", f"{other}itself", f"{other}promotion"))
    ann, profile = board.take("register").person, "full_name email company_name"
    board.agree(ann, "promotion")
    assert not board.gives(ann, "sponsors", "partner_marketing", profile), "a yes to promotion is none to this"
    assert not board.gives(ann, "business_partners", "partner_marketing", profile)
    board.agree(ann, "@business_partners")
    assert board.gives(ann, "business_partners", "partner_marketing", profile)


# --- What is done in the named cases only ----------------------------------------------------------------------------


@pytest.mark.clause("I16")
def test_a_purpose_beyond_the_list_waits_for_its_own_consent_whatever_it_rests_on(operator: Opening) -> None:
    site = operator(
        "infortrend",
        ("decisions.yaml", "responsive_service.basis: consent", "responsive_service.basis: contract"),
        ("decisions.yaml", "[E-28 purposes.responsive_service, ", "["),
    )
    ann = site.take("register", full_name="Ann Other").person
    site.agree(ann, "product_news")
    assert not site.reads(ann, "responsive_service", "email")
    assert site.reads(ann, "policy_notices", "email") and site.reads(ann, "product_news", "email")


@pytest.mark.clause("I2")
def test_nothing_is_taken_where_nobody_is_asked(operator: Opening) -> None:
    site = operator("infortrend", ("decisions.yaml", "apply_for_job, contact, register", "apply_for_job, register"))
    for point, code in (("contact", 403), ("request_quote", 201)):
        assert site.submit(point, site.answers(point), acknowledged=True).status_code == code
    with site.site.reading() as conn:
        assert days_present(conn) == []


@pytest.mark.clause("I2")
def test_nothing_is_recorded_of_whoever_looks_at_a_page(operator: Opening) -> None:
    site = operator("infortrend")
    site.looked_at("", "forms", "versions")
    with site.site.reading() as conn:
        assert not days_present(conn)


@pytest.mark.clause("L15")
def test_whoever_is_not_on_the_list_is_given_nothing_although_something_is_named_for_them(operator: Opening) -> None:
    site = operator("ledinside", GIVEN_TO)
    ann = site.take("registration").person
    site.agree(ann, "@consented_party")
    assert not site.gives(ann, "advertisers", "notification", "name")
    assert site.gives(ann, "consented_party", "notification", "name")


@pytest.mark.clause("M29")
def test_a_profile_is_read_for_the_purposes_on_the_list_and_for_no_other(operator: Opening) -> None:
    board = operator("made-in-china", ("decisions.yaml", "administration, maintenance, servicing,", "maintenance,"))
    ann = board.take("register").person
    for purpose, opens in (("maintenance", True), ("administration", False), ("servicing", False)):
        roles = board.site.policy().policy.purposes[purpose].roles
        assert board.reads(ann, purpose, "email", role=roles[0] if roles else "any") is opens, purpose


@pytest.mark.clause("O24")
def test_whom_the_list_leaves_out_is_given_nothing_although_a_task_is_named_for_them(operator: Opening) -> None:
    shop = operator("optokingdom", ("policy.yaml", "to: [service_providers, courier, card_finance]",
                                    "to: [service_providers, card_finance]"))  # fmt: skip
    ann = shop.take("register", card_token="tok-1").person
    shop.done("open-dealing", person=ann, kind="order", number="A-1")
    shop.done("pay-order", number="A-1")
    assert not shop.gives(ann, "courier", "delivery", "full_name address", case="A-1")
    assert shop.gives(ann, "card_finance", "payment", "card_token", case="A-1")


# --- Third parties ---------------------------------------------------------------------------------------------------


@pytest.mark.clause("F39")
def test_a_service_waits_for_a_yes_and_a_no_to_it_alone_is_enough(operator: Opening) -> None:
    shop = operator("ledflex")
    project = shop.take("project_sheet")
    to_crm = (project.person, "crm", "projects", "full_name email")
    assert not shop.gives(*to_crm, case=project.case)
    shop.agree(project.person, "@crm")
    assert shop.gives(*to_crm, case=project.case)
    lead = shop.take("open_account", "marketing", email="lea@shop.example").person
    shop.confirm("lea@shop.example")
    to_mail_chimp = (lead, "mailchimp", "marketing", "first_name email")
    assert shop.gives(*to_mail_chimp)
    shop.done("object", person=lead, about="@mailchimp", channel="letter")
    assert not shop.gives(*to_mail_chimp)
    assert shop.reads(lead, "marketing", "email"), "the yes to marketing stands"


@pytest.mark.clause("F26")
def test_a_carrier_gets_an_address_for_an_order_that_is_open_and_for_nothing_else(operator: Opening) -> None:
    shop = operator("ledflex")
    ordered = shop.take("place_order", delivery_address="2 Quay Road")
    label = (ordered.person, "carriers", "fulfil_order", "full_name delivery_address")
    assert shop.gives(*label, case=ordered.case)
    shop.done("close-dealing", kind="order", number=ordered.case)
    assert not shop.gives(*label, case=ordered.case) and not shop.gives(*label)


# --- Cookies ---------------------------------------------------------------------------------------------------------


@pytest.mark.clause("M16")
def test_nobody_is_logged_in_with_a_cookie_that_is_not_declared_as_needed_for_it(operator: Opening) -> None:
    needed = "for: [operate_site]\n    essential: "
    board = operator("made-in-china", ("policy.yaml", f"{needed}true", f"{needed}false"))
    answer = board.get("account/login")
    assert answer.status_code == 403 and "Nobody can log in here." in words_of(answer.text)
    assert board.get("forms").status_code == 200
    assert not board.web.cookies


# --- Legal cases -----------------------------------------------------------------------------------------------------


@pytest.mark.clause("F58")
def test_nothing_is_kept_from_a_deletion_without_ground_approver_and_end(operator: Opening) -> None:
    shop = operator("ledflex")
    ann = shop.take("contact_form").person
    ends = shop.clock.now() + days(90)
    record = {"reference": "T-1", "approver": "managing director"}
    hold = {"person": ann, "ground": "law_or_interest_to_keep", "because": "A tax inquiry.", "ends": ends.isoformat(),
            "fields": ["full_name"], "approver": "managing director", "record": record}  # fmt: skip
    for lacking in (
        {"ground": "claim"},
        {"because": " "},
        {"ends": (shop.clock.now() - days(1)).isoformat()},
    ):
        assert shop.act("place-hold", **{**hold, **lacking}).status_code in {403, 422}, lacking
    assert shop.count(holds) == 0
    shop.done("place-hold", **hold)


@pytest.mark.clause("M26")
def test_to_run_the_services_nothing_is_disclosed_without_a_reason_even_if_the_text_is_taken_at_its_word(
    operator: Opening,
) -> None:
    strict = "legal.running_the_services.act: "
    board = operator("made-in-china", ("decisions.yaml", f"{strict}read", f"{strict}disclose"))
    asked = (board.take("register").person, "advertisers", "running_the_services", "trade_post")
    assert not board.gives_in_case(*asked, {"reason": " "}) and not board.gives_in_case(*asked, {})
    assert board.gives_in_case(*asked, {"reason": "The board was moved."})
    assert not board.gives_in_case(*asked[:3], "email", {"reason": "The board was moved."}), "a profile stays private"


# --- How long --------------------------------------------------------------------------------------------------------


@pytest.mark.clause("F63")
def test_what_the_log_has_of_a_request_that_was_answered_goes_after_its_time(operator: Opening) -> None:
    shop = operator("ledflex")
    shop.take("contact_form")
    shop.mail("Ann <ann@shop.example>", "Please send me a copy of my data.")
    assert shop.web.post(shop.link("privacy/confirm", "ann@shop.example"), data={"press": "yes"}).status_code == 200
    data = shop.link("privacy/data", "ann@shop.example")
    assert [shop.web.post(data, data={"press": "yes"}).status_code for _ in range(2)] == [200, 404]
    assert shop.count(request_log) == 1
    shop.later(days=174)
    assert shop.count(request_log) == 1
    shop.later(days=2)
    assert shop.count(request_log) == 0


@pytest.mark.clause("F49")
def test_whoever_was_given_data_is_told_to_delete_it_when_business_has_ended(operator: Opening) -> None:
    shop = operator("ledflex")
    ordered = shop.take("place_order", delivery_address="2 Quay Road")
    given = shop.done("disclose", person=ordered.person, recipient="carriers", purpose="fulfil_order",
                      fields=["full_name"], case=ordered.case)  # fmt: skip
    shop.turn()
    shop.done("hand-over", disclosure=given["disclosure"])
    shop.done("close-dealing", kind="order", number=ordered.case)
    shop.done("customer-notice", person=ordered.person, number="N-1")
    shop.later(days=168)
    assert shop.count(instruction) == 0
    for _ in range(6):
        shop.later(days=1)
    assert shop.count(instruction, instruction.c.recipient == "carriers") == 1


@pytest.mark.clause("O8")
def test_what_a_visit_left_is_gone_a_month_later(operator: Opening) -> None:
    shop = operator("optokingdom")
    shop.looked_at("forms")
    seen = shop.clock.now().date()
    for later, there in ((0, True), (32, False)):
        shop.later(days=later)
        with shop.site.reading() as conn:
            assert (seen in days_present(conn)) is there
