"""Logging in with two steps or a passkey, over HTTP and in a browser; and everybody who should not get in."""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from tests.authenticator import Authenticator
from tests.browsing import looks
from tests.databases import Databases
from tests.journeys.test_accounts import link, log_in, registered
from tests.journeys.test_notice_page import violations
from tests.members import A_STEP, ANN, PASSWORD
from tests.operators import mailing, open_operator, run_mail
from tests.served import Client, client, serving, token_of, words_of
from troth.accounts import actions
from troth.accounts.factors.tables import passkey, spent
from troth.accounts.tables import session
from troth.clock import MovedClock, utc
from troth.collection.rules import Submission
from troth.logins.rules import TRIES
from troth.logins.totp import code_at
from troth.messages.mailbox import Mailbox
from troth.store.site import Site
from troth.web.evidence import Shown
from troth.web.scripted import SCRIPTED

HOME = "/shop/account"
ORIGIN = "http://localhost"  # over HTTPS the cookie would not go out to a test's own client
SECURITY, LOGIN, CODE = f"{HOME}/security", f"{HOME}/login", f"{HOME}/login/code"


@pytest.fixture
def shop(site: Site, mailbox: Mailbox) -> Site:
    site = mailing(site, mailbox)
    return replace(site, wiring=site.wiring.model_copy(update={"base_url": f"{ORIGIN}/shop"}))


@pytest.fixture
def web(shop: Site, mailbox: Mailbox) -> Iterator[Client]:
    with client(shop, mailbox=mailbox) as made:
        registered(made, shop, mailbox)
        made.cookies.clear()
        yield made


def post(web: Client, path: str, page: str = SECURITY, **sent: str) -> str:
    """Send a member's form whose token stands on ``page``."""
    return web.post(path, data={"token": token_of(web.get(page).text), **sent}).text


def secret_on(page: str) -> str:
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert found is not None
    return found[1].replace(" ", "")


def turned_on(web: Client, shop: Site) -> tuple[str, list[str]]:
    """The secret and the recovery codes of a member who turned codes on and logged out."""
    log_in(web)
    page = post(web, f"{HOME}/codes/begin", password=PASSWORD)
    assert 'role="img"' in page
    secret = secret_on(page)
    paper = web.post(f"{HOME}/codes/on", data={"token": token_of(page), "code": code_at(secret, shop.now())}).text
    web.cookies.clear()
    codes = re.findall(r"<code>([\w-]+)</code>", paper)
    assert len(codes) == 10
    return secret, codes


def first_step(web: Client) -> dict[str, str]:
    """What the form of the second step holds."""
    sent = {"token": token_of(web.get(LOGIN).text), "address": ANN["email"], "password": PASSWORD}
    answer = web.post(LOGIN, data=sent, follow_redirects=False)
    assert answer.status_code == 200 and "set-cookie" not in answer.headers
    half = re.search(r'name="half" value="([^"]+)"', answer.text)
    assert half is not None
    return {"token": token_of(answer.text), "half": half[1]}


@pytest.mark.clause("M29")
def test_a_log_in_takes_two_steps_and_a_session_is_made_by_the_second(
    web: Client, shop: Site, clock: MovedClock
) -> None:
    secret, paper = turned_on(web, shop)
    clock.move(timedelta(seconds=A_STEP))
    with shop.reading() as conn:
        before = len(conn.execute(select(session)).all())
    form = first_step(web)
    with shop.reading() as conn:
        assert len(conn.execute(select(session)).all()) == before
    assert web.get(HOME, follow_redirects=False).status_code == 303
    answer = web.post(CODE, data={**form, "code": code_at(secret, shop.now())}, follow_redirects=False)
    assert answer.status_code == 303 and "HttpOnly" in answer.headers["set-cookie"]
    assert "Ann Sparrow" in web.get(HOME).text
    for code in (code_at(secret, shop.now()), paper[0]):
        assert web.post(CODE, data={**form, "code": code}, follow_redirects=False).status_code == 403


