"""Forms over HTTP: shown, taken in once, and told what is wrong; those of the five operators, too."""

import logging
import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from tests.operators import holdings, open_operator
from tests.served import Client, boxes_of, client, filled, serving, token_of, words_of
from tests.versions import publish_next
from troth.clock import MovedClock
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.consent import actions as consent
from troth.consent.tables import choice
from troth.people.tables import dealing, person
from troth.store.site import Site

ANN = {"email": "ann@shop.example", "full_name": "Ann Sparrow"}
ASKED = {"email": "ann@shop.example", "question": "Is it dimmable?"}
REGISTER, CONTACT = "/shop/forms/register", "/shop/forms/contact"
CARD = "4111 1111 1111 1111"


@pytest.fixture
def web(site: Site) -> Iterator[Client]:
    with client(site) as made:
        yield made


def operator(name: str, tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str]) -> Site:
    return open_operator(name, tmp_path, clock, fresh_database)


# --- Forms -----------------------------------------------------------------------------------------------------------


def test_a_form_is_taken_in_and_says_what_was_stored(site: Site, web: Client) -> None:
    answer = web.post(REGISTER, data=filled(web, REGISTER, ANN, **{"choice.marketing": "yes"}))
    shown = words_of(answer.text)
    assert answer.status_code == 200 and holdings(site) > 0
    for words in ("E-mail address", "Tell you about your orders", "destroyed 175 days after", "send you offers"):
        assert words in shown
    assert "ann@shop.example" not in answer.text and "Ann Sparrow" not in answer.text
    with site.reading() as conn:
        one = conn.execute(select(person.c.id)).scalar_one()
        assert [(made.scope, made.state) for made in consent.history(conn, one)] == [("marketing", "given")]


def test_boxes_are_empty_at_first_and_an_empty_box_is_no_yes(site: Site, web: Client) -> None:
    page = web.get(REGISTER).text
    assert page.count('type="checkbox"') == 2 and "checked" not in page
    web.post(REGISTER, data=filled(web, REGISTER, ANN))
    with site.reading() as conn:
        assert conn.execute(select(func.count()).select_from(choice)).scalar_one() == 0


def test_what_is_wrong_stands_at_the_top_and_beside_its_field(site: Site, web: Client) -> None:
    values = {"email": "not an address", "full_name": " ", "interest": "lamps & <b>shades</b>"}
    answer = web.post(REGISTER, data=filled(web, REGISTER, values))
    assert answer.status_code == 422 and holdings(site) == 0
    assert 'href="#f-email"' in answer.text and 'aria-describedby="f-email-wrong"' in answer.text
    assert "This field is required." in answer.text and "not a complete e-mail address" in answer.text
    assert 'value="not an address"' in answer.text
    assert "lamps &amp; &lt;b&gt;shades&lt;/b&gt;" in answer.text and "<b>shades" not in answer.text


