"""Made-in-China.com: faithful to what was published, its contradictions show, and the strict reading holds."""

from __future__ import annotations

import pytest

from tests.policies import SitePolicy
from troth.policy.compile import compile_policy
from troth.policy.notice import notice

SITE = SitePolicy("made-in-china")
PERSON = ("full_name", "email")
COMPANY = (
    "company_name",
    "company_location",
    "company_phone",
    "company_fax",
    "company_website",
    "company_description",
    "company_type",
    "company_turnover",
    "company_employees",
)
PROFILE = (*PERSON, *COMPANY)
TRAFFIC = ("ip_address", "computer_code", "page")
GROUNDS = ("legal_process", "our_rights", "terms", "protection")
STAFF_REASONS = ("administration", "maintenance", "servicing", "improvement")


def test_the_finding_of_a_broken_never_names_everything_that_breaks_it() -> None:
    messages = {finding.key: finding.message for finding in SITE.published.findings}
    nobody = messages["E-01 absolutes.shared_with_nobody"]
    for broken_by in ("recipients.advertisers", "recipients.business_partners", "recipients.sponsors"):
        assert broken_by in nobody
    assert "legal.running_the_services" in messages["E-01 absolutes.profile_private"]
    assert "purposes.administration" in messages["E-01 absolutes.only_you"]


@pytest.mark.parametrize("language", ["en", "zh-Hant"])
def test_the_notice_answers_eight_questions(language: str) -> None:
    asked = [answer.question.say(language) for answer in SITE.policy.policy.answers]
    made = notice(SITE.compiled, language, checked=SITE.effective)
    answered = {section.heading: section.items for section in made.sections}
    assert len(set(asked)) == 8
    assert all(answered[question] for question in asked)


def test_registration_asks_for_two_details_of_the_person_and_nine_of_the_company() -> None:
    register = SITE.policy.collection["register"]
    assert sorted(register.required) == sorted(PROFILE)
    assert register.optional == ()
    facts = "source:registration"
    assert SITE.allows("collect", "register", PROFILE, facts, people="member")
    assert not SITE.allows("collect", "register", (*PROFILE, "birth_date"), facts, people="member")


def test_a_profile_is_written_at_registration_only() -> None:
    for point, entry in SITE.policy.collection.items():
        for field in PROFILE:
            asked = SITE.allows("collect", point, [field], f"source:{entry.source} registered", people="member")
            assert asked == (point == "register")


def test_membership_statistics_read_no_single_member() -> None:
    assert SITE.allows("count", "statistics:membership", "company_type company_location")
    assert not SITE.allows("read", "membership_statistics", "company_type", people="member")


def test_a_profile_goes_to_nobody_without_a_case_or_a_permission() -> None:
    recipients = (*SITE.policy.recipients, "somebody")
    purposes = (*SITE.policy.purposes, *(f"legal:{ground}" for ground in SITE.policy.legal))
    for recipient in recipients:
        for purpose in purposes:
            facts = f"safeguard:{recipient} registered role:administrator consent:{purpose}"
            assert not any(SITE.allows("disclose", purpose, [f], facts, recipient, "member") for f in PROFILE)


def test_a_partner_gets_a_profile_for_marketing_after_the_members_own_permission() -> None:
    for partner, other in (("business_partners", "sponsors"), ("sponsors", "business_partners")):
        facts, fields = f"safeguard:{partner} consent:@{partner}", "full_name email company_name"
        assert SITE.allows("disclose", "partner_marketing", fields, facts, partner, "member")
        assert not SITE.allows("disclose", "partner_marketing", f"{fields} company_phone", facts, partner, "member")
        assert not SITE.allows("disclose", "research", fields, facts, partner, "member")
        permitted_another = f"safeguard:{partner} consent:@{other}"
        assert not SITE.allows("disclose", "partner_marketing", fields, permitted_another, partner, "member")


def test_each_good_faith_ground_opens_its_own_case_and_a_fifth_opens_none() -> None:
    for ground in GROUNDS:
        assert SITE.allows("disclose", f"legal:{ground}", PROFILE, f"legal:{ground}", "authority", "member")
        assert not SITE.allows("disclose", f"legal:{ground}", PROFILE, "", "authority", "member")
        assert {"belief", "approver", "evidence"} <= set(SITE.policy.legal[ground].needs)
    assert not SITE.allows("disclose", "legal:curiosity", PROFILE, "legal:curiosity", "authority", "member")


def test_published_words_alone_let_no_partner_have_anything() -> None:
    published = SITE.published.published
    assert published is not None
    forbids = {rule.id for rule in compile_policy(published).rules.rules if rule.effect == "forbid"}
    assert {"absolutes.profile_private", "absolutes.general_rule", "absolutes.shared_with_nobody"} <= forbids


def test_advertisers_and_partners_get_figures_and_never_a_row() -> None:
    for recipient in ("advertisers", "business_partners"):
        assert SITE.policy.recipients[recipient].receives_aggregates
        for purpose in SITE.policy.purposes:
            facts = f"safeguard:{recipient} consent:@{recipient} consent:{purpose}"
            assert not any(SITE.allows("disclose", purpose, [field], facts, recipient) for field in TRAFFIC)
    shared = {name for entry in SITE.policy.statistics.values() for name in entry.shared_with}
    assert shared == {"advertisers", "business_partners"}


def test_traffic_serves_figures_and_targets_no_member() -> None:
    for purpose in SITE.policy.purposes:
        facts = f"consent:{purpose} role:administrator"
        assert not SITE.allows("read", purpose, "computer_code", facts, people="member")
        assert not SITE.allows("read", purpose, "ip_address", facts, people="visitor")
    assert SITE.allows("count", "statistics:traffic", "page")


def test_staff_look_into_an_account_for_one_of_four_reasons_and_give_nothing_away() -> None:
    for reason in STAFF_REASONS:
        field = SITE.policy.purposes[reason].uses[:1]
        assert SITE.allows("read", reason, field, "role:administrator", people="member")
        assert not SITE.allows("read", reason, field, people="member")
        assert not SITE.allows("disclose", reason, field, "role:administrator", "somebody", "member")
    assert SITE.policy.legal["running_the_services"].act == "read"


def test_addresses_are_cut_and_nothing_is_called_anonymous() -> None:
    visits = SITE.policy.visits
    assert visits is not None
    assert visits.truncate_ip
    assert not visits.claimed_anonymous
    assert not any(data.claimed_anonymous for data in SITE.policy.data.values())


def test_posts_are_public_and_profiles_are_not_merged_into_them() -> None:
    facts = "safeguard:everyone"
    assert SITE.allows("disclose", "trade_board", "trade_post", facts, "everyone", "member")
    for field in PROFILE:
        assert not SITE.allows("disclose", "trade_board", ["trade_post", field], facts, "everyone", "member")
    posts = [point for point in SITE.policy.collection.values() if "trade_post" in point.required]
    assert len(posts) == 2
    assert all(point.warns and point.members_only for point in posts)