@pytest.mark.clause("M29")
def test_whatever_is_wrong_with_a_code_looks_the_same(web: Client, shop: Site, clock: MovedClock) -> None:
    secret, paper = turned_on(web, shop)
    form, said = first_step(web), set()
    tried = ["000000", code_at(secret, shop.now()), "", paper[0][:-1], "<b>0</b>"]
    assert len(tried) == TRIES
    for code in [
        *tried,
        code_at(secret, shop.now() + timedelta(seconds=A_STEP)),
        paper[0],
    ]:  # the last two come too late
        answer = web.post(CODE, data={**form, "code": code}, follow_redirects=False)
        assert "set-cookie" not in answer.headers
        said.add((answer.status_code, re.sub(r'value="[^"]*"', "", answer.text)))
    guessed = web.post(CODE, data={**form, "half": "guessed", "code": "000000"}, follow_redirects=False)
    said.add((guessed.status_code, re.sub(r'value="[^"]*"', "", guessed.text)))
    assert len(said) == 1 and next(iter(said))[0] == 403


@pytest.mark.clause("M29")
def test_a_session_that_somebody_chose_beforehand_is_never_taken(web: Client, shop: Site, clock: MovedClock) -> None:
    _, paper = turned_on(web, shop)
    web.cookies.set("troth-shop", "fixed-by-somebody-else", path="/shop")
    answer = web.post(CODE, data={**first_step(web), "code": paper[0]}, follow_redirects=False)
    given = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
    assert given and given != "fixed-by-somebody-else"
    with client(shop) as other:
        other.cookies.set("troth-shop", "fixed-by-somebody-else", path="/shop")
        assert other.get(HOME, follow_redirects=False).status_code == 303


FORMS = ["login/code", "login/passkey", "codes/begin", "codes/on", "codes/paper", "codes/off", "passkeys/begin", "passkeys/add",
         "passkeys/remove", "sessions/end", "address", "address/stay", "given/x"]  # fmt: skip


def test_a_form_without_its_token_or_from_another_site_does_nothing(web: Client) -> None:
    log_in(web)
    page = web.get(SECURITY).text
    forged = (
        ({"token": ""}, {}),
        ({"token": token_of(page)}, {"sec-fetch-site": "cross-site"}),
        ({"token": token_of(web.get("/shop/forms/register").text)}, {}),
    )
    for form, (sent, headers) in product(FORMS, forged):
        answer = web.post(f"{HOME}/{form}", data={**sent, "password": PASSWORD}, headers=headers)
        assert answer.status_code == 403, form
    assert re.sub(r'value="[^"]*"', "", web.get(SECURITY).text) == re.sub(r'value="[^"]*"', "", page)


def test_sessions_are_listed_and_ended_one_by_one_on_the_page(web: Client, shop: Site, clock: MovedClock) -> None:
    log_in(web)
    clock.move(timedelta(hours=2))
    with client(shop) as other:
        log_in(other)
        page = words_of(web.get(SECURITY).text)
        assert "Since 5 January 2026 09:00 UTC, until 6 January 2026 09:00 UTC at the latest here" in page
        assert "Since 5 January 2026 11:00 UTC" in page
        names = re.findall(r'name="session" value="(\w+)"', web.get(SECURITY).text)
        post(web, f"{HOME}/sessions/end", session=names[1])
        assert other.get(HOME, follow_redirects=False).status_code == 303
        assert web.get(HOME, follow_redirects=False).status_code == 200
    post(web, f"{HOME}/sessions/end", session=names[0])
    assert web.get(HOME, follow_redirects=False).status_code == 303


