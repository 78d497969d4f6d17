"""What Infortrend promises, through its pages, its programs and its worker."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.doors import Opening, Operator, checked
from tests.served import boxes_of
from troth.collection import Submission, collect
from troth.consent.actions import choices
from troth.consent.rules import facts_of
from troth.consent.tables import choice
from troth.decide import Ask
from troth.errors import InvalidInput
from troth.evidence.prove import prove
from troth.people.shapes import shape_ids
from troth.people.tables import holding, person
from troth.rights.tables import request
from troth.verdicts import Verdict
from troth.visits.partitions import days_present
from troth.web.members import cookie_name

CONTACT = "full_name email business_address"


@pytest.fixture
def office(operator: Opening) -> Operator:
    return operator("infortrend")


def verdict(office: Operator, promise: str) -> Verdict:
    return next(one.proof.verdict for one in prove(office.site).proven if one.promise.id == promise)


@pytest.mark.clause("I1")
def test_every_flow_is_on_the_notice_and_one_from_elsewhere_breaks_the_policy(office: Operator) -> None:
    policy, page = office.site.policy().policy, office.get().text
    flows = {f"collection.{key}" for key, one in policy.collection.items() if one.kind != "visit"}
    assert all(f'"promise-{one}"' in page for one in flows | {f"recipients.{key}" for key in policy.recipients})
    assert office.submit("scraper", {"email": "ann@shop.example"}).status_code == 404
    ann = office.take("contact").person
    assert verdict(office, "policy") == "kept"
    with office.site.writing() as conn:
        elsewhere = shape_ids(conn, "scraper", "the web", ["email"])["email"]
        conn.execute(holding.update().where(holding.c.person_id == ann).values(shape_id=elsewhere))
    assert verdict(office, "policy") == "broken"


@pytest.mark.clause("I5")
@pytest.mark.parametrize(
    ("point", "field", "purpose", "kind"),
    [
        ("identity_supplement", "identity_evidence", "identity_check", "request"),
        ("payment_supplement", "payment_reference", "payment", "order"),
    ],
)
def test_a_supplement_is_taken_and_used_while_the_business_it_completes_is_open(
    office: Operator, point: str, field: str, purpose: str, kind: str
) -> None:
    office.join("register", {"email": "ann@shop.example"})
    ann = office.person()
    assert office.send_form(point, {field: "number 7"}).status_code == 403
    office.done("open-dealing", person=ann, kind=kind, number="A-1")
    assert office.send_form(point, {field: "number 7"}).status_code == 200
    office.agree(ann, "product_news")
    assert office.reads(ann, purpose, field, case="A-1")
    assert not office.reads(ann, "product_news", field)
    office.done("close-dealing", kind=kind, number="A-1")
    office.done("open-dealing", person=ann, kind="ticket", number="T-1")
    assert not office.reads(ann, purpose, field)
    assert office.send_form(point, {field: "number 8"}).status_code == 403


@pytest.mark.clause("I13")
def test_what_is_known_of_fraud_is_for_those_who_prevent_it_and_of_no_use_to_marketing(office: Operator) -> None:
    watched = Submission("security_watch", {"security_event": "three wrong passwords"}, "event-1")
    seen = collect(office.site, watched).person_id  # what is watched comes in through no door
    with pytest.raises(InvalidInput):
        collect(office.site, replace(watched, values={**watched.values, "full_name": "Ann Other"}, key="event-2"))
    office.agree(seen, "product_news")
    for purpose in ("fraud_prevention", "security"):
        assert office.reads(seen, purpose, "security_event", role="security")
        assert not office.reads(seen, purpose, "security_event", role="human resources")
        assert not office.reads(seen, purpose, "security_event")
    for purpose in ("product_news", "tailoring", "requested_transactions", "recruitment"):
        assert not office.reads(seen, purpose, "security_event", role="security")


ABROAD = ("decisions.yaml", "business_partners.country: TW", "business_partners.country: JP")
HELD = ("policy.yaml", "held by: [affiliates]", "held by: [business_partners]")
UNLISTED = """  - settles: E-02 transfers.may move to
    because: No country is listed, so data stays in Taiwan.
    by: privacy lead
    on: 2026-11-03
