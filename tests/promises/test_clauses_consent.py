"""Clauses about what people agree to, what their data is used for, and who is given it: only what they chose, while they do."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.asking import secret
from tests.members import PASSWORD
from tests.operators import mailing, run_mail
from tests.promises.clause_sites import SYSTEM, Open, choose, chosen, fill_in, opened, readable
from tests.receiver import SECRET, Receiver, receiving
from tests.submissions import rows
from troth import work
from troth.accounts.actions import choose_password
from troth.agenda import run_due
from troth.collection import form
from troth.consent.actions import choices, words_shown
from troth.consent.rules import State, facts_of
from troth.decide import Ask
from troth.errors import Refused
from troth.messages import actions as messages
from troth.messages.links import Stop
from troth.messages.mailbox import Mailbox
from troth.messages.tables import message
from troth.people import dealings
from troth.people.vault import By
from troth.recipients import gate, instructions
from troth.recipients.gate import Case, disclose
from troth.recipients.switches import say_no
from troth.recipients.tables import disclosure, instruction
from troth.settings import Delivery
from troth.store.site import Site

__all__ = ["opened"]

HANDLERS = {gate.DELIVER: gate.deliver, instructions.INSTRUCT: instructions.carry, **messages.HANDLERS}


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("TROTH_TEST_SECRET", SECRET)
    with receiving() as started:
        yield started


def reached(site: Site, receiver: Receiver, *recipients: str) -> Site:
    """``site`` with these recipients behind ``receiver``."""
    wire = Delivery.model_validate({"url": receiver.url, "secret env": "TROTH_TEST_SECRET"})
    wiring = site.wiring.model_copy(update={"recipients": dict.fromkeys(recipients, wire)})
    return Site(site.folder, wiring, site.engine, site.keys, site.clock)


def refused(site: Site, person_id: str, recipient: str, fields: str, purpose: str, case: str = "") -> bool:
    before = len(rows(site, disclosure))
    with pytest.raises(Refused):
        disclose(site, person_id, recipient, fields.split(), purpose, case=Case(case))
    return len(rows(site, disclosure)) == before


def given(site: Site, person_id: str, recipient: str, fields: str, purpose: str, case: str = "") -> str:
    return disclose(site, person_id, recipient, fields.split(), purpose, case=Case(case))


def state_of(site: Site, disclosure_id: str) -> str:
    return next(row["state"] for row in rows(site, disclosure) if row["id"] == disclosure_id)


def no(site: Site, person_id: str, scope: str, state: State) -> None:
    with site.writing() as conn:
        say_no(site, conn, person_id, scope, state, "the words of the letter", "en", "letter", site.policy(conn))


def close(site: Site, person_id: str, kind: str, ref: str) -> None:
    with site.writing() as conn:
        assert dealings.close_dealing(site, conn, person_id, kind, ref, site.now())


# Agreed to by name, and for as long as it lasts


@pytest.mark.clause("L16")
def test_ledinside_shares_on_consent_for_that_party_until_it_is_withdrawn(opened: Open) -> None:
    site = opened("ledinside")
    asked = ("consented_party", "name email", "notification")
    person_id = fill_in(site, "registration", ticked=("advertising",)).person_id
    assert refused(site, person_id, *asked)
    choose(site, person_id, "@advertisers", "given")
    assert refused(site, person_id, *asked)
    choose(site, person_id, "@consented_party", "given")
    assert given(site, person_id, *asked)
    assert refused(site, person_id, "advertisers", "name email", "notification")
    assert refused(site, person_id, "consented_party", "name email job", "notification")
    assert refused(site, person_id, "consented_party", "name email", "advertising")
    choose(site, person_id, "@consented_party", "withdrawn")
    assert refused(site, person_id, *asked)


@pytest.mark.clause("M23", "M24")
def test_made_in_china_gives_partners_nothing_without_a_permission_for_marketing(opened: Open) -> None:
    site = opened("made-in-china")
    asked = ("full_name email", "partner_marketing")
    person_id = fill_in(site, "register", ticked=("promotion",)).person_id
    for partner, other in (("business_partners", "sponsors"), ("sponsors", "business_partners")):
        assert refused(site, person_id, partner, *asked)
        choose(site, person_id, f"@{partner}", "given")
        assert given(site, person_id, partner, *asked)
        for purpose in ("promotion", "operate_site", "administration", "research"):
            assert refused(site, person_id, partner, "full_name email", purpose)
        assert refused(site, person_id, other, *asked)
        choose(site, person_id, f"@{partner}", "withdrawn")
        assert refused(site, person_id, partner, *asked)


@pytest.mark.clause("M23")
def test_made_in_china_discloses_without_permission_in_an_approved_case_alone(opened: Open) -> None:
    site = opened("made-in-china")
    person_id = fill_in(site, "register").person_id
    needed = site.policy().policy.legal["legal_process"].needs
    assert {"reference", "approver", "belief", "evidence"} <= set(needed)
    asked = (person_id, "court", ["full_name"], "legal:legal_process")
    for lacking in needed:
        record = {need: "on file" for need in needed if need != lacking}
        with pytest.raises(Refused):
            disclose(site, *asked, case=Case(ground="legal_process", record=record))
    assert disclose(site, *asked, case=Case(ground="legal_process", record=dict.fromkeys(needed, "on file")))


@pytest.mark.clause("I6", "I16")
def test_infortrend_tailors_for_those_who_switched_it_on(opened: Open) -> None:
    site = opened("infortrend")
    person_id = fill_in(site, "register", page_settings="storage").person_id
    asked = ("page_settings", "tailoring")
    assert not readable(site, person_id, *asked)
    choose(site, person_id, "product_news", "given")
    assert not readable(site, person_id, *asked)
    choose(site, person_id, "tailoring", "given")
    assert readable(site, person_id, *asked)
    assert not readable(site, person_id, "full_name", "tailoring")
    choose(site, person_id, "tailoring", "withdrawn")
    assert not readable(site, person_id, *asked)


@pytest.mark.clause("I16")
def test_infortrend_knows_no_purpose_that_it_did_not_name(opened: Open) -> None:
    site = opened("infortrend")
    person_id = fill_in(site, "register", page_settings="storage", full_name="Ann Other").person_id
    for scope in ("product_news", "tailoring", "responsive_service", "affiliate_marketing"):
        choose(site, person_id, scope, "given")
    assert not readable(site, person_id, "email", "research")
    with pytest.raises(Refused):
        choose(site, person_id, "research", "given")
    assert readable(site, person_id, "email", "responsive_service")
    choose(site, person_id, "responsive_service", "withdrawn")
    assert not readable(site, person_id, "email", "responsive_service")


@pytest.mark.clause("I15")
def test_infortrend_sends_product_news_to_those_who_ticked_its_own_box(opened: Open) -> None:
    site = opened("infortrend")
    (name,) = (key for key, one in site.policy().policy.messages.items() if one.for_ == "product_news")
    ordered = fill_in(site, "order", email="olive@shop.example").person_id
    unticked = fill_in(site, "promotion", email="una@shop.example").person_id
    ticked = fill_in(site, "promotion", email="tia@shop.example", key="2", ticked=("product_news",)).person_id

    def queued(person_id: str, key: str) -> bool:
        with site.writing() as conn:
            return messages.queue(site, conn, person_id, name, "confirmation", {"language": "en"}, key)

    assert [queued(one, one) for one in (ordered, unticked, ticked)] == [False, False, True]
    (box,) = form(site.policy(), "promotion", "en").choices
    (yes,) = _choice_rows(site, ticked)
    assert (yes.scope, yes.state, yes.channel, yes.at) == ("product_news", "given", "promotion", site.now())
    assert box.label in _words(site, yes.shown)
    choose(site, ticked, "product_news", "withdrawn")
    run_due(site, HANDLERS)
    assert [row["state"] for row in rows(site, message)] == ["refused"]


def _choice_rows(site: Site, person_id: str) -> list[Any]:
    with site.reading() as conn:
        return choices(conn, [person_id], site.now())[person_id]


def _words(site: Site, digest: str) -> str:
    with site.reading() as conn:
        found = words_shown(conn, digest)
    assert found is not None
    return found[1]


@pytest.mark.clause("I22")
def test_infortrends_affiliates_need_a_consent_of_their_own_and_none_is_named(opened: Open) -> None:
    """The published list of affiliates is blank, and a blank list means nobody."""
    site = opened("infortrend")
    person_id = fill_in(site, "promotion", ticked=("product_news",), full_name="Ann Other").person_id
    for recipient in ("affiliates", "affiliates_own_marketing", "some_affiliate"):
        assert refused(site, person_id, recipient, "email", "affiliate_marketing")
    for scope in ("affiliate_marketing", "@affiliates_own_marketing"):
        choose(site, person_id, scope, "given")
    assert refused(site, person_id, "affiliates_own_marketing", "full_name email", "affiliate_marketing")
    assert refused(site, person_id, "affiliates", "email", "affiliate_marketing")


@pytest.mark.clause("I25")
def test_infortrends_partner_gets_data_with_an_open_request_and_nobody_else_does(opened: Open) -> None:
    site = opened("infortrend")
    subscriber = fill_in(site, "subscribe", email="sue@shop.example", ticked=("product_news",)).person_id
    asked = ("email", "requested_transactions")
    assert refused(site, subscriber, "business_partners", *asked)
    receipt = fill_in(site, "order")
    assert receipt.case is not None
    assert given(site, receipt.person_id, "business_partners", *asked)
    assert refused(site, receipt.person_id, "another_partner", *asked)
    for kind in ("order", "request", "ticket"):
        with site.writing() as conn:
            dealings.close_dealing(site, conn, receipt.person_id, kind, receipt.case, site.now())
    assert refused(site, receipt.person_id, "business_partners", *asked)


@pytest.mark.clause("F19")
def test_ledflex_sets_cookies_that_are_not_needed_after_a_yes_and_no_longer_after_a_no(opened: Open) -> None:
    site = opened("ledflex")
    compiled = site.policy()
    person_id = fill_in(site, "contact_form").person_id

    def allowed() -> set[str]:
        with site.reading() as conn:
            facts = facts_of(choices(conn, [person_id], site.now()).get(person_id, []))
        asks = {key: Ask("cookie", key, frozenset(), facts=facts) for key in compiled.policy.cookies}
        return {key for key, ask in asks.items() if compiled.decide(ask).allowed}

    assert set(compiled.policy.cookies) == {"site_cookie", "recognition_cookie", "analytics_cookie"}
    assert allowed() == {"site_cookie"}
    choose(site, person_id, "analytics", "given")
    assert allowed() == {"site_cookie", "analytics_cookie"}
    choose(site, person_id, "analytics", "withdrawn")
    assert allowed() == {"site_cookie"}


# LED Flex and its third parties, one by one


@pytest.mark.clause("F38")
def test_ledflex_holds_a_permission_for_each_third_party_and_the_gate_follows_it(
    opened: Open, mailbox: Mailbox
) -> None:
    site = mailing(opened("ledflex"), mailbox)
    boxes = {one.scope for one in form(site.policy(), "open_account", "en").choices}
    assert boxes == {"marketing", "mailchimp", "crm"}
    person_id = fill_in(site, "open_account").person_id
    assert chosen(site, person_id) == set()
    crm = ("crm", "full_name email", "projects")
    assert refused(site, person_id, *crm)
    fill_in(site, "project_sheet", ticked=("crm",))
    assert chosen(site, person_id) == {("@crm", "given")}
    assert refused(site, person_id, *crm), "anybody may have given this address"
    run_mail(site)
    choose_password(site, secret(mailbox, "account/link"), PASSWORD)
    assert given(site, person_id, *crm)
    choose(site, person_id, "marketing", "given")
    assert chosen(site, person_id) == {("@crm", "given"), ("marketing", "given")}
    choose(site, person_id, "@crm", "withdrawn")
    assert refused(site, person_id, *crm)


@pytest.mark.clause("F39")
def test_switching_off_one_third_party_of_ledflex_stops_that_one_and_tells_it_to_delete(
    opened: Open, receiver: Receiver
) -> None:
    site = reached(opened("ledflex"), receiver, "crm", "invoice_system", "mailchimp")
    services = ("inventory_service", "invoice_system", "sage_pay")
    person_id = fill_in(site, "place_order", ticked=services).person_id
    fill_in(site, "project_sheet", ticked=("crm",))
    crm, invoice = ("crm", "full_name email", "projects"), ("invoice_system", "full_name email", "invoicing")
    for asked in (crm, invoice):
        given(site, person_id, *asked)
    run_due(site, HANDLERS)
    no(site, person_id, "@crm", "objected")
    run_due(site, HANDLERS)
    assert refused(site, person_id, *crm)
    assert [row["recipient"] for row in rows(site, instruction)] == ["crm"]
    assert receiver.bodies("delete") == [{"people": [person_id]}]
    waits = given(site, person_id, *invoice)
    for recipient in (key for key, one in site.policy().policy.recipients.items() if one.choice):
        no(site, person_id, f"@{recipient}", "objected")
    run_due(site, HANDLERS)
    assert state_of(site, waits) == "refused"
    assert refused(site, person_id, *invoice)
    assert {row["recipient"] for row in rows(site, instruction)} == {"crm", "invoice_system"}


@pytest.mark.clause("F41")
def test_mail_chimp_has_two_details_of_those_who_elected_marketing_and_deletes_them_when_they_no_longer_do(
    opened: Open, receiver: Receiver
) -> None:
    site = reached(opened("ledflex"), receiver, "mailchimp")
    elected = fill_in(site, "trade_show", first_name="Ann", phone="020 7946 0958", ticked=("marketing",)).person_id
    unelected = fill_in(site, "trade_show", email="bob@shop.example", first_name="Bob", key="2").person_id
    asked = ("mailchimp", "first_name email", "marketing")
    assert refused(site, unelected, *asked)
    assert refused(site, elected, "mailchimp", "first_name email phone", "marketing")
    given(site, elected, *asked)
    work.turn(site)
    two = {"first_name": "Ann", "email": "ann@shop.example"}
    assert receiver.bodies("disclosure") == [{"person": elected, "data": two}]
    messages.stop(site, Stop(elected, "marketing_mail"), "No more marketing mail", "en")
    work.turn(site)
    assert receiver.bodies("delete") == [{"people": [elected]}]
    assert refused(site, elected, *asked)


# Used with an open case of their own


@pytest.mark.clause("L12")
def test_ledinside_reads_a_product_request_while_it_is_open_and_for_its_own_member(opened: Open) -> None:
    site = opened("ledinside")
    ann, bob = (fill_in(site, "registration", email=f"{n}@shop.example", key=n).person_id for n in ("ann", "bob"))
    mine = fill_in(site, "product_request", member=ann, key="mine")
    theirs = fill_in(site, "product_request", member=bob, key="theirs", email="bob@shop.example")
    asked = ("name email product_request", "product_request")
    # registering opens a request of its own where the policy ties the purpose to it; only the case in question counts
    assert mine.opened == theirs.opened == "request" and mine.case is not None
    assert readable(site, ann, *asked, case=mine.case)
    assert not readable(site, ann, *asked, case=theirs.case)
    assert not readable(site, ann, *asked, case="product_request:unknown")
    close(site, ann, "request", mine.case)
    assert not readable(site, ann, *asked, case=mine.case)


@pytest.mark.clause("O13")
def test_optokingdom_reads_for_an_order_or_a_service_with_an_open_case(opened: Open) -> None:
    site = opened("optokingdom")
    desk = By("staff", "customer service")
    registered = fill_in(site, "register")
    ann = registered.person_id
    bob = fill_in(site, "register", email="bob@shop.example", key="2").person_id
    mine, theirs = (fill_in(site, "checkout", member=one, key=one) for one in (ann, bob))
    assert mine.opened == "order" and mine.case is not None
    for purpose, by in (("order", SYSTEM), ("customer_service", desk)):
        asked = (ann, "full_name address phone", purpose, by)
        assert readable(site, *asked, case=mine.case)
        assert not readable(site, *asked, case=theirs.case)
    for kind, ref in _open(site, ann):
        close(site, ann, kind, ref)
    for purpose, by in (("order", SYSTEM), ("customer_service", desk)):
        assert not readable(site, ann, "full_name", purpose, by)
        assert not readable(site, ann, "full_name", purpose, by, case=mine.case)


def _open(site: Site, person_id: str) -> list[tuple[str, str]]:
    with site.reading() as conn:
        return sorted(dealings.open_cases(conn, [person_id]).get(person_id, frozenset()))


@pytest.mark.clause("I12")
def test_infortrend_reads_what_a_request_needs_while_it_is_open(opened: Open) -> None:
    site = opened("infortrend")
    asked = ("email", "requested_transactions")
    subscriber = fill_in(site, "subscribe", email="sue@shop.example").person_id
    assert not readable(site, subscriber, *asked)
    mine = fill_in(site, "request_support")
    theirs = fill_in(site, "request_support", email="bob@shop.example", key="2")
    assert readable(site, mine.person_id, *asked, case=mine.case)
    assert not readable(site, mine.person_id, *asked, case=theirs.case)
    for kind, ref in _open(site, mine.person_id):
        close(site, mine.person_id, kind, ref)
    assert not readable(site, mine.person_id, *asked)


@pytest.mark.clause("F23")
def test_ledflex_uses_data_for_what_it_was_collected_for(opened: Open) -> None:
    site = opened("ledflex")
    lead = fill_in(site, "trade_show", email="lea@shop.example").person_id
    assert readable(site, lead, "full_name email", "event_confirmation")
    for purpose in ("credit_check", "fulfil_order", "invoicing", "projects", "existing_customers", "marketing"):
        assert not readable(site, lead, "full_name email", purpose)
    order = fill_in(site, "place_order", delivery_address="2 Quay Road")
    assert readable(site, order.person_id, "delivery_address", "fulfil_order", case=order.case)
    assert not readable(site, order.person_id, "delivery_address", "invoicing", case=order.case)


@pytest.mark.clause("F26")
def test_ledflex_sends_each_order_to_its_own_address_and_crossed_cases_nowhere(
    opened: Open, receiver: Receiver
) -> None:
    site = reached(opened("ledflex"), receiver, "carriers", "invoice_system")
    ann = fill_in(site, "place_order", delivery_address="2 Quay Road", ticked=("invoice_system",))
    bob = fill_in(site, "place_order", key="2", email="bob@shop.example", full_name="Bob Sparrow",
                  delivery_address="3 Mill Lane", billing_information="Sparrow Ltd", ticked=("invoice_system",))  # fmt: skip
    label, invoice = ("full_name delivery_address", "fulfil_order"), ("full_name billing_information", "invoicing")
    for one, other in ((ann, bob), (bob, ann)):
        assert one.case and other.case
        assert refused(site, one.person_id, "carriers", *label, case=other.case)
        assert refused(site, one.person_id, "invoice_system", *invoice, case=other.case)
        given(site, one.person_id, "carriers", *label, case=one.case)
    assert bob.case
    given(site, bob.person_id, "invoice_system", *invoice, case=bob.case)
    run_due(site, HANDLERS)
    labels = {
        body["person"]: body["data"] for body in receiver.bodies("disclosure") if "delivery_address" in body["data"]
    }
    assert {one: data["delivery_address"] for one, data in labels.items()} == {
        ann.person_id: "2 Quay Road",
        bob.person_id: "3 Mill Lane",
    }
    again = fill_in(site, "place_order", key="3", delivery_address="4 Hafenweg")
    assert again.person_id == ann.person_id
    for order in (ann, again):
        given(site, ann.person_id, "carriers", "delivery_address", "fulfil_order", case=order.case or "")
    run_due(site, HANDLERS)
    two = [body["data"]["delivery_address"] for body in receiver.bodies("disclosure") if len(body["data"]) == 1]
    assert sorted(two) == ["2 Quay Road", "4 Hafenweg"]
    (bill,) = [body for body in receiver.bodies("disclosure") if "billing_information" in body["data"]]
    assert bill == {"person": bob.person_id, "data": {"full_name": "Bob Sparrow", "billing_information": "Sparrow Ltd"}}


@pytest.mark.clause("F27")
def test_ledflexs_support_reads_with_a_ticket_or_an_order_of_the_person(opened: Open) -> None:
    site = opened("ledflex")
    asked = ("full_name email", "support")
    lead = fill_in(site, "trade_show", email="lea@shop.example").person_id
    assert not readable(site, lead, *asked)
    ticket = fill_in(site, "assistance")
    assert ticket.opened is not None and readable(site, ticket.person_id, *asked, case=ticket.case)
    order = fill_in(site, "place_order", email="bob@shop.example")
    assert readable(site, order.person_id, *asked, case=order.case)
    assert not readable(site, order.person_id, *asked, case=ticket.case)
    for receipt in (ticket, order):
        for kind, ref in _open(site, receipt.person_id):
            close(site, receipt.person_id, kind, ref)
        assert not readable(site, receipt.person_id, *asked)