def test_codes_are_renewed_and_turned_off_with_both_on_the_page(web: Client, shop: Site, clock: MovedClock) -> None:
    _, paper = turned_on(web, shop)
    web.post(CODE, data={**first_step(web), "code": paper[0]})
    wrong = post(web, f"{HOME}/codes/off", password=PASSWORD, code="000000")
    assert "The code is not right" in wrong and "<details open>" in wrong
    fresh = re.findall(r"<code>([\w-]+)</code>", post(web, f"{HOME}/codes/paper", password=PASSWORD, code=paper[1]))
    assert len(fresh) == 10 and not set(fresh) & set(paper)
    assert "not right" in post(web, f"{HOME}/codes/off", password="not it", code=fresh[0])
    assert "Set up codes" in post(web, f"{HOME}/codes/off", password=PASSWORD, code=fresh[0])
    web.cookies.clear()
    assert log_in(web) == 303


def options_on(page: str) -> str:
    found = re.search(r'data-passkey="([^"]+)"', page)
    assert found is not None
    return html.unescape(found[1])


def with_passkey(web: Client) -> Authenticator:
    """The device of a member who added a passkey and logged out."""
    log_in(web)
    page = post(web, f"{HOME}/passkeys/begin", password=PASSWORD)
    key = Authenticator(ORIGIN)
    sent = {"token": token_of(page), "answer": key.make(options_on(page))}
    assert web.post(f"{HOME}/passkeys/add", data=sent, follow_redirects=False).status_code == 303
    web.cookies.clear()
    return key


def test_a_passkey_logs_its_member_in_and_its_answer_no_second_time(web: Client) -> None:
    key = with_passkey(web)
    page = web.get(LOGIN).text
    sent = {"token": token_of(page), "answer": key.log_in(options_on(page))}
    assert web.post(f"{LOGIN}/passkey", data=sent, follow_redirects=False).status_code == 303
    assert "Ann Sparrow" in web.get(HOME).text
    web.cookies.clear()
    again = web.post(f"{LOGIN}/passkey", data=sent, follow_redirects=False)
    assert again.status_code == 403 and "set-cookie" not in again.headers


def test_a_passkey_is_removed_with_the_password_on_the_page(web: Client, shop: Site) -> None:
    with_passkey(web)
    log_in(web)
    with shop.reading() as conn:
        (named,) = conn.scalars(select(passkey.c.id))
    for password in ("", "a guess", PASSWORD):
        with shop.reading() as conn:
            assert len(conn.execute(select(passkey.c.id)).all()) == 1
        page = web.get(f"{HOME}/security").text
        sent = {"token": token_of(page), "passkey": named, "password": password}
        answer = web.post(f"{HOME}/passkeys/remove", data=sent, follow_redirects=False)
        assert answer.status_code == (303 if password == PASSWORD else 403)
        assert password == PASSWORD or "The password is not right" in answer.text
    with shop.reading() as conn:
        assert conn.execute(select(passkey.c.id)).all() == []


def test_another_forms_token_does_not_make_an_answer_good(web: Client) -> None:
    key = with_passkey(web)
    one, two = web.get(LOGIN).text, web.get(LOGIN).text
    sent = {"token": token_of(two), "answer": key.log_in(options_on(one))}
    assert web.post(f"{LOGIN}/passkey", data=sent).status_code == 403


def test_a_host_header_changes_neither_origin_nor_domain(web: Client) -> None:
    key = with_passkey(web)
    evil = {"host": "evil.example", "x-forwarded-host": "evil.example", "origin": "null"}
    page = web.get(LOGIN, headers=evil).text
    assert json.loads(options_on(page))["rpId"] == "localhost"
    lured = replace(key, origin="https://evil.example", domain="evil.example")
    sent = {"token": token_of(page), "answer": lured.log_in(options_on(page))}
    assert web.post(f"{LOGIN}/passkey", data=sent, headers=evil).status_code == 403


def test_looking_at_pages_spends_and_keeps_nothing(web: Client, shop: Site) -> None:
    for _ in range(3):
        web.get(LOGIN)
    with shop.reading() as conn:
        assert conn.execute(select(spent)).all() == conn.execute(select(passkey)).all() == []


