"""Clauses of the five policies that the policy itself decides: what it answers, and what the linter says when it is changed."""

from __future__ import annotations

from functools import cache

from tests.policies import SitePolicy
from troth.decide import Ask
from troth.policy.compile import compile_policy


@cache
def site(name: str) -> SitePolicy:
    return SitePolicy(name)


def test_content_follows_the_declared_attributes_and_no_others() -> None:
    assert site("made-in-china").allows("read", "relevance", "company_type company_location", people="member")
    for other in ("email", "full_name", "company_phone", "company_turnover"):
        assert not site("made-in-china").allows("read", "relevance", other, people="member")
    assert not site("made-in-china").allows("read", "relevance", "company_type", "objection:relevance", people="member")


def test_running_the_site_reads_the_profile_and_an_unrelated_service_reads_nothing() -> None:
    assert site("made-in-china").allows("read", "operate_site", "full_name company_name", people="member")
    assert not site("made-in-china").allows("read", "operate_site", "ip_address", people="member")
    assert not site("made-in-china").allows("read", "auction", "full_name", people="member")


def test_groups_of_members_are_made_of_declared_attributes_and_told_only_with_their_yes() -> None:
    made_in_china = site("made-in-china")
    assert made_in_china.allows(
        "read", "promotion", "company_type company_location", "consent:promotion", people="member"
    )
    assert not made_in_china.allows("read", "promotion", "company_turnover", "consent:promotion", people="member")
    assert made_in_china.allows("send", "promotion", "email", "consent:promotion", "new_services", "member")
    assert not made_in_china.allows("send", "promotion", "email", "", "new_services", "member")


def test_proof_of_identity_and_payment_are_used_for_an_open_transaction_only() -> None:
    for purpose, field, case in (
        ("identity_check", "identity_evidence", "case:request"),
        ("payment", "payment_reference", "case:order"),
    ):
        assert site("infortrend").allows("read", purpose, field, case)
        assert not site("infortrend").allows("read", purpose, field)
        assert not site("infortrend").allows("read", purpose, field, "case:ticket")
        assert not site("infortrend").allows("read", "product_news", field, f"{case} consent:product_news")


def test_settings_are_tailored_only_for_those_who_agreed_to_just_that() -> None:
    asked = ("read", "tailoring", "page_settings")
    assert site("infortrend").allows(*asked, "consent consent:tailoring", people="customer")
    assert not site("infortrend").allows(*asked, people="customer")
    assert not site("infortrend").allows(*asked, "consent:product_news", people="customer")
    assert not site("infortrend").allows(*asked, "consent:tailoring objection:tailoring", people="customer")


def test_customers_details_come_from_themselves_for_buying_delivery_and_invoicing() -> None:
    ledflex = site("ledflex")
    bought = "full_name email phone office_address order_lines"
    assert ledflex.allows("collect", "place_order", bought, "source:provided", people="customer")
    for source in ("source:partner partner:crm", "source:bought_list", ""):
        assert not ledflex.allows("collect", "place_order", bought, source, people="customer")
    assert all(point.kind != "import" for point in ledflex.policy.collection.values())
    imported = {"label": "List", "kind": "import", "people": "customer", "required": ["email"], "for": ["fulfil_order"]}
    changed = ledflex.edited(
        {"collection.bought_in": imported | {"source": "partner", "partners": ["crm"]}}, decided=True
    )
    assert "E-01 absolutes.all_from_you" in {finding.key for finding in changed.findings}
    assert changed.policy is not None
    assert not compile_policy(changed.policy).policy.collection["place_order"].partners


def test_only_the_cookie_that_the_site_needs_is_set_without_a_yes() -> None:
    ledflex = site("ledflex")
    assert ledflex.allows("cookie", "site_cookie", "")
    for cookie, purpose in (("recognition_cookie", "recognition"), ("analytics_cookie", "analytics")):
        assert not ledflex.allows("cookie", cookie, "")
        assert ledflex.allows("cookie", cookie, "", f"consent:{purpose}")
        assert not ledflex.allows("cookie", cookie, "", "consent:marketing")


def test_product_information_takes_a_consent_of_its_own() -> None:
    sent = ("send", "product_news", "email")
    assert site("infortrend").allows(*sent, "consent:product_news", "product_information")
    for facts in ("", "case:order case:request", "consent:tailoring", "consent:@business_partners", "consent"):
        assert not site("infortrend").allows(*sent, facts, "product_information")
    assert not site("infortrend").allows(*sent, "consent:product_news objection:product_news", "product_information")


def test_an_affiliate_markets_nothing_without_a_consent_for_itself() -> None:
    """Until the operator says what it receives, and for what, it gets nothing; then it waits for the person's yes to it."""
    infortrend, affiliate = site("infortrend"), "affiliates_own_marketing"
    every = " ".join(f"consent:{key}" for key in infortrend.policy.purposes)
    safe = f"safeguard:{affiliate} case:order case:request"
    for purpose in infortrend.policy.purposes:
        assert not infortrend.allows("disclose", purpose, "email", f"{safe} {every}", affiliate, "customer")
    named = infortrend.policy.recipients[affiliate].model_copy(
        update={"receives": ("email",), "for_": ("product_news",), "consideration": "none"}
    )
    recipients = {**infortrend.policy.recipients, affiliate: named}
    compiled = compile_policy(infortrend.policy.model_copy(update={"recipients": recipients}))

    def allowed(facts: str) -> bool:
        ask = Ask("disclose", "product_news", frozenset({"email"}), "customer", affiliate, frozenset(facts.split()))
        return compiled.decide(ask).allowed

    assert not allowed(f"{safe} {every}")
    assert not allowed(f"{safe} {every} consent:@business_partners")
    assert allowed(f"{safe} consent consent:@{affiliate}")


def test_partners_get_data_for_a_business_that_is_open_and_for_no_other() -> None:
    infortrend = site("infortrend")
    safe = "safeguard:business_partners consent:@business_partners consent"
    to = ("business_partners", "customer")
    fields = " ".join(infortrend.policy.recipients["business_partners"].receives)
    assert infortrend.allows("disclose", "requested_transactions", fields, f"{safe} case:order", *to)
    assert not infortrend.allows("disclose", "requested_transactions", fields, safe, *to)
    assert not infortrend.allows("disclose", "requested_transactions", fields, "case:order", *to)
    assert not infortrend.allows("disclose", "product_news", fields, f"{safe} case:order", *to)
