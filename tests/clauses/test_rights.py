"""What people may ask of the operators, asked as they would: by mail, by the link that answers it, and with their account."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from tests.copies import csv_files
from tests.doors import Opening, Operator
from tests.served import boxes_of, words_of
from troth.clock import utc
from troth.rights.copy.schema import copy_schema

ANN, BOB = "ann@shop.example", "bob@shop.example"
CRM = ("crm", "projects", "full_name email")
OFFERS = ("marketing_mail", "existing_customer_mail")


@pytest.fixture
def shop(operator: Opening) -> Operator:
    return operator("ledflex")


def write(at: Operator, words: str) -> None:
    """Ann writes to the operator, and confirms it where she is asked to."""
    before = len(at.letters(ANN))
    at.mail(f"Ann <{ANN}>", words)
    if any("/privacy/confirm/" in one for one in at.letters(ANN)[before:]):
        assert at.web.post(at.link("privacy/confirm", ANN), data={"press": "yes"}).status_code == 200


def centre(at: Operator) -> str:
    """The privacy centre behind the link that answers a request for one's data."""
    opened = at.web.post(at.link("privacy/data", ANN), data={"press": "yes"})
    assert opened.status_code == 200, words_of(opened.text)
    return str(opened.text)


def hidden(page: str) -> dict[str, str]:
    """What every form of a page of the privacy centre carries."""
    return dict(re.findall(r'<input type="hidden" name="(token|visit)" value="([^"]+)"', page))


def letter(at: Operator, person: str, class_: str, subject: str) -> int:
    """The status of the answer to a letter of a class to somebody: 200 queued, 403 not allowed."""
    given = {"class": class_, "subject": subject, "words": "Have a look at our pages."}
    return at.act("send-message", person=person, **given).status_code


def got(at: Operator, subject: str) -> list[str]:
    """Who was written to under a subject."""
    return sorted(one.message["To"] for one in at.mailbox.messages() if one.message["Subject"] == subject)


def told_everywhere(at: Operator) -> set[str]:
    """Ann leaves something at three forms; all that she typed."""
    typed = {
        "place_order": {"full_name": "Ann Heron", "delivery_address": "2 Quay Road", "order_lines": "Nine green lamps"},
        "contact_form": {"full_name": "Ann Heron", "message": "Do they come in red?"},
        "project_sheet": {"full_name": "Ann Heron", "project": "The lobby of the hotel"},
    }
    for point, values in typed.items():
        at.take(point, email=ANN, **values)
    return {value for values in typed.values() for value in values.values()} | {ANN}


# --- Seeing and taking away ------------------------------------------------------------------------------------------


@pytest.mark.clause("F51")
@pytest.mark.parametrize("words", ["What data do you hold about me?", "Please send me a copy of my data."])
def test_who_asks_for_their_data_sees_all_that_was_left_anywhere_and_takes_a_copy(shop: Operator, words: str) -> None:
    typed = told_everywhere(shop)
    shop.take("contact_form", email=BOB, message="A question of Bob's")
    write(shop, words)
    page = centre(shop)
    assert [one for one in typed if one not in words_of(page)] == []
    copy = shop.post("privacy/copy", data=hidden(page) | {"format": "html"})
    assert copy.status_code == 200
    assert [one for one in typed if one not in words_of(copy.text)] == []
    assert not any(bobs in said.text for said in (copy, shop.get("privacy")) for bobs in (BOB, "A question of Bob's"))
    assert BOB not in page


@pytest.mark.clause("F55")
def test_who_asks_for_a_file_for_programs_gets_the_same_data_in_two_forms_that_fit_their_description(
    shop: Operator,
) -> None:
    typed = told_everywhere(shop)
    write(shop, "Please give me my data in a machine readable format.")
    page = centre(shop)
    answers = {one: shop.post("privacy/copy", data=hidden(page) | {"format": one}) for one in ("json", "csv")}
    assert {one.status_code for one in answers.values()} == {200}
    tree = json.loads(answers["json"].content)
    fits = Draft202012Validator(copy_schema(), format_checker=FormatChecker())
    assert [error.message for error in fits.iter_errors(tree)] == []
    told = sorted(pair for one in tree["records"] for pair in one["values"].items())
    assert typed <= {value for _, value in told}
    rows = csv_files(answers["csv"].content)["data.csv"]
    assert sorted((row["field.id"], row["value"]) for row in rows) == told