def test_two_pages_run_our_own_script_and_no_other_page_runs_any(web: Client) -> None:
    log_in(web)
    making = web.post(f"{HOME}/passkeys/begin", data={"token": token_of(web.get(SECURITY).text), "password": PASSWORD})
    scripted = [web.get(LOGIN), making]
    for page in scripted:
        assert page.headers["content-security-policy"] == SCRIPTED
        assert re.findall(r"<script[^>]*>[^<]*", page.text) == ['<script src="/static/passkey.js" defer>']
        assert " onclick" not in page.text and "data-without-script" in page.text
    assert "unsafe" not in SCRIPTED and web.get("/static/passkey.js").status_code == 200
    for path in ("", "/security", "/address", "/given", "/profile", "/leave", "/forgot"):
        page = web.get(f"{HOME}{path}")
        assert "script-src" not in page.headers["content-security-policy"] and "<script" not in page.text


def test_where_browsers_know_no_passkeys_the_log_in_offers_none(site: Site, mailbox: Mailbox) -> None:
    with client(mailing(site, mailbox)) as web:
        page = web.get(LOGIN)
        assert "data-passkey" not in page.text and "script-src" not in page.headers["content-security-policy"]


def test_an_address_is_changed_through_the_mail_and_the_page_says_the_same_of_anybodys(
    web: Client, shop: Site, mailbox: Mailbox
) -> None:
    actions.register(shop, Submission("register", {"email": "bob@shop.example", "full_name": "Bob Finch"}, "reg-bob"))
    log_in(web)
    said = set()
    for address in ("bob@shop.example", "wren@new.example"):
        page = post(web, f"{HOME}/address", f"{HOME}/address", address=address, password=PASSWORD)
        said.add(re.sub(r'value="[^"]*"', "", page).replace(address, "ADDRESS"))
    assert len(said) == 1
    run_mail(shop)
    letter = next(one for one in mailbox.messages() if "/account/address/" in one.body("plain"))
    assert letter.recipients == ("wren@new.example",)
    path = f"{HOME}/address/{letter.body('plain').partition('/account/address/')[2].split()[0]}"
    for _ in range(2):
        assert web.get(path).status_code == 200
    assert web.post(path, data={"token": ""}).status_code == 403
    sent = {"token": token_of(web.get(path).text)}
    assert "Your address is changed" in words_of(web.post(path, data=sent).text)
    again = web.post(path, data=sent)
    assert again.status_code == 404 and "the first press counted" in words_of(again.text)
    assert web.get(path).status_code == 404
    assert "wren@new.example" in words_of(web.get(f"{HOME}/address").text)
    web.cookies.clear()
    assert log_in(web, ANN["email"]) == 403 and log_in(web, "wren@new.example") == 303


# --- In a browser ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Site, Mailbox]]:
    """Optokingdom at an address with a name, where browsers know passkeys, and with a customer."""
    box = Mailbox()
    box.start()
    clock = MovedClock(utc(2026, 11, 22, 9))
    site = mailing(open_operator("optokingdom", tmp_path_factory.mktemp("sites"), clock, databases.fresh), box)
    with serving([site], box, lambda _: dict[str, Shown]()) as started:
        base = started.replace("127.0.0.1", "localhost")
        object.__setattr__(site.wiring, "base_url", f"{base}/optokingdom")
        yield base, site, box
    box.stop()


def customer(site: Site, box: Mailbox, email: str) -> None:
    values = {"full_name": "Kim Lee", "address": "9 Quay Road", "phone": "+44 20 7946 0003", "email": email}
    actions.register(site, Submission("register", values, email[:20], acknowledged=True))
    actions.choose_password(site, link(site, box).rpartition("/")[2], PASSWORD)


def enter(page: Page, home: str, email: str, tag: str) -> None:
    page.goto(f"{home}/account/login?lang={tag}")
    page.fill("#address", email)
    page.fill("#password", PASSWORD)
    assert violations(page) == []
    with page.expect_navigation():
        page.locator("#password").press("Enter")


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 390, "height": 900}, color_scheme="dark", bypass_csp=True)
    yield made
    made.close()