@pytest.mark.clause("F16")
def test_a_card_number_goes_nowhere_not_even_back_into_the_page(
    site: Site, web: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = web.post(REGISTER, data=filled(web, REGISTER, {**ANN, "phone": CARD}))
    assert answer.status_code == 422 and holdings(site) == 0
    assert not says_the_card(answer.text) and not says_the_card(caplog.text)
    assert 'value="Ann Sparrow"' in answer.text


@pytest.mark.clause("F16")
def test_a_card_number_in_a_form_that_was_open_for_too_long_goes_nowhere(web: Client) -> None:
    answer = web.post(REGISTER, data=filled(web, REGISTER, {**ANN, "phone": CARD}) | {"token": "x"})
    assert answer.status_code == 422 and "open for too long" in answer.text
    assert not says_the_card(answer.text) and 'value="Ann Sparrow"' in answer.text


def says_the_card(text: str) -> bool:
    """Whether half of the card's number stands there, however it is spaced; four digits stand in many a token by chance."""
    return CARD.replace(" ", "")[:8] in re.sub(r"[\s-]", "", text)


def test_what_a_form_does_not_ask_for_is_refused_whole(site: Site, web: Client) -> None:
    for extra in ({"field.shoe_size": "44"}, {"shoe_size": "44"}, {"choice.everything": "yes"}):
        answer = web.post(REGISTER, data=filled(web, REGISTER, ANN) | extra)
        assert answer.status_code == 422 and "does not ask for" in answer.text
    assert holdings(site) == 0


def test_a_double_click_is_stored_once(site: Site, web: Client) -> None:
    sent = filled(web, CONTACT, ASKED)
    first, second = (web.post(CONTACT, data=sent) for _ in range(2))
    once = holdings(site)
    assert "stored once" not in words_of(first.text) and "stored once" in words_of(second.text)
    web.post(CONTACT, data=filled(web, CONTACT, ASKED))
    assert holdings(site) == 2 * once


def test_a_registration_that_is_sent_twice_is_stored_once_and_does_not_say_so(site: Site, web: Client) -> None:
    sent = filled(web, REGISTER, ANN, **{"choice.marketing": "yes"})
    first, second = (web.post(REGISTER, data=sent) for _ in range(2))
    assert words_of(first.text) == words_of(second.text)
    with site.reading() as conn:
        assert conn.execute(select(func.count()).select_from(choice)).scalar_one() == 1


def test_many_at_once_are_stored_once(site: Site) -> None:
    with serving([site]) as address:
        page = httpx.get(address + REGISTER).text
        sent = {"token": token_of(page), **{f"field.{key}": value for key, value in ANN.items()}}
        answers: list[int] = []
        senders = [
            threading.Thread(target=lambda: answers.append(httpx.post(address + REGISTER, data=sent).status_code))
            for _ in range(6)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
    with site.reading() as conn:
        counts = {
            table.name: conn.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (person, dealing)
        }
        kinds = conn.execute(select(func.count(func.distinct(dealing.c.ref)))).scalar_one()
    assert answers == [200] * 6
    assert counts["person"] == 1 and kinds == 1


@pytest.mark.parametrize("token", ["", "x", "1.2.3", "¶.¶.¶"])
def test_a_form_without_our_token_is_shown_again_and_not_stored(site: Site, web: Client, token: str) -> None:
    answer = web.post(REGISTER, data=filled(web, REGISTER, ANN) | {"token": token})
    assert answer.status_code == 422 and "open for too long" in answer.text and holdings(site) == 0
    assert 'value="Ann Sparrow"' in answer.text
    again = {"token": token_of(answer.text)} | {f"field.{key}": value for key, value in ANN.items()}
    assert web.post(REGISTER, data=again).status_code == 200 and holdings(site) > 0


def test_a_token_serves_its_own_form_for_half_a_day(site: Site, web: Client, clock: MovedClock) -> None:
    contact = {"token": token_of(web.get("/shop/forms/contact").text), "field.email": "a@shop.example"}
    assert "open for too long" in web.post(REGISTER, data=contact).text
    sent = filled(web, REGISTER, ANN)
    clock.move(timedelta(hours=12, seconds=1))
    assert "open for too long" in web.post(REGISTER, data=sent).text
    assert holdings(site) == 0


def test_a_yes_counts_only_under_the_words_that_were_read(site: Site, web: Client, clock: MovedClock) -> None:
    """The form was opened before other words applied, and is sent after: it is shown anew, with its boxes empty."""
    applies = publish_next(site, lambda text: text.replace("send you offers", "ring you up with offers")).effective_at
    clock.move(applies - site.now() - timedelta(hours=1))
    sent = filled(web, REGISTER, ANN, **{"choice.marketing": "yes"})
    clock.move(timedelta(hours=2))
    answer = web.post(REGISTER, data=sent)
    assert answer.status_code == 422 and holdings(site) == 0
    assert "policy has changed" in answer.text and "ring you up with offers" in words_of(answer.text)
    assert 'value="Ann Sparrow"' in answer.text and set(boxes_of(answer.text).values()) == {False}
    assert web.post(REGISTER, data=sent | {"token": token_of(answer.text)}).status_code == 200
    with site.reading() as conn:
        assert conn.scalars(select(choice.c.policy_version)).all() == [2]


def test_a_form_that_was_open_for_too_long_comes_back_with_empty_boxes(
    site: Site, web: Client, clock: MovedClock
) -> None:
    sent = filled(web, REGISTER, ANN, **{"choice.marketing": "yes"})
    clock.move(timedelta(hours=12, seconds=1))
    answer = web.post(REGISTER, data=sent)
    assert "are empty again" in answer.text and set(boxes_of(answer.text).values()) == {False}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, 200),
        ({"origin": "http://testserver.local"}, 200),
        ({}, 200),
    ],
)
def test_a_form_sent_from_another_site_is_refused(
    site: Site, web: Client, headers: dict[str, str], status: int
) -> None:
    answer = web.post(REGISTER, data=filled(web, REGISTER, ANN), headers=headers)
    assert answer.status_code == status and bool(holdings(site)) == (status == 200)


def test_points_that_are_not_for_everybody_have_no_form(site: Site, web: Client) -> None:
    assert "fair_import" not in web.get("/shop/forms").text
    assert web.get("/shop/forms/fair_import").status_code == 404
    assert web.post("/shop/api/collect/fair_import", json={"values": {"email": "a@b.example"}}).status_code == 404
    assert holdings(site) == 0


@pytest.mark.parametrize("path", [REGISTER, "/shop/api/collect/register"])
def test_a_megabyte_in_one_field_is_refused_in_words(site: Site, path: str) -> None:
    with serving([site]) as address:
        sent = {"field.full_name": "x" * 1_000_000}
        answer = httpx.post(address + path, data=sent) if "forms" in path else httpx.post(address + path, json=sent)
    assert answer.status_code == 413 and "larger than 64 KB" in answer.text
    assert holdings(site) == 0