"""
LISTED = (
    ("policy.yaml", 'may move to: "[List of countries]"', "may move to: [JP]"),
    ("decisions.yaml", UNLISTED, ""),
)


def to_partner(office: Operator, purpose: str = "requested_transactions", fields: str = "email", **case: str) -> bool:
    """Whether a customer's data may go to the partner, with all that a person and an order can say for it."""
    ordered = office.take("order")
    scopes = (key for key, one in office.site.policy().policy.purposes.items() if one.basis == "consent")
    office.agree(ordered.person, *scopes)
    return office.gives(ordered.person, "business_partners", purpose, fields, **({"case": ordered.case} | case))


@pytest.mark.clause("I18")
def test_an_unfilled_list_of_countries_is_an_error_and_data_moves_to_none(operator: Opening, tmp_path: Path) -> None:
    assert "E-02 transfers.may move to" in checked("infortrend", tmp_path, ("decisions.yaml", UNLISTED, ""))
    assert not to_partner(operator("infortrend", ABROAD, HELD))


@pytest.mark.clause("I18")
def test_data_moves_to_a_country_once_the_policy_lists_it(operator: Opening) -> None:
    assert to_partner(operator("infortrend", ABROAD, HELD, *LISTED))


LISTED_AFFILIATE = (
    ("policy.yaml", 'name: "[List of affiliates and their purpose for processing]"', "name: Infortrend Europe"),
    ("decisions.yaml", "  - settles: E-02 recipients.affiliates.name\n", "  - settles: E-21 recipients.affiliates\n"),
    ("decisions.yaml", "recipients.affiliates.receives: []}", "recipients.affiliates.receives: [email], "
     "recipients.affiliates.country: TW, recipients.affiliates.consideration: none, "
     "recipients.affiliates.agreement: DPA-2026-02}"),
    ("decisions.yaml", "  - settles: [E-18 recipients.affiliates, E-21 recipients.affiliates,\n"
     "      E-21 recipients.affiliates.why essential]", "  - settles: [E-21 recipients.affiliates.why essential]"),
)  # fmt: skip


@pytest.mark.clause("I21", "I22")
def test_an_affiliate_that_nobody_listed_gets_nothing_whatever_people_agreed_to(
    office: Operator, tmp_path: Path
) -> None:
    unsettled = ("decisions.yaml", "  - settles: E-02 recipients.affiliates.name\n", "  - settles: E-23 policy\n")
    assert "E-02 recipients.affiliates.name" in checked("infortrend", tmp_path, unsettled)
    ordered = office.take("order")
    policy = office.site.policy().policy
    assert not office.reads(ordered.person, "responsive_service", "email")
    office.agree(ordered.person, "responsive_service", "affiliate_marketing", "@affiliates_own_marketing")
    assert office.reads(ordered.person, "responsive_service", "email"), "by ourselves, as they agreed"
    for affiliate in ("affiliates", "affiliates_own_marketing"):
        for purpose in policy.purposes:
            given = [office.gives(ordered.person, affiliate, purpose, field) for field in CONTACT.split()]
            assert not any(given), (affiliate, purpose)
    assert (
        office.act("disclose", person=ordered.person, recipient="some_affiliate", purpose="payment").status_code == 422
    )


@pytest.mark.clause("I21")
def test_a_listed_affiliate_gets_data_for_what_it_is_listed_for_and_for_nothing_else(operator: Opening) -> None:
    office = operator("infortrend", *LISTED_AFFILIATE)
    ordered = office.take("order")
    office.agree(ordered.person, "responsive_service", "affiliate_marketing")
    assert office.gives(ordered.person, "affiliates", "requested_transactions", "email", case=ordered.case)
    assert not office.gives(ordered.person, "affiliates", "responsive_service", "email")
    assert not office.gives(ordered.person, "affiliates", "requested_transactions", "full_name", case=ordered.case)


