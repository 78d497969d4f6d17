"""Optokingdom: the policy is faithful to what was published, its defects show, and the decisions settle each of them."""

from __future__ import annotations

from tests.policies import SitePolicy

SITE = SitePolicy("optokingdom")
PROFILE = ("full_name", "address", "phone", "email")
VISIT = ("ip_address", "language", "visit_count", "clicked_pages")
EVERY_CASE = "case:order case:paid_order case:ticket"
LEGAL = (
    "law_enforcement",
    "subpoena",
    "court_order",
    "other_law",
    "our_rights",
    "our_agreements",
    "protection",
    "fraud",
)


def test_questions_without_a_contact_keep_the_policy_from_being_served() -> None:
    assert "E-13 operator.email" in {finding.key for finding in SITE.published.unsettled}
    assert SITE.policy.operator.email


def test_an_answer_time_that_nobody_promised_comes_from_the_law() -> None:
    assert SITE.effective.origin(("rights", "erasure", "answer within")).startswith("law eu-gdpr")
    assert SITE.effective.origin(("erasure", "destroy within")).startswith("decision E-05 erasure")


def test_visit_data_serves_the_shop_and_no_delivery() -> None:
    assert SITE.allows("read", "shop_service", VISIT)
    assert not SITE.allows("read", "delivery", VISIT, EVERY_CASE, people="customer")
    assert not SITE.allows("read", "own_marketing", VISIT, "consent:own_marketing", people="customer")


def test_the_courier_gets_name_phone_and_address_of_a_paid_order_and_nothing_else() -> None:
    facts = "case:paid_order safeguard:courier"
    assert SITE.allows("disclose", "delivery", "full_name phone address", facts, "courier", "customer")
    assert not SITE.allows("disclose", "delivery", "full_name phone address email", facts, "courier", "customer")
    unpaid = "case:order safeguard:courier"
    assert not SITE.allows("disclose", "delivery", "full_name phone address", unpaid, "courier", "customer")


def test_no_provider_gets_a_field_beyond_its_own_task() -> None:
    allowed = {"courier": {"full_name", "phone", "address"}, "card_finance": {"card_token"}, "service_providers": set()}
    for provider, fields in allowed.items():
        for purpose in SITE.policy.purposes:
            for field in set(SITE.policy.data) - fields:
                facts = f"{EVERY_CASE} safeguard:{provider} consent:{purpose}"
                assert not SITE.allows("disclose", purpose, [field], facts, provider, "customer")


def test_orders_and_help_need_an_order_or_a_question() -> None:
    assert SITE.allows("read", "order", PROFILE, "case:order", people="customer")
    assert not SITE.allows("read", "order", PROFILE, people="customer")
    assert SITE.allows("read", "customer_service", PROFILE, "case:ticket role:customer_service", people="customer")
    assert not SITE.allows("read", "customer_service", PROFILE, "role:customer_service", people="customer")


def test_site_improvement_never_leaves_the_house() -> None:
    assert SITE.allows("read", "site_improvement", "language clicked_pages", "consent:site_improvement")
    for recipient in (*SITE.policy.recipients, "somebody"):
        facts = f"{EVERY_CASE} consent:site_improvement safeguard:{recipient}"
        assert not SITE.allows("disclose", "site_improvement", "language", facts, recipient)


def test_nobody_reads_single_visits_for_statistics() -> None:
    assert SITE.allows("count", "statistics:marketplace", "language")
    assert not SITE.allows("read", "marketplace_statistics", "language")
    assert SITE.policy.statistics["marketplace"].minimum_cell == 5


def test_whoever_pays_or_is_not_listed_gets_nothing() -> None:
    for recipient in ("data_broker", "competitor"):
        facts = f"{EVERY_CASE} safeguard:{recipient}"
        assert not any(SITE.allows("disclose", p, "full_name", facts, recipient) for p in SITE.policy.purposes)
    given = f"{EVERY_CASE} safeguard:courier"
    assert not SITE.allows("disclose", "delivery", "phone", f"{given} consideration", "courier", "customer")
    licensed = SITE.edited({"recipients.courier.consideration": "licence"}, decided=False)
    assert "E-01 absolutes.never_sell" in {finding.key for finding in licensed.unsettled}


def test_a_legal_disclosure_needs_its_own_recorded_case() -> None:
    for ground in LEGAL:
        assert SITE.allows("disclose", f"legal:{ground}", PROFILE, f"legal:{ground}", "authority")
        assert not SITE.allows("disclose", f"legal:{ground}", PROFILE, "", "authority")
        assert {"reference", "approver"} <= set(SITE.policy.legal[ground].needs)


def test_the_card_number_is_accepted_nowhere_and_its_token_only_to_pay() -> None:
    assert "card" in SITE.compiled.never_stored
    for point, entry in SITE.policy.collection.items():
        assert not SITE.allows("collect", point, "card", f"source:{entry.source}", people=entry.people)
        assert "card" not in entry.required + entry.optional
    assert SITE.policy.purposes["payment"].uses == ("card_token",)


def test_registration_asks_for_five_things_and_no_sixth() -> None:
    register = SITE.policy.collection["register"]
    assert set(register.required + register.optional) == {*PROFILE, "card_token"}
    assert not SITE.allows("collect", "register", "review", "source:registration", people="customer")


def test_offers_reach_those_who_chose_them() -> None:
    assert SITE.allows("send", "own_marketing", "email", "consent:own_marketing", "own_offers")
    assert not SITE.allows("send", "own_marketing", "email", "registered", "own_offers")
    refused = "consent:own_marketing objection:own_marketing"
    assert not SITE.allows("send", "own_marketing", "email", refused, "own_offers")
