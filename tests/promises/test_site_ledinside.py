"""LEDinside: the policy is faithful to what was published, its defects show, and the decisions settle each of them."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.policies import SitePolicy, errors
from troth.decide import Ask
from troth.policy.compile import compile_policy

REGISTRATION = {"name", "email", "birth_date", "gender", "job", "industry", "interest"}
PURPOSES = {"advertising", "content_improvement", "product_request", "notification"}

SITE = SitePolicy("ledinside")


def allowed(act: str, purpose: str, fields: str, to: str = "", facts: str = "", people: str = "member") -> bool:
    return SITE.allows(act, purpose, fields, facts, to, people)


def test_as_published_nobody_is_given_anything_and_no_visit_is_recorded() -> None:
    published = SITE.published.policy
    assert published is not None
    rules = compile_policy(published)
    for recipient, purpose, field in product(published.recipients, published.purposes, published.data):
        facts = frozenset({f"consent:@{recipient}", f"safeguard:{recipient}", "case:request", f"consent:{purpose}"})
        assert not rules.decide(Ask("disclose", purpose, frozenset({field}), "member", recipient, facts)).allowed
    assert not rules.decide(Ask("record", "visits", frozenset({"page"}), "visitor")).allowed


def test_taiwan_law_supplies_the_rights_that_the_policy_lacks() -> None:
    policy = SITE.policy
    times = {right.right: str(right.answer_within) for right in policy.rights.values() if right.answer_within}
    assert times == {
        "access": "15 days", "copy": "15 days", "correction": "30 days", "erasure": "30 days", "restriction": "30 days",
        "stop marketing": "30 days",
    }  # fmt: skip
    assert all(SITE.effective.origin(("rights", key)).startswith("law tw-pdpa") for key in policy.rights)


def test_a_policy_without_an_address_to_write_to_is_not_served() -> None:
    assert "E-13 operator.email" in errors(SITE.published)
    assert SITE.policy.operator.email == "privacy@ledinside.example"


def test_registration_asks_for_seven_details_and_takes_no_eighth() -> None:
    policy = SITE.policy
    point = policy.collection["registration"]
    assert set(point.required + point.optional) == REGISTRATION
    source = f"source:{point.source}"
    assert allowed("collect", "registration", " ".join(REGISTRATION), facts=source)
    for other in (set(policy.data) | {"passport"}) - REGISTRATION:
        assert not allowed("collect", "registration", f"email {other}", facts=source)


@given(st.text(max_size=40), st.sampled_from(["read", "count", "read_visits"]))
def test_a_purpose_off_the_list_reads_nothing(purpose: str, act: str) -> None:
    if purpose in PURPOSES:
        return
    for field in REGISTRATION:
        everything = "case:request registered consent:advertising"
        assert not allowed(act, purpose, field, facts=everything)


def test_the_purposes_are_those_of_the_closed_list() -> None:
    policy = SITE.policy
    assert set(policy.purposes) == PURPOSES
    assert set(policy.absolutes["three_purposes"].for_) == PURPOSES
    more = {"label": "credit scoring", "basis": "contract", "uses": ["name"]}
    scoring = SITE.edited({"purposes.credit_scoring": more}, decided=True)
    assert "purposes.credit_scoring" in next(f.message for f in scoring.unsettled if f.rule == "E-01")
    assert scoring.policy is not None
    ask = Ask("read", "credit_scoring", frozenset({"name"}), "member")
    assert compile_policy(scoring.policy).decide(ask).because == ("absolutes.three_purposes",)


def test_advertisers_see_no_data_and_suggestions_serve_the_content_only() -> None:
    policy = SITE.policy
    for purpose, field in product(policy.purposes, policy.data):
        facts = f"consent:{purpose} consent:@advertisers safeguard:advertisers case:request"
        assert not allowed("disclose", purpose, field, "advertisers", facts)
    assert allowed("read", "content_improvement", "suggestion")
    assert not allowed("read", "notification", "suggestion", facts="registered")


def test_a_product_request_is_read_while_it_is_open() -> None:
    assert allowed("read", "product_request", "name email product_request", facts="case:request")
    assert not allowed("read", "product_request", "name email product_request")
    assert not allowed("read", "product_request", "name email product_request", facts="case:order")


@pytest.mark.parametrize("price", ["money", "rent", "barter", "licence", "not stated"])
def test_a_recipient_that_gives_something_in_return_is_given_nothing(price: str) -> None:
    receives = {"receives": ["name", "email"], "country": "TW", "consideration": price}
    provider = SITE.effective.document.tree["recipients"]["service_provider"] | receives
    paid = SITE.edited({"recipients.service_provider": provider})
    assert paid.policy is not None
    facts = frozenset({"case:request", "safeguard:service_provider", "consent:@service_provider"})
    ask = Ask("disclose", "product_request", frozenset({"email"}), "member", "service_provider", facts)
    assert not compile_policy(paid.policy).decide(ask).allowed
    sold = next(f for f in paid.findings if f.key == "E-01 absolutes.never_sold")
    assert ("recipients.service_provider" in sold.message) == (price != "not stated")


def test_nothing_leaves_but_on_a_listed_ground_with_its_facts() -> None:
    policy = SITE.policy
    given_to = set()
    facts = {"consent:@consented_party", "case:request", "safeguard:consented_party", "safeguard:service_provider"}
    for recipient, purpose, field in product(policy.recipients, (*policy.purposes, "resale"), policy.data):
        if allowed("disclose", purpose, field, recipient, " ".join(facts)):
            given_to.add((recipient, purpose, field))
        assert not allowed("disclose", purpose, field, recipient)
    assert given_to == {
        ("consented_party", "notification", "name"),
        ("consented_party", "notification", "email"),
        ("service_provider", "product_request", "name"),
        ("service_provider", "product_request", "email"),
        ("service_provider", "product_request", "product_request"),
    }


def test_consent_to_one_party_opens_no_other() -> None:
    safe = "safeguard:consented_party"
    assert allowed("disclose", "notification", "email", "consented_party", f"{safe} consent:@consented_party")
    assert not allowed("disclose", "notification", "email", "consented_party", f"{safe} consent:@service_provider")


def test_an_advertiser_without_a_policy_of_its_own_is_an_error() -> None:
    unlinked = errors(SITE.published)
    assert "E-18 recipients.advertisers" in unlinked


def test_own_cookies_are_closed_to_everybody_even_in_a_legal_case() -> None:
    policy = SITE.policy
    for recipient, purpose in product(policy.recipients, (*policy.purposes, "legal:law_or_agency")):
        facts = f"safeguard:{recipient} consent:@{recipient} consent:{purpose} case:request legal:law_or_agency"
        assert not allowed("disclose", purpose, "cookie_id", recipient, facts)
    assert allowed("disclose", "legal:law_or_agency", "email", "government_agency", "legal:law_or_agency")


def test_services_are_for_members_only() -> None:
    sourced = "source:service_use"
    assert not allowed("collect", "product_request", "email product_request", facts=sourced)
    assert allowed("collect", "product_request", "email product_request", facts=f"{sourced} registered")