@pytest.mark.clause("I15")
@pytest.mark.parametrize("point", ["promotion", "subscribe"])
def test_the_box_for_product_news_is_empty_until_somebody_ticks_it_and_only_then_it_is_sent(
    office: Operator, point: str
) -> None:
    assert boxes_of(office.get(f"forms/{point}").text) == {"choice.product_news": False}
    for name, ticked in (("ann", {}), ("bob", {"choice.product_news": "yes"})):
        sent = office.send_form(point, {"email": f"{name}@shop.example"}, **ticked)
        assert sent.status_code == 200
    wrong = office.send_form(point, {"email": "no address"})
    assert wrong.status_code == 422 and boxes_of(wrong.text) == {"choice.product_news": False}
    news = {"class": "product_information", "subject": "Storage", "words": "We have new storage."}
    office.done("send-to-everybody", **news)
    office.later(hours=1)
    told = [one.message["To"] for one in office.mailbox.messages() if "new storage" in one.body("plain")]
    assert told == ["bob@shop.example"]


@pytest.mark.clause("I9")
def test_a_customer_who_only_looks_at_pages_has_agreed_to_nothing(office: Operator) -> None:
    office.join("register", {"email": "ann@shop.example", "full_name": "Ann Other"})
    for page in ("", "forms", "forms/order", "privacy", "versions", "account"):
        assert office.get(page).status_code == 200, page
    office.turn()
    ann = office.person()
    assert office.count(choice) == 0
    for purpose in ("product_news", "responsive_service", "business_relationship"):
        assert not office.reads(ann, purpose, "full_name"), purpose
        office.agree(ann, purpose)
        assert office.reads(ann, purpose, "full_name"), "once they say so themselves"


@pytest.mark.clause("I10")
@pytest.mark.parametrize("point", ["order", "promotion", "subscribe", "register"])
def test_what_somebody_hands_in_agrees_to_nothing_that_they_have_not_ticked(office: Operator, point: str) -> None:
    assert office.send_form(point, office.answers(point)).status_code == 200
    office.turn()
    if point == "register":
        office.confirm("ann@shop.example")
    ann, policy = office.person(), office.site.policy().policy
    assert office.count(choice) == 0
    for purpose in (key for key, one in policy.purposes.items() if one.basis == "consent"):
        assert not any(office.reads(ann, purpose, field) for field in policy.purposes[purpose].uses), purpose
    for affiliate in ("affiliates", "affiliates_own_marketing"):
        assert not office.gives(ann, affiliate, "affiliate_marketing", "email")


MARKETS = "recipients.affiliates_own_marketing."
MARKETING_AFFILIATE = (
    ("decisions.yaml", "affiliates.agreement: DPA-2026-02}",
     "affiliates.agreement: DPA-2026-02, recipients.affiliates.consent: itself}"),
    ("decisions.yaml", f"{MARKETS}receives: [], ", f"{MARKETS}receives: [email], {MARKETS}country: TW, "
     f"{MARKETS}consideration: none, {MARKETS}agreement: DPA-2026-03, "),
    ("decisions.yaml", "legal_action, affiliates_own_marketing]", "legal_action, affiliate_marketing]"),
)  # fmt: skip


@pytest.mark.clause("I22")
def test_an_affiliate_markets_to_those_who_agreed_to_that_very_affiliate_and_while_they_do(operator: Opening) -> None:
    office = operator("infortrend", *LISTED_AFFILIATE, *MARKETING_AFFILIATE)
    ann, policy = office.take("order").person, office.site.policy().policy
    asked = (ann, "affiliates_own_marketing", "affiliate_marketing", "email")
    assert not office.gives(*asked)
    ours = (key for key, one in policy.purposes.items() if one.basis == "consent")
    office.agree(ann, *ours, "@affiliates")
    assert not office.gives(*asked), "a yes to us, to the use and to another affiliate is none to this one"
    office.agree(ann, "@affiliates_own_marketing")
    assert office.gives(*asked)
    office.clock.move(timedelta(seconds=1))
    office.done("withdraw-consent", person=ann, about="@affiliates_own_marketing", channel="letter")
    assert not office.gives(*asked)