def test_names_from_right_to_left_and_pictures_are_kept_as_typed(site: Site, web: Client) -> None:
    name = "نور 🪔 \u200fÜnïcödé 燈"
    answer = web.post(REGISTER, data=filled(web, REGISTER, {"email": "n@shop.example", "full_name": name}))
    assert answer.status_code == 200
    wrong = web.post(REGISTER, data=filled(web, REGISTER, {"email": "wrong", "full_name": name}))
    assert f'value="{name}"' in wrong.text


# --- The five operators' forms ---------------------------------------------------------------------------------------


@pytest.mark.clause("I8", "I11")
def test_each_form_says_what_is_required_and_that_giving_it_is_voluntary(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str]
) -> None:
    site = operator("infortrend", tmp_path, clock, fresh_database)
    points = site.policy().policy.collection
    marks = {"en": ("required", "optional", "up to you"), "zh-Hant": ("必填", "選填", "由您決定")}
    with client(site) as web:
        listed = set(re.findall(r'href="/infortrend/forms/([a-z_]+)"', web.get("/infortrend/forms").text))
        assert len(listed) >= 12
        for key in listed:
            for tag, (required, optional, voluntary) in marks.items():
                page = web.get(f"/infortrend/forms/{key}?lang={tag}").text
                labels = dict(re.findall(r'<label for="f-(\w+)">.*?<span class="mark">\((.*?)\)</span>', page, re.S))
                expected = dict.fromkeys(points[key].required, required) | dict.fromkeys(points[key].optional, optional)
                if points[key].members_only:  # shown to whoever is logged in; test_clauses_forms looks at its marks
                    assert not labels
                    continue
                assert labels == expected, (key, tag)
                assert voluntary in page


FORMS = [
    pytest.param(
        "infortrend", "request_information", "full_name email business_address", marks=pytest.mark.clause("I24")
    ),
    pytest.param(
        "ledinside",
        "registration",
        "name email birth_date gender job industry interest",
        marks=pytest.mark.clause("L6"),
    ),
    pytest.param(
        "made-in-china",
        "register",
        "full_name email company_name company_location company_phone company_fax company_website company_description "
        "company_type company_turnover company_employees",
        marks=pytest.mark.clause("M9", "M10"),
    ),
    pytest.param("ledflex", "contact_form", "full_name email message phone region", marks=pytest.mark.clause("F12")),
    pytest.param("optokingdom", "register", "full_name address phone email card_token", marks=pytest.mark.clause("O5")),
]


@pytest.mark.parametrize(("name", "point", "fields"), FORMS)
def test_a_form_asks_for_the_promised_fields_and_takes_no_other(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str], name: str, point: str, fields: str
) -> None:
    site = operator(name, tmp_path, clock, fresh_database)
    address = f"/{name}/forms/{point}"
    with client(site) as web:
        page = web.get(address).text
        assert set(re.findall(r'name="field\.(\w+)"', page)) == set(fields.split())
        answer = web.post(address, data=filled(web, address, {"blood_group": "A"}))
    assert answer.status_code == 422 and holdings(site) == 0


@pytest.mark.clause("M32")
def test_members_are_warned_before_they_post_and_must_say_that_they_read_it(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str]
) -> None:
    site = operator("made-in-china", tmp_path, clock, fresh_database)
    company = dict.fromkeys(site.policy().policy.collection["register"].required, "Lamps")
    company |= {"email": "li@lamp.example", "company_phone": "+86 10 1234 5678", "company_fax": "+86 10 1234 5679"}
    company |= {"company_website": "https://lamp.example"}
    member = collect(site, Submission("register", company, "m1")).person_id
    before = holdings(site)
    with client(site) as web:
        for point in ("post_item", "make_offer"):
            assert "public for all users" in web.get(f"/made-in-china/forms/{point}?lang=en").text
    for point in ("post_item", "make_offer"):
        post = Submission(point, {"trade_post": "lamps"}, point, member=member)
        with pytest.raises(Exception, match="Nothing was stored"):
            collect(site, post)
        assert holdings(site) == before
        collect(site, Submission(point, {"trade_post": "lamps"}, point, member=member, acknowledged=True))
        assert holdings(site) > before
        before = holdings(site)


def test_every_operator_shows_all_its_pages_in_both_languages(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str]
) -> None:
    names = ("infortrend", "ledflex", "ledinside", "made-in-china", "optokingdom")
    sites = [operator(name, tmp_path, clock, fresh_database) for name in names]
    with client(*sites) as web:
        seen = set()
        waiting = [f"/?lang={tag}" for tag in ("en", "zh-Hant")]
        while waiting:
            address = waiting.pop()
            seen.add(address)
            answer = web.get(address)
            assert answer.status_code == 200, address
            if "html" in answer.headers["content-type"]:
                found = re.findall(r'href="(/[^"#]*)', answer.text)
                waiting += [link for link in dict.fromkeys(found) if link not in seen and link not in waiting]
    assert len(seen) > 100 and any("apply_for_job" in address for address in seen)
