"""What the five operators write to people: to whom news may go, that it can be stopped at once, and what no mail holds."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.doors import Opening, Operator
from troth.accounts.tables import account
from troth.collection import Submission, collect
from troth.messages.tables import message

ANN, BOB = "ann@shop.example", "bob@shop.example"


def to_everybody(at: Operator, class_: str, subject: str) -> set[str]:
    """Send a letter of a class to everybody to whom it may go; the addresses that got it."""
    at.done("send-to-everybody", **{"class": class_, "subject": subject, "words": "Have a look at our pages."})
    at.turn()
    return got(at, subject)


def got(at: Operator, subject: str) -> set[str]:
    """Who was written to under a subject."""
    return {one.message["To"] for one in at.mailbox.messages() if one.message["Subject"] == subject}


def one_letter(at: Operator, person: str, class_: str) -> int:
    """The status of the answer to a letter of a class to somebody: 200 queued, 403 not allowed, 422 no such class."""
    given = {"class": class_, "subject": "One letter", "words": "Have a look at our pages."}
    return at.act("send-message", person=person, **given).status_code


def stop(at: Operator, to: str) -> None:
    """Press the way out of the newest mail to somebody, as their mail program does: without a page, a log-in or a cookie."""
    newest = max((one for one in at.mailbox.messages() if one.message["To"] == to), key=lambda one: one.number)
    assert newest.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = re.search(rf"<http[^>]*(/{at.name}/unsubscribe/[^>]+)>", newest.message["List-Unsubscribe"])
    assert link is not None and link[1] in newest.body("plain")
    at.web.cookies.clear()
    assert at.web.post(link[1], data={"List-Unsubscribe": "One-Click"}).status_code == 200


def states(at: Operator, person: str) -> list[str]:
    """What became of the letters to somebody."""
    with at.site.reading() as conn:
        return list(conn.scalars(select(message.c.state).where(message.c.person_id == person).order_by(message.c.id)))


@pytest.mark.clause("L13")
def test_news_goes_to_members_who_have_registered_and_have_not_said_no(operator: Opening) -> None:
    site = operator("ledinside")
    people = {}
    for address in (ANN, BOB):
        site.join("registration", site.answers("registration", email=address))
        people[address] = site.person()
        site.post("account/logout", data={})
        site.web.cookies.clear()
    asked = {"email": "dan@shop.example", "product_request": "ten lamps"}
    dan = collect(
        site.site, Submission("partner_import", asked, "stand-1", partner="business_partners")
    ).person_id  # no door takes a partner's list
    assert site.letters("dan@shop.example"), "that it came from the partner is told"
    assert to_everybody(site, "news", "New lamps") == {ANN, BOB}
    assert one_letter(site, dan, "news") == 403
    stop(site, BOB)
    assert to_everybody(site, "news", "Newer lamps") == {ANN}
    site.done("object", person=people[ANN], about="notification", channel="letter")
    assert to_everybody(site, "news", "Newest lamps") == set()
    assert {one_letter(site, person, "news") for person in people.values()} == {403}
    assert not site.reads(people[ANN], "notification", "email")


def test_news_waits_until_whoever_registered_has_confirmed_the_address(operator: Opening) -> None:
    site = operator("ledinside")
    stranger = site.take("registration", email=BOB).person
    assert got(site, "New lamps") == to_everybody(site, "news", "New lamps") == set()
    assert one_letter(site, stranger, "news") == 403
    assert len(site.letters(BOB)) == 1, "what confirms the address is sent"
    site.confirm(BOB)
    assert to_everybody(site, "news", "Newer lamps") == {BOB}


def test_offers_chosen_with_somebody_elses_address_wait_for_its_reader(operator: Opening) -> None:
    shop = operator("optokingdom")
    ann = shop.take("register", "own_marketing").person
    assert to_everybody(shop, "own_offers", "New screens") == set()
    assert one_letter(shop, ann, "own_offers") == 403
    shop.confirm(ANN)
    assert to_everybody(shop, "own_offers", "Newer screens") == {ANN}
    shop.done("send-message", person=ann, **{"class": "own_offers", "subject": "Later", "words": "More screens."})
    with shop.site.writing() as conn:
        conn.execute(account.update().values(state="waiting", confirmed_at=None))  # closed, and begun by a stranger
    shop.turn()
    assert got(shop, "Later") == set() and states(shop, ann)[-1] == "refused"


@pytest.mark.parametrize(
    ("name", "purpose", "class_"),
    [("optokingdom", "own_marketing", "own_offers"), ("made-in-china", "promotion", "new_services")],
)
def test_who_agreed_again_can_stop_offers_again(operator: Opening, name: str, purpose: str, class_: str) -> None:
    site = operator(name)
    ann = site.take("register", purpose).person
    site.confirm(ANN)
    for number in range(3):
        assert to_everybody(site, class_, f"Screens {number}") == {ANN}
        stop(site, ANN)
        stop(site, ANN)
        assert to_everybody(site, class_, f"More screens {number}") == set()
        site.agree(ann, purpose)


@pytest.mark.clause("O15")
def test_offers_are_the_shops_own_and_go_to_customers_who_chose_them_until_they_say_no(operator: Opening) -> None:
    shop = operator("optokingdom")
    ann = shop.take("register", "own_marketing").person
    bob = shop.take("register", email=BOB).person
    shop.confirm(ANN)
    shop.confirm(BOB)
    assert one_letter(shop, bob, "own_offers") == 403
    for foreign in ("partner_offers", "courier", "card_finance"):
        assert one_letter(shop, ann, foreign) == 422, "there is no offer of anybody else"
    assert to_everybody(shop, "own_offers", "New screens") == {ANN}
    for recipient in ("courier", "card_finance", "service_providers"):
        assert not shop.gives(ann, recipient, "own_marketing", "email")
    stop(shop, ANN)
    shop.agree(bob, "own_marketing")
    assert to_everybody(shop, "own_offers", "Newer screens") == {BOB}
    assert one_letter(shop, ann, "own_offers") == 403 and not shop.reads(ann, "own_marketing", "email")


@pytest.mark.clause("M7")
def test_news_for_members_is_chosen_by_their_company_and_never_sent_against_a_no(operator: Opening) -> None:
    board = operator("made-in-china")
    ann = board.take("register", "promotion", company_type="lamp maker").person
    bob = board.take("register", email=BOB, company_type="lamp maker").person
    board.confirm(ANN)
    board.confirm(BOB)
    fitting = {one for one in (ann, bob) if board.reads(one, "promotion", "company_type company_location")}
    assert fitting == {ann}, "whom news fits may be looked up of those who chose it"
    assert one_letter(board, ann, "new_services") == 200 and one_letter(board, bob, "new_services") == 403
    board.turn()
    assert got(board, "One letter") == {ANN}
    assert not board.reads(ann, "promotion", "full_name") and not board.reads(ann, "promotion", "company_phone")
    waiting = board.act("send-message", person=ann, **{"class": "new_services", "subject": "Later", "words": "News."})
    assert waiting.status_code == 200
    stop(board, ANN)
    board.turn()
    assert got(board, "Later") == set(), "what waited when the no came stays here"
    assert one_letter(board, ann, "new_services") == 403
    assert not board.reads(ann, "promotion", "email company_type")


@pytest.mark.clause("F24")
def test_word_of_downtime_and_of_a_changed_policy_reaches_those_who_want_no_marketing(operator: Opening) -> None:
    shop = operator("ledflex")
    ann = shop.take("place_order").person
    bob = shop.take("place_order", email=BOB).person
    shop.agree(ann, "marketing")
    shop.done("object", person=bob, about="marketing", channel="letter")
    shop.done("object", person=bob, about="existing_customers", channel="letter")
    assert to_everybody(shop, "service_mail", "We are down on Sunday") == {ANN, BOB}
    assert to_everybody(shop, "marketing_mail", "New strips") == {ANN}
    assert shop.reads(bob, "service_messages", "email") and not shop.reads(bob, "marketing", "email")
    told = [one.message for one in shop.mailbox.messages() if one.message["Subject"] == "We are down on Sunday"]
    assert not any("List-Unsubscribe" in one for one in told), "only advertising has a way out"
    shop.publish(("policy.yaml", "    when: elected\n", "    when: elected\n    note: changed\n"), days=20)
    shop.turn()
    assert {one.message["To"] for one in shop.mailbox.messages() if "changes/2" in one.body("plain")} == {ANN, BOB}


@pytest.mark.clause("F24")
def test_advertising_under_the_name_of_a_service_message_waits_for_the_yes_to_advertising(operator: Opening) -> None:
    disguised = ("policy.yaml", "    kind: service\n    for: service_messages", "    kind: service\n    for: marketing")
    shop = operator("ledflex", disguised)
    ann = shop.take("place_order").person
    assert one_letter(shop, ann, "service_mail") == 403
    shop.agree(ann, "marketing")
    assert one_letter(shop, ann, "service_mail") == 200
    shop.done("object", person=ann, about="marketing", channel="letter")
    shop.turn()
    assert got(shop, "One letter") == set() and one_letter(shop, ann, "service_mail") == 403


@pytest.mark.clause("F41")
def test_marketing_goes_to_those_who_elected_it_and_of_nobody_else_anything_lies_at_mail_chimp(
    operator: Opening,
) -> None:
    shop = operator("ledflex")
    people = {one: shop.take("place_order", email=one).person for one in (ANN, BOB)}
    lists = {one: (person, "mailchimp", "marketing", "email") for one, person in people.items()}
    assert to_everybody(shop, "marketing_mail", "Strips") == set()
    shop.agree(people[ANN], "marketing")
    assert {one: one_letter(shop, person, "marketing_mail") for one, person in people.items()} == {ANN: 200, BOB: 403}
    assert to_everybody(shop, "marketing_mail", "New strips") == {ANN}
    assert {one for one, asked in lists.items() if shop.gives(*asked)} == {ANN}
    assert not any(shop.gives(people[ANN], "mailchimp", "marketing", one) for one in ("full_name", "phone"))
    stop(shop, ANN)
    assert to_everybody(shop, "marketing_mail", "Newer strips") == set()
    assert one_letter(shop, people[ANN], "marketing_mail") == 403 and not shop.gives(*lists[ANN])


@pytest.mark.clause("O18")
def test_what_promotes_something_is_no_answer_to_a_problem_and_waits_for_a_yes(operator: Opening) -> None:
    answer = "    kind: service\n    for: "
    shop = operator("optokingdom", ("policy.yaml", f"{answer}customer_service", f"{answer}own_marketing"))
    ann = shop.take("register").person
    shop.confirm(ANN)
    shop.done("open-dealing", person=ann, kind="ticket", number="T-1")
    assert one_letter(shop, ann, "service_mail") == 403, "an open ticket is no yes to offers"
    shop.agree(ann, "own_marketing")
    assert one_letter(shop, ann, "service_mail") == 200
    shop.clock.move(timedelta(seconds=1))
    shop.done("object", person=ann, about="own_marketing", channel="letter")
    shop.turn()
    assert got(shop, "One letter") == set() and one_letter(shop, ann, "service_mail") == 403


@pytest.mark.clause("F68")
def test_every_marketing_mail_has_a_link_that_stops_it_at_once_for_its_reader_alone(operator: Opening) -> None:
    shop = operator("ledflex")
    people = {}
    for address in (ANN, BOB):
        people[address] = shop.take("place_order", email=address).person
        shop.agree(people[address], "marketing")
    assert to_everybody(shop, "marketing_mail", "New strips") == {ANN, BOB}
    mails = [one for one in shop.mailbox.messages() if one.message["Subject"] == "New strips"]
    links = {one.message["To"]: re.findall(r"/ledflex/unsubscribe/\S+", one.body("plain")) for one in mails}
    assert [len(links[one]) for one in (ANN, BOB)] == [1, 1] and links[ANN] != links[BOB]
    assert shop.web.get(links[ANN][0]).status_code == 200
    assert one_letter(shop, people[ANN], "marketing_mail") == 200, "looking at the page stops nothing"
    stop(shop, ANN)
    shop.turn()
    assert states(shop, people[ANN])[-1] == "refused", "what waited when the link was pressed stays here"
    assert to_everybody(shop, "marketing_mail", "Newer strips") == {BOB}
    forged = shop.web.post(links[BOB][0][:-4] + "AAAA", data={"List-Unsubscribe": "One-Click"})
    assert forged.status_code == 404
    assert to_everybody(shop, "marketing_mail", "Newest strips") == {BOB}
    shop.mail(f"Bob <{BOB}>", "Please stop sending me marketing.", "Stop marketing")
    assert to_everybody(shop, "marketing_mail", "Last strips") == set()
    assert {one_letter(shop, one, "marketing_mail") for one in people.values()} == {403}


CANARIES = {
    "full_name": "Wilhelmina Canary",
    "business_address": "7 Canarywharf Row",
    "message": "Canarybirds in the second rack",
    "identity_evidence": "PASSPORT-CANARY-1",
}
MORE = "{text: {en: We dig in the past., zh-Hant: 我們考古。}, about: what}"


@pytest.mark.clause("I36")
def test_mail_carries_links_and_never_what_somebody_told_and_the_notice_says_why(operator: Opening) -> None:
    office = operator("infortrend")
    for tag, said in (
        ("en", "e-mail to or from us may not be secure. We cannot guarantee absolute security."),
        ("zh-Hant", "與我們往來的電子郵件也可能不安全。我們無法保證資料絕對安全。"),
    ):
        assert said in office.notice(tag)
    office.join(
        "register", {"email": ANN, "full_name": CANARIES["full_name"], "business_address": CANARIES["business_address"]}
    )
    told = {key: CANARIES[key] for key in ("full_name", "business_address", "message")}
    assert office.send_form("request_quote", told | {"email": ANN}).status_code == 200
    assert (
        office.send_form("identity_supplement", {"identity_evidence": CANARIES["identity_evidence"]}).status_code == 200
    )
    office.agree(office.person(), "product_news")
    assert one_letter(office, office.person(), "product_information") == 200
    for wish in (
        "Please send me a copy of my data.",
        f"Please correct my address, it is {CANARIES['business_address']}.",
    ):
        office.mail(f"{CANARIES['full_name']} <{ANN}>", wish)
        office.web.post(office.link("privacy/confirm", ANN), data={"press": "yes"})
        office.turn()
    office.publish(("policy.yaml", "\nstatements:\n", f"\nstatements:\n  more: {MORE}\n"), days=40)
    office.later(days=31)
    letters = office.letters(ANN)
    assert len(letters) >= 6 and any("/privacy/copy/" in one or "/infortrend/privacy/" in one for one in letters)
    whole = [one.message.as_bytes() for one in office.mailbox.messages()]
    for value in ("Canarywharf", "Canarybirds", "PASSPORT-CANARY"):
        assert not any(value in one for one in letters) and not any(value.encode() in one for one in whole), value