@pytest.mark.clause("I23")
def test_looking_at_pages_leaves_nothing_personal(office: Operator) -> None:
    office.looked_at("", "forms", "forms/contact", "account/login")
    with office.site.reading() as conn:
        assert days_present(conn) == []
    assert office.count(person) == office.count(holding) == 0
    assert verdict(office, "visits.records") == "kept"


SCRAPER = """
  scraper: {label: A list, source: a list, people: enquirer, required: [email], for: [requested_transactions]}
"""


@pytest.mark.clause("I23")
def test_a_way_in_that_the_promise_does_not_name_takes_nothing_even_when_it_is_declared(operator: Opening) -> None:
    office = operator("infortrend", ("policy.yaml", "\nrecipients:\n", f"{SCRAPER}\nrecipients:\n"))
    answer = office.submit("scraper", {"email": "ann@shop.example"})
    assert answer.status_code == 403 and answer.json()["because"] == ["absolutes.only_when_asked"]
    assert office.count(person) == 0


@pytest.mark.clause("I25", "I27")
def test_the_partner_gets_data_to_fulfil_an_open_request_and_for_nothing_else(office: Operator) -> None:
    ordered, policy = office.take("order"), office.site.policy().policy
    office.agree(ordered.person, *(key for key, one in policy.purposes.items() if one.basis == "consent"))
    asked = (ordered.person, "business_partners")
    assert office.gives(*asked, "requested_transactions", CONTACT, case=ordered.case)
    for purpose in set(policy.purposes) - {"requested_transactions"}:
        assert not any(office.gives(*asked, purpose, field, case=ordered.case) for field in CONTACT.split()), purpose
    office.done("close-dealing", kind="order", number=ordered.case)
    office.done("open-dealing", person=ordered.person, kind="ticket", number="T-1")
    assert not office.gives(*asked, "requested_transactions", CONTACT)
    office.done("open-dealing", person=ordered.person, kind="request", number="R-1")
    assert office.gives(*asked, "requested_transactions", CONTACT)


@pytest.mark.clause("I25")
def test_the_business_relationship_is_supported_with_the_data_of_those_who_agreed_to_it_and_while_they_do(
    office: Operator,
) -> None:
    ann, bob = (office.take("order", email=f"{one}@shop.example").person for one in ("ann", "bob"))
    for one in (ann, bob):
        assert not office.reads(one, "business_relationship", CONTACT)
    office.agree(ann, "business_relationship")
    assert office.reads(ann, "business_relationship", CONTACT)
    assert not office.reads(bob, "business_relationship", "email")
    assert not office.gives(ann, "business_partners", "business_relationship", "email"), "that takes an open request"
    office.clock.move(timedelta(seconds=1))
    office.done("withdraw-consent", person=ann, about="business_relationship", channel="letter")
    assert not office.reads(ann, "business_relationship", "email")


WIDER = "recipients.business_partners.for: [requested_transactions"
MORE = ("decisions.yaml", WIDER, f"{WIDER}, business_relationship")


@pytest.mark.clause("I27")
def test_a_partner_that_is_written_in_for_more_gets_no_more_until_the_promise_says_so(
    operator: Opening,
) -> None:
    assert not to_partner(operator("infortrend", MORE), "business_relationship", case="")


ON_RECORD = dict.fromkeys(("reference", "approver", "law cited"), "on file")
PROCESS = "data: [everything]\n    from: {en: law or legal process"


@pytest.mark.clause("I27")
def test_the_law_opens_a_disclosure_with_everything_on_record_and_never_without(office: Operator) -> None:
    ann = office.take("order").person
    asked = (ann, "business_partners", "legal_action", "email")
    for lacking in ON_RECORD:
        assert not office.gives_in_case(*asked, {**ON_RECORD, lacking: " "}), lacking
    assert not office.gives_in_case(*asked, {})
    assert office.gives_in_case(*asked, ON_RECORD)


