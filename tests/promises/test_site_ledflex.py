"""LED Flex: the policy is faithful to what was published, its defects show, and the decisions settle each of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.policies import SitePolicy, errors, keys
from troth.decide import Ask
from troth.policy.compile import compile_policy

SITE = SitePolicy("ledflex")


def allowed(act: str, purpose: str, fields: str, to: str = "", facts: str = "", people: str = "customer") -> bool:
    return SITE.allows(act, purpose, fields, facts, to, people)


def test_a_case_that_only_decisions_open_says_so() -> None:
    assert SITE.effective.origin(("retention", "leads", "keep")).startswith("decision E-05 people.lead")
    assert SITE.effective.origin(("rights", "law_restriction")).startswith("law uk-gdpr")
    assert SITE.effective.origin(("visits", "keep")) == ""


@pytest.mark.parametrize("topic", range(6))
def test_an_empty_topic_of_the_notice_is_an_error(topic: int) -> None:
    answers = [dict(answer) for answer in SITE.effective.document.tree["policy"]["answers"]]
    assert len(answers) == 6
    answers[topic]["holds"] = []
    assert f"E-27 policy.answers.{topic}" not in keys(SITE.effective)
    assert f"E-27 policy.answers.{topic}" in errors(SITE.edited({"policy.answers": answers}))


def test_a_policy_without_a_controller_is_not_served() -> None:
    nameless = SITE.edited({"operator.name": "", "operator.also named": []})
    assert "E-13 operator.name" in errors(nameless)


def test_older_customers_need_a_recorded_assessment() -> None:
    assert "E-25 purposes.existing_customers" in errors(SITE.published)
    policy = SITE.policy
    assert policy.purposes["existing_customers"].assessment
    assert not allowed("read", "existing_customers", "full_name")
    assert allowed("read", "existing_customers", "full_name", facts="before:2018-05-25")


def test_a_recipient_that_the_list_does_not_name_is_refused_whatever_it_is_promised() -> None:
    ninth = {"name": "Ninth", "does": "asks for more", "country": "GB", "receives": ["email"], "for": ["support"]}
    more = SITE.edited({"recipients.ninth": ninth | {"consideration": "none"}}, decided=True)
    found = next(f for f in more.findings if f.key == "E-01 absolutes.only_listed")
    assert "recipients.ninth" in found.message
    assert more.policy is not None
    ask = Ask("disclose", "support", frozenset({"email"}), "customer", "ninth", frozenset({"safeguard:ninth"}))
    answer = compile_policy(more.policy).decide(ask)
    assert not answer.allowed
    assert answer.because == ("absolutes.only_listed",)


def test_the_published_list_refuses_those_it_forgot_until_they_were_decided_on() -> None:
    published = SITE.published.policy
    assert published is not None
    message = next(f.message for f in SITE.published.findings if f.key == "E-01 absolutes.only_listed")
    for forgotten in ("google", "amazon", "carriers"):
        assert f"recipients.{forgotten}" in message
    facts = "case:order safeguard:carriers"
    assert allowed("disclose", "fulfil_order", "phone delivery_address", "carriers", facts)
    assert not allowed("disclose", "fulfil_order", "phone delivery_address email", "carriers", facts)
    ask = Ask("disclose", "fulfil_order", frozenset({"phone"}), "customer", "carriers", frozenset(facts.split()))
    assert not compile_policy(published).decide(ask).allowed


def test_a_recipient_that_pays_is_given_nothing() -> None:
    for price in ("money", "rent", "barter", "licence", "not stated"):
        paid = SITE.edited({"recipients.carriers.consideration": price})
        assert paid.policy is not None
        ask = Ask("disclose", "fulfil_order", frozenset({"phone"}), "customer", "carriers")
        asked = replace(ask, facts=frozenset({"case:order", "safeguard:carriers", "legal:claim"}))
        assert not compile_policy(paid.policy).decide(asked).allowed
        if price != "not stated":
            assert "E-01 absolutes.never_sold" in errors(paid)


def test_mail_chimp_gets_two_details_of_those_who_chose_marketing() -> None:
    facts = "consent:marketing safeguard:mailchimp"
    assert allowed("disclose", "marketing", "first_name email", "mailchimp", facts)
    assert not allowed("disclose", "marketing", "first_name email phone", "mailchimp", facts)
    assert not allowed("disclose", "marketing", "first_name email", "mailchimp", "safeguard:mailchimp")
    assert not allowed("disclose", "invoicing", "email", "mailchimp", facts)


def test_order_services_get_an_order_and_no_contact_details_they_do_not_need() -> None:
    given = "consent:@inventory_service consent:@invoice_system safeguard:inventory_service safeguard:invoice_system"
    for service, purpose, fields in (
        ("inventory_service", "inventory", "order_lines"),
        ("invoice_system", "invoicing", "full_name email billing_information order_lines order_amount"),
    ):
        assert allowed("disclose", purpose, fields, service, f"{given} case:order")
        assert not allowed("disclose", purpose, fields, service, given)
        assert not allowed("disclose", purpose, f"{fields} delivery_address", service, f"{given} case:order")
    assert not allowed("disclose", "inventory", "email", "inventory_service", f"{given} case:order")


def test_what_cookies_tell_reaches_google_after_a_yes_and_nobody_else() -> None:
    yes = "consent:analytics safeguard:google"
    assert allowed("disclose", "analytics", "cookie_id", "google", yes, "visitor")
    assert not allowed("disclose", "analytics", "cookie_id", "google", "safeguard:google", "visitor")
    policy = SITE.policy
    for other in set(policy.recipients) - {"google"}:
        for purpose in (*policy.purposes, "legal:claim"):
            facts = f"{yes} safeguard:{other} consent:@{other} case:order legal:claim"
            assert not allowed("disclose", purpose, "cookie_id", other, facts, "visitor")


def test_data_is_used_for_what_it_was_collected_for() -> None:
    assert allowed("read", "surveys", "message", facts="consent:surveys", people="enquirer")
    assert not allowed("read", "invoicing", "message", facts="case:order consent:surveys", people="enquirer")
    assert allowed("read", "fulfil_order", "delivery_address", facts="case:order")
    assert not allowed("read", "credit_check", "full_name", facts="case:order", people="lead")


def test_support_reads_with_a_ticket_or_an_order_only() -> None:
    assert allowed("read", "support", "message order_lines", facts="case:ticket")
    assert allowed("read", "support", "message order_lines", facts="case:order")
    assert not allowed("read", "support", "message order_lines")


def test_reading_the_policy_agrees_to_no_transfer() -> None:
    assert {"E-04 transfers", "E-04 statements.agree_to_transfers"} <= keys(SITE.published)
    for service in ("mailchimp", "google"):
        consents = "consent:marketing consent:analytics consent:@mailchimp"
        purpose, fields = ("marketing", "email") if service == "mailchimp" else ("analytics", "cookie_id")
        assert not allowed("disclose", purpose, fields, service, consents)
        assert allowed("disclose", purpose, fields, service, f"{consents} safeguard:{service}")


def test_an_older_customer_gets_marketing_by_choice_only() -> None:
    policy = SITE.policy
    promotional = {key for key, message in policy.messages.items() if message.kind == "promotional"}
    assert promotional == {"marketing_mail"}
    assert not allowed("send", "marketing", "email", "marketing_mail", "before:2018-05-25")
    assert allowed("send", "marketing", "email", "marketing_mail", "consent:marketing")
    assert not allowed("send", "marketing", "email", "marketing_mail", "consent:marketing objection:marketing")
