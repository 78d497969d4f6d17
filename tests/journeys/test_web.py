"""The pages over HTTP, as a customer and a program meet them."""

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select, text

from tests.operators import holdings, mailing, open_operator, run_mail
from tests.served import Client, client, filled, serving, token_of, words_of
from troth.clock import MovedClock, utc
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.consent import actions as consent
from troth.consent.tables import choice
from troth.errors import PolicyError
from troth.messages.actions import queue
from troth.messages.links import stop_token
from troth.messages.mailbox import Mailbox
from troth.people.tables import dealing, person
from troth.people.vault import By
from troth.store import versions
from troth.store.site import Site
from troth.visits import actions as visits
from troth.web.app import make_app
from troth.web.evidence import Shown

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
    assert CARD not in answer.text and "4111" not in answer.text and "4111" not in caplog.text
    assert 'value="Ann Sparrow"' in answer.text


@pytest.mark.clause("F16")
def test_a_card_number_in_a_form_that_was_open_for_too_long_goes_nowhere(web: Client) -> None:
    answer = web.post(REGISTER, data=filled(web, REGISTER, {**ANN, "phone": CARD}) | {"token": "x"})
    assert answer.status_code == 422 and "open for too long" in answer.text
    assert "4111" not in answer.text and 'value="Ann Sparrow"' in answer.text


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
    pytest.param("optokingdom", "checkout", "address phone", marks=pytest.mark.clause("O11")),
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


# --- Pages -----------------------------------------------------------------------------------------------------------

PAGES = ("/", "/shop", "/shop/forms", REGISTER, "/shop/versions", "/shop/versions/1", "/nowhere", "/shop/forms/nowhere")


@pytest.mark.clause("I2")
def test_no_page_sets_a_cookie_or_asks_who_one_is(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str]
) -> None:
    site = operator("infortrend", tmp_path, clock, fresh_database)
    with client(site) as web:
        for page in ("/", "/infortrend", "/infortrend/forms", "/infortrend/forms/contact", "/infortrend/versions"):
            answer = web.get(page)
            assert answer.status_code == 200 and "set-cookie" not in answer.headers
            assert not web.cookies


@pytest.mark.parametrize("path", [*PAGES, "/static/troth.css", "/shop/api/openapi"])
def test_every_answer_is_sealed_off(web: Client, path: str) -> None:
    headers = web.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in headers and "strict-transport-security" not in headers


def test_over_https_browsers_are_told_to_stay_there(site: Site) -> None:
    from litestar.testing import TestClient

    with TestClient(make_app([site]), base_url="https://shop.example") as web:
        assert "max-age=" in web.get("/health").headers["strict-transport-security"]


@pytest.mark.parametrize("path", PAGES)
def test_pages_load_nothing_from_anywhere_else(web: Client, path: str) -> None:
    loaded = re.findall(r'(?:src|action)="([^"]*)"|<link[^>]*href="([^"]*)"', web.get(path).text)
    assert all("".join(pair).startswith("/") for pair in loaded)
    assert "<script" not in web.get(path).text and " style=" not in web.get(path).text


@pytest.mark.parametrize(
    ("accept", "asked", "tag"),
    [
        ("", "", "en"),
        ("zh-TW,zh;q=0.9", "", "zh-Hant"),
        ("fr, zh-Hant;q=0.4, en;q=0.8", "", "en"),
        ("en", "zh-Hant", "zh-Hant"),
        ("zh", "en", "en"),
        ("de;q=abc, *;q=0", "xx", "en"),
    ],
)
def test_the_reader_gets_the_language_that_was_asked_for(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str], accept: str, asked: str, tag: str
) -> None:
    site = operator("ledflex", tmp_path, clock, fresh_database)
    with client(site) as web:
        for path in ("/ledflex", "/ledflex/forms/contact_form", "/ledflex/notice.md"):
            address = f"{path}?lang={asked}" if asked else path
            assert web.get(address, headers={"accept-language": accept}).headers["content-language"] == tag


def test_the_answer_to_a_form_leads_to_no_address_that_takes_none(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str]
) -> None:
    with client(open_operator("made-in-china", tmp_path, clock, fresh_database)) as web:
        asked = web.get("/made-in-china/privacy")
        sent = {"token": token_of(asked.text), "right": "access", "email": "kim@mail.example"}
        answers = [web.post("/made-in-china/privacy/request", data=sent | more) for more in ({}, {"email": "none"})]
    assert [one.status_code for one in answers] == [200, 422]
    assert "hreflang" in asked.text and not [one for one in answers if "hreflang" in one.text]