@pytest.mark.clause("I27")
def test_the_law_opens_the_data_that_its_ground_is_for_and_no_other(operator: Opening) -> None:
    office = operator("infortrend", ("policy.yaml", PROCESS, PROCESS.replace("everything", "email")))
    asked = (office.take("order").person, "business_partners", "legal_action")
    assert office.gives_in_case(*asked, "email", ON_RECORD)
    for others in ("full_name", "email full_name"):
        assert not office.gives_in_case(*asked, others, ON_RECORD), others


@pytest.mark.clause("I29")
def test_a_cookie_with_an_unfilled_purpose_is_an_error_and_never_set(office: Operator, tmp_path: Path) -> None:
    blanks = "[E-02 cookies.site_cookies.holds, E-02 cookies.site_cookies.for]"
    said = checked("infortrend", tmp_path, ("decisions.yaml", f"  - settles: {blanks}", "  - settles: E-23 policy"))
    assert "E-02 cookies.site_cookies.holds" in said and "E-02 cookies.site_cookies.for" in said
    office.join("register", {"email": "ann@shop.example"})
    for path in ("", "forms", "forms/contact", "privacy", "account"):
        assert office.get(path).status_code == 200
    assert [one.name for one in office.web.cookies.jar] == [cookie_name(office.site)]
    ann, compiled = office.person(), office.site.policy()
    office.agree(ann, *(key for key, one in compiled.policy.purposes.items() if one.basis == "consent"))
    facts = facts_of_choices(office, ann)
    assert compiled.decide(Ask("cookie", "login", frozenset())).allowed
    assert "consent:tailoring" in facts
    assert not compiled.decide(Ask("cookie", "site_cookies", frozenset(), facts=facts)).allowed


def facts_of_choices(office: Operator, person_id: str) -> frozenset[str]:
    with office.site.reading() as conn:
        return facts_of(choices(conn, [person_id], office.site.now()).get(person_id, []))


@pytest.mark.clause("I30")
def test_nothing_is_sold_rented_or_leased_to_the_partner(operator: Opening, tmp_path: Path) -> None:
    free = "recipients.business_partners.consideration: none"
    prices = [("decisions.yaml", free, free.replace("none", price)) for price in ("money", "rent", "licence")]
    assert all("E-01 absolutes.never_sell" in checked("infortrend", tmp_path, price) for price in prices)
    with_a_yes = (
        "decisions.yaml",
        "business_partners.agreement:",
        "business_partners.consent: itself\n      recipients.business_partners.agreement:",
    )
    office = operator("infortrend", prices[1], with_a_yes)
    ordered = office.take("order")
    office.agree(ordered.person, "@business_partners")
    asked = (ordered.person, "business_partners", "requested_transactions", "email")
    assert not office.gives(*asked, case=ordered.case), "not even to somebody who agreed to it"


@pytest.mark.clause("I31")
def test_each_law_that_applies_adds_promises_that_are_shown_and_reported(office: Operator) -> None:
    report, page = prove(office.site), office.get().text
    for law in ("tw-pdpa", "eu-gdpr"):
        added = [one for one in report.proven if one.promise.origin.startswith(f"law {law}")]
        assert added and all(one.sentence and one.proof.limit for one in added)
        assert all(f'"promise-{one.promise.id}"' in page for one in added)


@pytest.mark.clause("I31")
def test_a_request_is_answered_in_the_time_of_the_strictest_law(office: Operator) -> None:
    office.take("order")
    office.mail("Ann <ann@shop.example>", "Please send me a copy of my data.")
    received = office.clock.now()
    office.turn()
    with office.site.reading() as conn:
        (asked,) = conn.execute(select(request)).all()
    assert asked.due_at - received == timedelta(days=15), "the 15 days of Taiwan, not the month of Europe"