# --- Changing it, and saying no --------------------------------------------------------------------------------------


def sees(shop: Operator, ann: str, page: str) -> None:
    assert "020 7946 0958" in words_of(page) or "20 7946 0958" in words_of(page)


def updates(shop: Operator, ann: str, page: str) -> None:
    sent = shop.post("privacy/correct", data=hidden(page) | {"field.phone": "+44 20 7946 0111"})
    assert sent.status_code == 200, words_of(sent.text)
    assert shop.read("projects", "phone", person=ann).json()["values"] == {"phone": "+44 20 7946 0111"}


def objects(shop: Operator, ann: str, page: str) -> None:
    assert shop.gives(ann, *CRM)
    on = {name: "yes" for name, ticked in boxes_of(page).items() if ticked and name.startswith("on.")}
    assert on.pop("on.@crm") == "yes"
    sent = shop.post("privacy/choices", data=hidden(page) | on | {"sure": "yes"})
    assert sent.status_code == 200, words_of(sent.text)
    assert not shop.gives(ann, *CRM)


@pytest.mark.clause("F5")
@pytest.mark.parametrize("choice", [sees, updates, objects])
def test_who_writes_in_may_see_update_and_object(shop: Operator, choice: Callable[[Operator, str, str], None]) -> None:
    ann = shop.take("project_sheet", email=ANN, phone="+44 20 7946 0958").person
    shop.agree(ann, "@crm")
    write(shop, "What data do you hold about me?")
    choice(shop, ann, centre(shop))


UNTIL_THEY_OBJECT = (
    ("decisions.yaml", "      purposes.existing_customers.marketing: false\n", ""),
    ("decisions.yaml", "      messages.existing_customer_mail: null\n", ""),
)
"""as the text was published: customers from before it are sent offers without a yes, until they object"""


@pytest.mark.clause("F53")
def test_an_objection_to_marketing_by_mail_stops_every_offer_whatever_it_rests_on(operator: Opening) -> None:
    shop = operator("ledflex", *UNTIL_THEY_OBJECT)
    shop.clock.at = utc(2018, 5, 24, 12)
    ann, bob = (shop.take("place_order", email=one).person for one in (ANN, BOB))
    for one in (ann, bob):
        shop.agree(one, "marketing")
        assert [letter(shop, one, class_, "Lamps") for class_ in OFFERS] == [200, 200]
    shop.turn()
    assert got(shop, "Lamps") == [ANN, ANN, BOB, BOB]
    shop.mail(f"Ann <{ANN}>", "I object to your marketing.")
    shop.turn()
    assert [letter(shop, ann, class_, "More lamps") for class_ in OFFERS] == [403, 403]
    assert [letter(shop, bob, class_, "More lamps") for class_ in OFFERS] == [200, 200]
    for purpose in ("marketing", "existing_customers"):
        assert not shop.reads(ann, purpose, "email") and shop.reads(bob, purpose, "email")
    shop.turn()
    assert got(shop, "More lamps") == [BOB, BOB]


@pytest.mark.clause("F53")
def test_an_objection_to_one_service_by_mail_counts_once_its_writer_is_known_and_for_no_other(shop: Operator) -> None:
    ann = shop.take("project_sheet", "crm", email=ANN).person
    order = shop.take("place_order", "invoice_system", email=ANN).case
    assert shop.gives(ann, *CRM)
    shop.clock.move(timedelta(minutes=1))
    shop.mail(f"Ann <{ANN}>", "I object to your use of my data in the CRM.")
    assert shop.gives(ann, *CRM), "anybody can write under her address"
    assert shop.web.post(shop.link("privacy/confirm", ANN), data={"press": "yes"}).status_code == 200
    assert not shop.gives(ann, *CRM)
    assert shop.gives(ann, "invoice_system", "invoicing", "full_name email", case=order)


