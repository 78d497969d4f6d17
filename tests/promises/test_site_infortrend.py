"""Infortrend: four placeholders, a promise that contradicts another, and the strict reading of every consent."""

from __future__ import annotations

from tests.policies import SitePolicy, keys
from troth.decide import Ask
from troth.policy.compile import compile_policy

SITE = SitePolicy("infortrend")
CONTACT = ("full_name", "email", "business_address")
PLACEHOLDERS = {
    "E-02 transfers.may move to",
    "E-02 recipients.affiliates.name",
    "E-02 cookies.site_cookies.holds",
    "E-02 cookies.site_cookies.for",
}
FORMS = {
    "request_quote",
    "request_service",
    "request_support",
    "request_information",
    "order",
    "promotion",
    "subscribe",
    "apply_for_job",
    "contact",
}


def test_four_placeholders_are_errors() -> None:
    assert {finding.key for finding in SITE.published.unsettled if finding.rule == "E-02"} == PLACEHOLDERS


def test_an_unfilled_list_of_countries_moves_data_nowhere() -> None:
    assert "E-02 transfers.may move to" in {finding.key for finding in SITE.published.unsettled}
    assert SITE.policy.transfers is not None
    assert SITE.policy.transfers.may_move_to == ()
    filled = SITE.edited({"transfers.may move to": ["JP"]}, decided=False)
    assert "E-02 transfers.may move to" not in keys(filled)
    assert filled.policy is not None
    assert filled.policy.transfers is not None
    assert filled.policy.transfers.may_move_to == ("JP",)


def test_an_affiliate_that_nobody_listed_gets_nothing() -> None:
    facts = "case:request case:order safeguard:affiliates consent:@affiliates"
    for purpose in SITE.policy.purposes:
        asked = f"{facts} consent:{purpose}"
        assert not any(SITE.allows("disclose", purpose, [f], asked, "affiliates", "customer") for f in CONTACT)
    listed = {"does": "installs", "role": "affiliate", "name": "Listed", "country": "TW", "consideration": "none"}
    entry = listed | {"receives": ["email"], "for": ["requested_transactions"]}
    policy = SITE.edited({"recipients.affiliates": entry}, decided=False).policy
    assert policy is not None
    rules = compile_policy(policy)
    fields, ready = frozenset({"email"}), frozenset({"safeguard:affiliates"})
    assert rules.decide(Ask("disclose", "requested_transactions", fields, "customer", "affiliates", ready)).allowed
    assert not rules.decide(Ask("disclose", "responsive_service", fields, "customer", "affiliates", ready)).allowed


def test_a_cookie_with_an_unfilled_purpose_is_never_set() -> None:
    assert {"E-02 cookies.site_cookies.holds", "E-02 cookies.site_cookies.for"} <= keys(SITE.published)
    consents = " ".join(f"consent:{purpose}" for purpose in SITE.policy.purposes)
    assert not SITE.allows("cookie", "site_cookies", "", consents)
    assert SITE.allows("cookie", "login", "")


def test_applications_are_for_those_who_recruit() -> None:
    assert SITE.allows("read", "recruitment", "full_name application", "role:human_resources", people="applicant")
    for purpose in SITE.policy.purposes:
        facts = f"role:sales role:security consent:{purpose} case:request case:order"
        assert not SITE.allows("read", purpose, "application", facts, people="applicant")


def test_requests_are_served_while_they_are_open() -> None:
    assert SITE.allows("read", "requested_transactions", CONTACT, "case:request")
    assert not SITE.allows("read", "requested_transactions", CONTACT)


def test_supplements_need_an_open_transaction() -> None:
    assert SITE.allows("read", "identity_check", "identity_evidence", "case:order")
    assert not SITE.allows("read", "identity_check", "identity_evidence")
    assert not SITE.allows("read", "payment", "payment_reference", "case:ticket")


def test_what_is_known_of_fraud_is_of_no_use_to_marketing() -> None:
    assert SITE.allows("read", "fraud_prevention", "security_event", "role:security")
    assert not SITE.allows("read", "fraud_prevention", "security_event", "role:sales")
    assert not SITE.allows("read", "product_news", "security_event", "consent:product_news role:security")


def test_every_other_purpose_waits_for_its_own_consent() -> None:
    for purpose in ("tailoring", "responsive_service", "business_relationship", "affiliate_marketing"):
        fields = SITE.policy.purposes[purpose].uses
        assert SITE.allows("read", purpose, fields, f"consent:{purpose}", people="customer")
        assert not SITE.allows("read", purpose, fields, "consent:product_news", people="customer")
        assert not SITE.allows("read", purpose, fields, people="customer")
    assert not SITE.allows("read", "research", "email", "consent:product_news", people="customer")


def test_product_news_needs_an_own_yes() -> None:
    assert SITE.allows("send", "product_news", "email", "consent:product_news", "product_information")
    assert not SITE.allows("send", "product_news", "email", "case:order", "product_information")
    assert all("product_news" not in point.counts_as_consent for point in SITE.policy.collection.values())


def test_third_parties_get_data_to_fulfil_and_by_law_and_for_nothing_else() -> None:
    ready = "case:request case:order safeguard:business_partners consent:@business_partners"
    assert SITE.allows("disclose", "requested_transactions", CONTACT, ready, "business_partners", "customer")
    for purpose in set(SITE.policy.purposes) - {"requested_transactions"}:
        asked = f"{ready} consent:{purpose}"
        assert not SITE.allows("disclose", purpose, CONTACT, asked, "business_partners", "customer")
    assert SITE.allows("disclose", "legal:legal_action", CONTACT, "legal:legal_action", "court")
    assert not SITE.allows("disclose", "legal:legal_action", CONTACT, "", "court")


def test_a_partner_needs_an_open_request_whatever_the_relationship() -> None:
    idle = "safeguard:business_partners consent:business_relationship"
    for purpose in SITE.policy.purposes:
        assert not SITE.allows("disclose", purpose, CONTACT, idle, "business_partners", "customer")


def test_whoever_pays_rents_or_leases_gets_nothing() -> None:
    ready = "case:request safeguard:business_partners"
    to_partner = ("business_partners", "customer")
    assert SITE.allows("disclose", "requested_transactions", "email", ready, *to_partner)
    assert not SITE.allows("disclose", "requested_transactions", "email", f"{ready} consideration", *to_partner)
    for price in ("money", "rent", "licence"):
        paid = SITE.edited({"recipients.business_partners.consideration": price}, decided=False)
        assert "E-01 absolutes.never_sell" in {finding.key for finding in paid.unsettled}


def test_nine_forms_and_no_other_way_in_but_registration_and_supplements() -> None:
    others = {"register", "identity_supplement", "payment_supplement", "security_watch"}
    assert set(SITE.policy.collection) == FORMS | others
    assert not SITE.allows("collect", "raffle", "email", "source:raffle", people="enquirer")


def test_visits_leave_no_record() -> None:
    assert SITE.policy.visits is not None
    assert not SITE.policy.visits.recording
    assert not SITE.allows("record", "visits", "time")