@pytest.mark.browser
@pytest.mark.parametrize("tag", ["en", "zh-Hant"])
def test_codes_are_set_up_and_used_with_a_keyboard(
    context: BrowserContext, served: tuple[str, Site, Mailbox], tmp_path: Path, tag: str
) -> None:
    base, site, box = served
    page, home, email = context.new_page(), f"{base}/optokingdom", f"codes-{tag.lower()}@mail.example"
    customer(site, box, email)
    enter(page, home, email, tag)
    for name in ("", "/address", "/given"):
        page.goto(f"{home}/account{name}?lang={tag}")
        looks(page, tmp_path / f"account{name.replace('/', '-')}.png")
    page.goto(f"{home}/account/security?lang={tag}")
    looks(page, tmp_path / "2.png")
    page.fill("#codes-password", PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    looks(page, tmp_path / "3.png")
    secret = page.locator("main code").inner_text().replace(" ", "")
    page.fill("#code", code_at(secret, site.now()))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    looks(page, tmp_path / "4.png")
    paper = page.locator("main li code").all_inner_texts()
    page.goto(f"{home}/account/security?lang={tag}")
    page.locator("details summary").press("Enter")
    looks(page, tmp_path / "5.png")
    context.clear_cookies()
    enter(page, home, email, tag)
    looks(page, tmp_path / "6.png")
    page.fill("#code", paper[0])
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("dl.facts")).to_contain_text("Kim Lee")


@pytest.mark.browser
def test_a_passkey_is_made_and_used_in_a_real_browser(browser: Browser, served: tuple[str, Site, Mailbox]) -> None:
    base, site, box = served
    context = browser.new_context()  # with our own policy for scripts in force: the script must run under it
    page, home, email = context.new_page(), f"{base}/optokingdom", "passkey@mail.example"
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    device = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    device |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    number = devices.send("WebAuthn.addVirtualAuthenticator", {"options": device})["authenticatorId"]
    customer(site, box, email)
    page.goto(f"{home}/account/login?lang=en")
    page.fill("#address", email)
    page.fill("#password", PASSWORD)
    with page.expect_navigation():
        page.locator("#password").press("Enter")
    page.goto(f"{home}/account/security?lang=en")
    page.fill("#passkey-password", PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("[data-without-script]")).to_be_hidden()
    page.get_by_role("button", name="Make a passkey").click()
    page.wait_for_url("**/account/security**")
    expect(page.locator("main")).to_contain_text("Made on 22 November 2026 09:00 UTC")
    assert len(devices.send("WebAuthn.getCredentials", {"authenticatorId": number})["credentials"]) == 1
    context.clear_cookies()
    page.goto(f"{home}/account/login?lang=en")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/account?lang=en")
    expect(page.locator("dl.facts")).to_contain_text("Kim Lee")
    devices.send("WebAuthn.setUserVerified", {"authenticatorId": number, "isUserVerified": False})
    context.clear_cookies()
    page.goto(f"{home}/account/login?lang=en")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator("form[data-passkey] [role=alert]")).to_be_visible()
    assert not [one for one in errors if "Content Security Policy" in one]
    context.close()


@pytest.mark.browser
def test_without_a_script_the_log_in_says_so_and_works(browser: Browser, served: tuple[str, Site, Mailbox]) -> None:
    base, site, box = served
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    customer(site, box, "plain@mail.example")
    page.goto(f"{base}/optokingdom/account/login?lang=en")
    expect(page.get_by_role("button", name="Use a passkey")).to_be_hidden()
    expect(page.locator("main")).to_contain_text("Passkeys need JavaScript")
    page.fill("#address", "plain@mail.example")
    page.fill("#password", PASSWORD)
    page.locator("#password").press("Enter")
    expect(page.locator("dl.facts")).to_contain_text("Kim Lee")
    context.close()
