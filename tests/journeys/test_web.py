"""The pages over HTTP, as a customer and a program meet them."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, text

from tests.asking import secret
from tests.operators import holdings, mailing, open_operator, run_mail
from tests.served import Client, client, filled, serving, token_of, words_of
from troth.clock import MovedClock, utc
from troth.consent import actions as consent
from troth.errors import PolicyError
from troth.messages.actions import queue
from troth.messages.links import stop_token
from troth.messages.mailbox import Mailbox
from troth.people.tables import person
from troth.people.vault import By
from troth.retention.tables import alarm
from troth.store import versions
from troth.store.site import Site
from troth.visits import actions as visits
from troth.web.app import make_app
from troth.web.evidence import Shown, no_look
from troth.work import turn

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
        assert "1 kept, 0 broken" in words_of(web.get("/").text)


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
        assert "A shorter or longer period (1)" in shown and "Said differently" not in shown
        assert "shorter: 20 days, was 30 days" in shown and "30 days after" in shown and "20 days after" in shown
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


def test_an_alarm_is_no_reason_to_start_anew_and_wakes_whoever_asks_for_alarms(site: Site) -> None:
    turn(site)
    with client(site) as web:
        assert [web.get(f"/health{asked}").json()["status"] for asked in ("", "?alarms")] == ["ok", "ok"]
        with site.writing() as conn:
            now = site.now()
            conn.execute(alarm.insert().values(kind="sweep silent", subject="sweep", since=now, raised_at=now))
        for asked, status in (("", 200), ("?alarms", 503), ("?alarms=yes", 503)):
            found = web.get(f"/health{asked}")
            assert (found.status_code, found.json()["status"]) == (status, "alarms")
            assert found.json()["alarms"] == {"shop": ["sweep silent"]}


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
    collecting = {f"/shop/api/collect/{point}" for point in ("register", "order", "contact")}
    assert {path for path in schema["paths"] if "/acts/" not in path} == collecting
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
        run_mail(shop)
        assert (
            web.post(
                f"/shop/account/link/{secret(mailbox, 'account/link')}", data={"password": "seven quiet lamps"}
            ).status_code
            < 400
        )
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
        empty = demo.get("/shop/mailbox").text
        assert "No message yet" in empty and "The link that confirms what somebody asks for" in empty
        assert demo.get("/shop/privacy").status_code == 200 and 'href="/shop/privacy"' in empty
        assert demo.get("/shop/mailbox/1").status_code == 404


def test_each_application_serves_its_own_sites_though_all_share_their_pages(site: Site) -> None:
    with client(site) as web, client() as empty:
        assert web.get("/shop").status_code == 200
        assert empty.get("/shop").status_code == 404
        assert web.get("/shop").status_code == 200


def test_what_applications_share_has_nothing_to_do_when_a_server_starts_or_ends() -> None:
    one, other = make_app([], look=no_look), make_app([], look=no_look)
    shared = one.asgi_router.app
    assert shared is other.asgi_router.app and shared not in (one, other)
    assert not shared.state and one.state is not other.state
    assert [*shared.on_startup, *shared.on_shutdown, *shared._lifespan_managers] == []
