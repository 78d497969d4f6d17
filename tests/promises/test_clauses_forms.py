"""Clauses about what the five operators ask for: each form takes what was promised, from where it was promised, and no more."""

import logging
from collections.abc import Set

import pytest

from tests.promises.clause_sites import Open, answers, chosen, fields_held, fill_in, opened, own
from tests.submissions import counts, keys_made, rows
from troth.agenda.tables import job
from troth.collection import Submission, collect, form
from troth.collection.actions import SECOND_HAND
from troth.errors import InvalidInput, PolicyError, Refused
from troth.messages.publish import publish
from troth.people import vault
from troth.people.tables import holding, shape
from troth.people.vault import By
from troth.store import versions
from troth.store.site import Site

__all__ = ["opened"]

CARD = "4111 1111 1111 1111"


def sources(site: Site) -> set[str]:
    return {row["source"] for row in rows(site, shape)}


def takes_exactly(site: Site, point: str, required: set[str], optional: Set[str] = frozenset()) -> None:
    """The form asks for these, each required one is needed, and anything else is turned away with the rest of it."""
    shown = form(site.policy(), point, "en")
    assert {one.id for one in shown.fields if one.required} == required
    assert {one.id for one in shown.fields if not one.required} == optional
    nothing = counts(site), keys_made(site)
    for missing in required:
        with pytest.raises(InvalidInput) as refused:
            fill_in(site, point, without=missing)
        assert refused.value.problems.keys() == {missing}
    for stranger in ("passport", "mother", "shoe_size"):
        with pytest.raises(InvalidInput):
            fill_in(site, point, **{stranger: "X1234567"})
    assert (counts(site), keys_made(site)) == nothing


def refused_source(site: Site, point: str, *others: str) -> None:
    before = counts(site)["holding"]
    for source in ("", "a bought list", *others):
        with pytest.raises(Refused):
            fill_in(site, point, source=source, key="elsewhere")
    assert counts(site)["holding"] == before


@pytest.mark.clause("L4")
def test_ledinside_takes_data_at_its_four_moments_and_at_no_other(opened: Open) -> None:
    site = opened("ledinside")
    refused_source(site, "registration", "order", "trade_show")
    with pytest.raises(InvalidInput):
        collect(site, Submission("survey", {"email": "ann@shop.example"}, "k"))
    member = fill_in(site, "registration").person_id
    fill_in(site, "product_request", member=member)
    fill_in(site, "campaign", email="bob@shop.example")
    assert sources(site) == {"registration", "service_use", "participation_or_campaign"}
    declared = {point.source for point in site.policy().policy.collection.values() if point.kind != "import"}
    assert declared == {"registration", "service_use", "visit", "participation_or_campaign"}


def test_ledinside_takes_data_of_registered_partners_says_so_and_tells_the_person(opened: Open) -> None:
    site = opened("ledinside")
    for stranger in (None, "a_broker", "advertisers", "consented_party"):
        with pytest.raises(Refused):
            fill_in(site, "partner_import", partner=stranger)
    assert counts(site)["holding"] == counts(site)["job"] == 0
    person_id = fill_in(site, "partner_import", partner="business_partners").person_id
    (stored,) = rows(site, holding)
    (held,) = own(site, person_id)
    assert (held.partner, held.source, held.at) == ("business_partners", "partner", site.now())
    assert held.fields.keys() == {"email", "product_request"}
    assert [(row["kind"], row["ref"]) for row in rows(site, job)] == [(SECOND_HAND, stored["submission"])]