@pytest.mark.clause("F38")
def test_the_boxes_show_what_is_agreed_to_one_by_one_and_unticking_one_counts_for_that_one(shop: Operator) -> None:
    ticked = {f"choice.{one}": "yes" for one in ("marketing", "crm")}
    shop.join("open_account", shop.answers("open_account", email=ANN), **ticked)
    ann = shop.person()
    shop.done("open-dealing", person=ann, kind="project", number="P-1")
    services = {"on.@inventory_service", "on.@invoice_system", "on.@sage_pay"}
    page = shop.get("privacy/centre").text
    boxes = {name: is_on for name, is_on in boxes_of(page).items() if name.startswith("on.")}
    assert {"on.marketing", "on.@crm", *services} <= boxes.keys()
    assert boxes["on.marketing"] and boxes["on.@crm"] and not any(boxes[one] for one in services)
    assert shop.gives(ann, *CRM)
    shop.clock.move(timedelta(minutes=1))
    on = {name: "yes" for name, is_on in boxes.items() if is_on and name != "on.@crm"}
    assert shop.post("privacy/choices", data=hidden(page) | on | {"sure": "yes"}).status_code == 200
    after = {name: is_on for name, is_on in boxes_of(shop.get("privacy/centre").text).items() if name in boxes}
    assert after == boxes | {"on.@crm": False}
    assert not shop.gives(ann, *CRM)
    assert shop.reads(ann, "marketing", "email"), "the other permission stands"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        pytest.param("made-in-china", "company_name company_location", marks=pytest.mark.clause("M11")),
        pytest.param("optokingdom", "full_name address", marks=pytest.mark.clause("O26")),
    ],
)
def test_what_a_profile_says_is_changed_at_once_by_whoever_is_logged_in_and_by_nobody_else(
    operator: Opening, name: str, change: str
) -> None:
    board = operator(name)
    fields = change.split()
    board.join(
        "register", board.answers("register", email=ANN, **dict.fromkeys(fields, "Old Heron")), acknowledged="yes"
    )
    page = board.get("privacy/centre").text
    changed = board.post("privacy/correct", data=hidden(page) | {f"field.{one}": f"New {one}" for one in fields})
    assert changed.status_code == 200, words_of(changed.text)
    profile = board.get("account/profile").text
    assert all(f"New {one}" in profile for one in fields) and "Old Heron" not in profile
    board.web.cookies.clear()
    assert board.post("privacy/correct", data=hidden(page) | {f"field.{fields[0]}": "Eve"}).status_code == 403
    board.log_in(ANN)
    assert f"New {fields[0]}" in board.get("account/profile").text


@pytest.mark.clause("O27")
def test_who_writes_to_have_their_account_cancelled_is_used_for_nothing_once_they_are_known(operator: Opening) -> None:
    shop = operator("optokingdom")
    shop.join("register", shop.answers("register", email=ANN), acknowledged="yes")
    ann = shop.person()
    shop.agree(ann, "own_marketing")
    assert letter(shop, ann, "own_offers", "Screens") == 200
    shop.mail(f"Ann <{ANN}>", "Please cancel my account.")
    assert shop.reads(ann, "own_marketing", "email", role=""), "anybody can write under her address"
    assert shop.web.post(shop.link("privacy/confirm", ANN), data={"press": "yes"}).status_code == 200
    shop.turn()
    for purpose, one in shop.site.policy().policy.purposes.items():
        assert not any(shop.reads(ann, purpose, field, role="") for field in one.uses), purpose
    assert letter(shop, ann, "own_offers", "More screens") == 403
    shop.web.cookies.clear()
    shop.log_in(ANN)
    assert shop.get("account", follow_redirects=False).status_code == 303, "nobody is logged in"