def test_evidence_stands_beside_its_promise_and_on_the_index(site: Site, clock: MovedClock) -> None:
    proven = {"visits.keep": Shown("kept", {"en": "oldest visit kept: 29 days"}, clock.now() - timedelta(minutes=4))}
    with client(site, look=lambda _: proven) as web:
        page = words_of(web.get("/shop").text)
        assert "oldest visit kept: 29 days" in page and "checked 4 minutes ago" in page
        assert "1 of" in words_of(web.get("/").text)


def test_a_new_version_stays_beside_the_old_one_with_what_changed(site: Site, clock: MovedClock) -> None:
    policy, decisions = ((site.folder / name).read_text() for name in ("policy.yaml", "decisions.yaml"))
    policy = policy.replace("version: 1", "version: 2").replace("keep: 30 days}", "keep: 20 days}", 1)
    with site.writing() as conn:
        versions.archive(conn, policy, decisions, effective_at=utc(2026, 2, 1), at=clock.now())
    with client(site) as web:
        assert "takes effect later" in web.get("/shop/versions").text
        assert "does not apply yet" in web.get("/shop/versions/2").text
        clock.move(timedelta(days=40))
        shown = words_of(web.get("/shop/versions").text)
        assert "Said differently (1)" in shown and "30 days after" in shown and "20 days after" in shown
        assert "no longer applies" in web.get("/shop/versions/1").text
        assert web.get("/shop/versions/3").status_code == 404


def test_one_site_that_is_down_leaves_the_others_up(
    site: Site, tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str]
) -> None:
    other = operator("ledflex", tmp_path, clock, fresh_database)
    with other.engine.begin() as conn:
        conn.execute(text("DROP TABLE policy_version"))
    with client(site, other) as web:
        assert "does not answer" in web.get("/").text and web.get("/shop").status_code == 200
        assert web.get("/ledflex").status_code == 503 and "Traceback" not in web.get("/ledflex").text
        assert web.get("/health").status_code == 503


def test_two_sites_cannot_share_a_name(site: Site) -> None:
    with pytest.raises(PolicyError):
        make_app([site, site])


# --- Visits and logs -------------------------------------------------------------------------------------------------


def seen(site: Site) -> list[dict[str, str]]:
    return [dict(one.fields) for one in visits.read(site, "improvement", By("system"))]


def test_a_page_view_is_recorded_as_declared_and_without_its_query(site: Site, web: Client) -> None:
    secret = {"user-agent": "Browser of Ann", "referer": "https://elsewhere.example/?ann", "cookie": "id=ann"}
    web.get("/shop/forms?lang=en&email=ann@shop.example", headers=secret)
    web.get("/static/troth.css")
    web.get("/shop/nowhere")
    web.get("/shop/api/openapi")
    (visit,) = seen(site)
    assert visit.get("url") == "/shop/forms"
    assert set(visit) <= {"url", "ip_address"} and "ann" not in json.dumps(visit)


def test_a_link_that_stops_mail_is_recorded_without_its_secret(site: Site, web: Client) -> None:
    token = stop_token(site, "0" * 26, "offers")
    web.get(f"/shop/unsubscribe/{token}")
    assert [visit.get("url") for visit in seen(site)] == ["/shop/unsubscribe"]


def test_logs_name_no_visitor_and_no_query(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving([site]) as address:
        httpx.get(f"{address}/shop/forms?email=ann@shop.example")
        httpx.get(f"{address}/shop/unsubscribe/secretsecret")
        httpx.post(f"{address}{REGISTER}", data={"field.email": "ann@shop.example"})
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("troth", "uvicorn"))]
    assert any("GET /{site_name}/forms 200" in line for line in ours)
    assert not any(word in line for line in ours for word in ("ann@", "secretsecret", "?", "127.0.0.1:5"))