@pytest.mark.clause("L6")
def test_ledinside_registers_with_seven_answers_and_an_eighth_goes_nowhere(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    site = opened("ledinside")
    seven = {"name", "email", "birth_date", "gender", "job", "industry", "interest"}
    shown = form(site.policy(), "registration", "en")
    assert {one.id for one in shown.fields} == seven
    nothing = counts(site), keys_made(site)
    with caplog.at_level(logging.DEBUG), pytest.raises(InvalidInput) as refused:
        fill_in(site, "registration", gender="x", interest="lamps", passport="X1234567")
    assert (counts(site), keys_made(site)) == nothing
    assert "X1234567" not in caplog.text + str(refused.value) + str(refused.value.problems)
    person_id = fill_in(site, "registration", gender="x", interest="lamps").person_id
    assert fields_held(site, person_id).keys() == seven


@pytest.mark.clause("L7")
def test_ledinside_asks_nothing_new_without_a_new_version(opened: Open) -> None:
    site = opened("ledinside")
    policy = site.folder / "policy.yaml"
    text = policy.read_text()
    added = text.replace(
        "\ndata:\n", "\ndata:\n  height: {category: pd:Height, label: {en: height, zh-Hant: 身高}}\n", 1
    )
    added = added.replace(
        "job, industry, interest]\n    for: [advertising", "job, industry, interest, height]\n    for: [advertising", 1
    )
    assert added.count("height") == 3
    policy.write_text(added)
    with pytest.raises(PolicyError):
        publish(site)
    with pytest.raises(InvalidInput):
        fill_in(site, "registration", height="170")
    with pytest.raises(Refused), site.writing() as conn:
        vault.hold(site, conn, person_id=vault.admit(site, conn, "member"), point="registration", source="registration",
                   values={"height": "170"}, told="0" * 64, submission="s", policy=site.policy(conn))  # fmt: skip


@pytest.mark.clause("O5")
def test_optokingdom_registers_with_four_answers_and_a_cards_token_but_never_its_number(opened: Open) -> None:
    site = opened("optokingdom")
    takes_exactly(site, "register", {"full_name", "address", "phone", "email"}, {"card_token"})
    nothing = counts(site), keys_made(site)
    for field in ("card_token", "full_name", "address"):
        with pytest.raises(InvalidInput):
            fill_in(site, "register", **{field: CARD})
    assert (counts(site), keys_made(site)) == nothing
    person_id = fill_in(site, "register").person_id
    assert fields_held(site, person_id).keys() == {"full_name", "address", "phone", "email"}


@pytest.mark.clause("O11")
def test_optokingdoms_checkout_needs_address_and_telephone_and_demands_nothing_else(opened: Open) -> None:
    site = opened("optokingdom")
    takes_exactly(site, "checkout", {"address", "phone"})
    member = fill_in(site, "register").person_id
    receipt = fill_in(site, "checkout", member=member, address="2 Quay Road")
    assert (receipt.person_id, receipt.opened) == (member, "order")


@pytest.mark.clause("M4")
def test_made_in_china_takes_a_profile_at_registration_alone(opened: Open) -> None:
    site = opened("made-in-china")
    refused_source(site, "register", "posting an item", "making an offer")
    member = fill_in(site, "register").person_id
    for point in ("post_item", "make_offer"):
        with pytest.raises(InvalidInput):
            fill_in(site, point, member=member, company_name="Lamps Ltd")
    assert sources(site) == {"registration"}


@pytest.mark.clause("M9", "M10")
def test_made_in_china_registers_a_name_an_address_and_nine_things_about_the_company(opened: Open) -> None:
    site = opened("made-in-china")
    company = {"name", "location", "phone", "fax", "website", "description", "type", "turnover", "employees"}
    takes_exactly(site, "register", {"full_name", "email"} | {f"company_{part}" for part in company})
    assert len(fields_held(site, fill_in(site, "register").person_id)) == 11


@pytest.mark.clause("M32")
def test_made_in_chinas_members_confirm_a_warning_before_they_post(opened: Open) -> None:
    site = opened("made-in-china")
    member = fill_in(site, "register").person_id
    before = counts(site)
    for point in ("post_item", "make_offer"):
        warning = form(site.policy(), point, "en").warning
        assert warning is not None and "public" in warning and "personal information" in warning
        with pytest.raises(InvalidInput) as refused:
            fill_in(site, point, member=member, acknowledged=False)
        assert refused.value.problems.keys() == {"acknowledged"}
        assert counts(site) == before
    assert fill_in(site, "post_item", member=member).person_id == member


INFORTREND = {
    "request_quote": "quote request", "request_service": "service request", "request_support": "support request",
    "request_information": "information request", "order": "order", "promotion": "promotional activity",
    "subscribe": "subscription", "apply_for_job": "job application", "contact": "contact",
}  # fmt: skip


@pytest.mark.clause("I3")
def test_infortrends_nine_kinds_of_forms_work_and_a_tenth_takes_nothing(opened: Open) -> None:
    site = opened("infortrend")
    for point in INFORTREND:
        receipt = fill_in(site, point, email=f"{point}@shop.example", key=point)
        assert {one.source for one in own(site, receipt.person_id)} == {INFORTREND[point]}
    asks = "required: [email], for: [product_news], offers: [product_news]"
    raffle = f"  raffle: {{label: Raffle, source: raffle, people: enquirer, {asks}}}"
    text = (site.folder / "policy.yaml").read_text()
    text = text.replace("\ncollection:\n", f"\ncollection:\n{raffle}\n").replace("version: 1", "version: 2", 1)
    decisions = (site.folder / "decisions.yaml").read_text().replace("policy.version: 1", "policy.version: 2")
    with site.writing() as conn:
        versions.archive(conn, text, decisions, effective_at=site.now(), at=site.now())
    assert "raffle" in site.policy().policy.collection
    before = counts(site)["holding"]
    with pytest.raises(Refused) as refused:
        fill_in(site, "raffle")
    assert refused.value.because == ("absolutes.only_when_asked",)
    assert counts(site)["holding"] == before


@pytest.mark.clause("I4")
def test_infortrends_applications_are_for_recruiting_by_human_resources_alone(opened: Open) -> None:
    site = opened("infortrend")
    applicant = fill_in(site, "apply_for_job").person_id
    reading = vault.read(site, applicant, ["application"], "recruitment", By("staff", "human resources"))
    assert reading.values == {"application": "my application"}
    for role in ("sales", "security", "administrator", ""):
        with pytest.raises(Refused):
            vault.read(site, applicant, ["application"], "recruitment", By("staff", role))
    for purpose in ("product_news", "requested_transactions", "business_relationship", "affiliate_marketing"):
        with pytest.raises(Refused):
            vault.read(site, applicant, ["full_name", "email"], purpose, By("staff", "human resources"))
    newsletter = vault.read_many(site, [applicant], ["full_name", "email"], "product_news", By("system"))
    assert list(newsletter) == []


@pytest.mark.clause("I7")
def test_nothing_comes_into_infortrend_but_through_a_published_form(opened: Open) -> None:
    site = opened("infortrend")
    compiled = site.policy()
    for point, source in (("back_door", "contact"), ("contact", "order"), ("contact", "a bought list")):
        with pytest.raises((InvalidInput, Refused)):
            collect(site, Submission(point, {"email": "ann@shop.example", "message": "hello"}, "k", source=source))
    with pytest.raises(Refused), site.writing() as conn:
        person_id = vault.admit(site, conn, "customer")
        vault.hold(site, conn, person_id=person_id, point="back_door", source="contact", told="0" * 64, submission="s",
                   values={"email": "ann@shop.example"}, policy=compiled)  # fmt: skip
    assert counts(site)["holding"] == counts(site)["person"] == 0
    assert fill_in(site, "contact").opened is not None


@pytest.mark.clause("I8", "I24")
def test_every_field_of_infortrends_forms_is_marked_and_optional_ones_may_be_left_blank(opened: Open) -> None:
    site = opened("infortrend")
    member = fill_in(site, "register", key="member").person_id
    fill_in(site, "order", key="members-order")  # so that a supplement has something to complete
    for name, point in site.policy().policy.collection.items():
        for tag, words in (("en", {"required", "optional"}), ("zh-Hant", {"必填", "選填"})):
            shown = form(site.policy(), name, tag)
            assert {one.mark for one in shown.fields} <= words
            assert all(f"({one.mark})" in shown.told_words for one in shown.fields)
        blank = dict.fromkeys(point.optional, " ")
        receipt = fill_in(site, name, key=name, member=member if point.members_only else None, **blank)
        assert fields_held(site, receipt.person_id).keys() >= set(point.required)
        assert len({row["id"] for row in rows(site, holding)} & set(receipt.holdings)) >= 1
    literature = {one.id: one.required for one in form(site.policy(), "request_information", "en").fields}
    assert literature == {"full_name": True, "email": True, "business_address": False}


@pytest.mark.clause("I10")
def test_an_order_at_infortrend_covers_the_order_and_agrees_to_nothing_else(opened: Open) -> None:
    site = opened("infortrend")
    receipt = fill_in(site, "order")
    (held,) = own(site, receipt.person_id)
    assert held.policy_version == site.policy().version
    assert vault.read(site, receipt.person_id, ["business_address"], "requested_transactions", By("system")).values
    assert chosen(site, receipt.person_id) == set()
    for purpose in ("product_news", "affiliate_marketing", "tailoring", "responsive_service", "business_relationship"):
        uses = site.policy().policy.purposes[purpose].uses
        with pytest.raises(Refused):
            vault.read(site, receipt.person_id, uses, purpose, By("system"))


LEDFLEX_CONTENT = {
    "contact_form": "answer_enquiries",
    "feedback_form": "feedback",
    "assistance": "support",
    "survey": "surveys",
    "trade_show": "event_confirmation",
}


def test_ledflex_takes_data_from_its_person_in_four_ways_and_buys_none(opened: Open) -> None:
    site = opened("ledflex")
    points = site.policy().policy.collection
    assert {point.source for point in points.values()} == {"provided", "service_use", "event", "trade_show"}
    for point in ("open_account", "trade_show", "contact_form"):
        refused_source(site, point, "broker")
        with pytest.raises(Refused):
            fill_in(site, point, partner="crm")
    assert not any(point.kind == "import" for point in points.values())
    assert counts(site)["holding"] == 0
    purposes = set(points["place_order"].for_) | set(points["open_account"].for_)
    assert purposes == {
        "fulfil_order", "invoicing", "inventory", "payment", "order_confirmation", "service_messages",
    }  # fmt: skip


@pytest.mark.clause("F9")
def test_ledflex_keeps_a_delivery_address_only_where_it_differs_and_of_billing_no_card(opened: Open) -> None:
    site = opened("ledflex")
    required = {"full_name", "email", "phone", "office_address", "order_lines"}
    takes_exactly(site, "place_order", required, {"fax", "delivery_address", "billing_information"})
    with pytest.raises(InvalidInput):
        fill_in(site, "place_order", billing_information=f"Ann Other, {CARD}")
    same = fill_in(site, "place_order", office_address="1 Main Street", delivery_address=" 1 Main Street ")
    assert "delivery_address" not in fields_held(site, same.person_id)
    other = fill_in(site, "place_order", key="2", email="bob@shop.example", delivery_address="2 Quay Road",
                    billing_information="Bob Sparrow, 3 Mill Lane")  # fmt: skip
    held = fields_held(site, other.person_id)
    assert (held["delivery_address"], held["billing_information"]) == ("2 Quay Road", "Bob Sparrow, 3 Mill Lane")


@pytest.mark.clause("F10", "F12")
def test_what_people_write_to_ledflex_has_a_purpose_of_its_own_and_four_details_of_the_writer(opened: Open) -> None:
    site = opened("ledflex")
    for point, purpose in LEDFLEX_CONTENT.items():
        assert site.policy().policy.collection[point].for_ == (purpose,)
    for point in ("contact_form", "feedback_form", "assistance", "survey"):
        takes_exactly(site, point, {"full_name", "email", "message"}, {"phone", "region"})
    assert len(set(LEDFLEX_CONTENT.values())) == len(LEDFLEX_CONTENT)
    person_id = fill_in(site, "survey", ticked=("surveys",)).person_id
    assert vault.read(site, person_id, ["message"], "surveys", By("system")).values
    for purpose in ("invoicing", "fulfil_order", "marketing", "credit_check"):
        with pytest.raises(Refused):
            vault.read(site, person_id, ["message"], purpose, By("system"))


@pytest.mark.clause("F11")
def test_a_message_on_ledflexs_social_pages_is_kept_with_its_page_under_the_same_rules(opened: Open) -> None:
    site = opened("ledflex")
    required = {"full_name", "message", "social_page"}
    takes_exactly(site, "social_pages", required, {"email", "phone", "region"})
    person_id = fill_in(site, "social_pages", social_page="linkedin: LED Flex").person_id
    (held,) = own(site, person_id)
    assert (held.point, held.source, held.fields["social_page"]) == ("social_pages", "provided", "linkedin: LED Flex")
    with pytest.raises(Refused):
        vault.read(site, person_id, ["social_page"], "marketing", By("system"))


@pytest.mark.clause("F13")
def test_a_ledflex_account_opens_with_four_details_and_takes_as_many_delivery_addresses_as_there_are(
    opened: Open,
) -> None:
    site = opened("ledflex")
    optional = {"fax", "billing_information", "more_delivery_addresses"}
    takes_exactly(site, "open_account", {"full_name", "email", "phone", "delivery_address"}, optional)
    person_id = fill_in(site, "open_account").person_id
    two = "2 Quay Road\n3 Mill Lane"
    again = fill_in(site, "open_account", key="2", more_delivery_addresses=two)
    assert again.person_id == person_id
    assert fields_held(site, person_id)["more_delivery_addresses"] == two


def test_the_words_of_the_answers_fit_every_form(opened: Open) -> None:
    """The helpers above answer what is asked: otherwise a refusal would prove nothing."""
    for name in ("ledinside", "optokingdom", "made-in-china", "infortrend", "ledflex"):
        site = opened(name)
        for point, declared in site.policy().policy.collection.items():
            if declared.kind not in {"visit", "import"} and not declared.members_only:
                values = answers(site, point)
                assert collect(site, Submission(point, values, point, acknowledged=True)).holdings