def test_a_mistake_of_ours_shows_a_number_and_no_more(
    site: Site, web: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with site.engine.begin() as conn:
        conn.execute(text("ALTER TABLE person RENAME COLUMN kind TO kinds"))
    answer = web.post(REGISTER, data=filled(web, REGISTER, ANN))
    assert answer.status_code >= 500 and "Traceback" not in answer.text and "SELECT" not in answer.text
    assert "ann@shop.example" not in caplog.text and "Ann Sparrow" not in caplog.text


# --- Programs --------------------------------------------------------------------------------------------------------


def test_a_program_collects_and_is_told_what_was_stored(site: Site, web: Client) -> None:
    sent = {"values": ASKED, "key": "order 7"}
    first, second = (web.post("/shop/api/collect/contact", json=sent) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["stored"] == ["email", "question"]
    registered = web.post("/shop/api/collect/register", json={"values": ANN, "choices": {"marketing": True}})
    assert registered.json()["consents"] == ["marketing"]
    assert second.json()["repeated"] and second.json()["receipt"] == first.json()["receipt"]
    assert "ann" not in first.text.lower()
    with site.reading() as conn:
        assert conn.execute(select(person.c.id)).scalar_one() not in first.text


def test_a_programs_mistakes_are_told_field_by_field(site: Site, web: Client) -> None:
    answer = web.post("/shop/api/collect/contact", json={"values": {"email": "x", "shoe": "44"}})
    assert answer.status_code == 422 and answer.headers["content-type"].startswith("application/problem+json")
    assert set(answer.json()["problems"]) == {"email", "question", "shoe"} and holdings(site) == 0


@pytest.mark.parametrize(
    ("body", "status"), [("{", 400), ("[]", 422), ('{"values": {"email": 5}}', 422), ('{"values": {}, "more": 1}', 422)]
)
def test_what_is_no_submission_is_refused_without_repeating_it(web: Client, body: str, status: int) -> None:
    headers = {"content-type": "application/json"}
    answer = web.post("/shop/api/collect/contact", content=body, headers=headers)
    assert answer.status_code == status and answer.headers["content-type"].startswith("application/problem+json")


def test_somebody_too_young_is_refused_with_the_line_that_says_so(site: Site, web: Client) -> None:
    sent = {"values": {**ANN, "birth_date": "2015-01-01"}}
    answer = web.post("/shop/api/collect/register", json=sent)
    assert answer.status_code == 403 and "because" in answer.json() and holdings(site) == 0
    page = web.post(REGISTER, data=filled(web, REGISTER, sent["values"]))
    assert (page.status_code == 403 and "Nothing was stored" in page.text) or "not" in page.text


def test_the_interface_describes_each_public_point(web: Client) -> None:
    schema = web.get("/shop/api/openapi").json()
    assert set(schema["paths"]) == {f"/shop/api/collect/{point}" for point in ("register", "order", "contact")}
    body = schema["paths"]["/shop/api/collect/contact"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["values"]["required"] == ["email", "question"]


def test_programs_find_whom_to_tell_of_a_weakness(web: Client) -> None:
    lines = web.get("/.well-known/security.txt").text.splitlines()
    assert "Contact: mailto:privacy@shop.example" in lines and "Expires: 2026-07-04T09:00:00Z" in lines
    assert web.get("/shop/.well-known/gpc.json").json() == {"gpc": True, "lastUpdate": "2024-01-01"}


# --- Mail ------------------------------------------------------------------------------------------------------------


def test_a_message_is_stopped_by_its_button_and_not_by_looking(site: Site, mailbox: Mailbox) -> None:
    shop = mailing(site, mailbox)
    with client(shop, mailbox=mailbox) as web:
        web.post(REGISTER, data=filled(web, REGISTER, ANN, **{"choice.marketing": "yes"}))
        with shop.writing() as conn:
            one = conn.execute(select(person.c.id)).scalar_one()
            terms = {"subject_line": "Lamps", "paragraphs": ["New lamps."]}
            assert queue(shop, conn, one, "offers", "letter", terms, "spring")
        run_mail(shop)
        (letter_link,) = re.findall(r'href="([^"]+)">Lamps<', web.get("/shop/mailbox").text)
        letter = web.get(letter_link).text
        (link,) = set(re.findall(r'href="(/shop/unsubscribe/[^"]+)"', letter))
        assert "Stop: offers" in web.get(link).text
        assert state_of(shop, one) == ["given"]
        done = web.post(link, data={"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200 and state_of(shop, one) == ["given", "withdrawn"]
        with shop.writing() as conn:
            assert not queue(shop, conn, one, "offers", "letter", terms, "summer")


def state_of(site: Site, person_id: str) -> list[str]:
    with site.reading() as conn:
        return [one.state for one in consent.history(conn, person_id)]


def test_the_mailbox_is_for_trying_things_out_only(site: Site, web: Client) -> None:
    assert web.get("/shop/mailbox").status_code == 404
    with client(site, mailbox=Mailbox()) as demo:
        assert "No message yet" in demo.get("/shop/mailbox").text
        assert demo.get("/shop/mailbox/1").status_code == 404
