"""Accounts over HTTP and in a browser: registering, logging in, the profile, leaving; and everybody who should not get in."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from tests.asking import secret
from tests.browsing import looks
from tests.databases import Databases
from tests.journeys.test_notice_page import violations
from tests.members import PASSWORD
from tests.operators import holdings, mailing, open_operator, run_mail
from tests.served import Client, client, filled, serving, token_of, words_of
from troth.accounts.actions import by_address, suspend
from troth.accounts.tables import account
from troth.clock import MovedClock, utc
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.messages.mailbox import Mailbox
from troth.rehearsal import made_up
from troth.store.site import Site
from troth.web.evidence import Shown

ANN = {"email": "ann@shop.example", "full_name": "Ann Sparrow"}
REGISTER, LOGIN = "/shop/forms/register", "/shop/account/login"


@pytest.fixture
def shop(site: Site, mailbox: Mailbox) -> Site:
    return mailing(site, mailbox)


@pytest.fixture
def web(shop: Site, mailbox: Mailbox) -> Iterator[Client]:
    with client(shop, mailbox=mailbox) as made:
        yield made


def link(site: Site, mailbox: Mailbox) -> str:
    """The path of the newest link that is good for once."""
    run_mail(site)
    return f"/{site.name}/account/link/{secret(mailbox, 'account/link')}"


def registered(web: Client, shop: Site, mailbox: Mailbox, **more: str) -> None:
    web.post(REGISTER, data=filled(web, REGISTER, ANN | more))
    web.post(link(shop, mailbox), data={"password": PASSWORD})


def log_in(web: Client, address: str = ANN["email"], password: str = PASSWORD) -> int:
    sent = {"token": token_of(web.get(LOGIN).text), "address": address, "password": password}
    return web.post(LOGIN, data=sent, follow_redirects=False).status_code


@pytest.mark.clause("M29")
def test_a_member_registers_confirms_logs_in_and_out(web: Client, shop: Site, mailbox: Mailbox) -> None:
    registered(web, shop, mailbox)
    assert log_in(web) == 303
    page = words_of(web.get("/shop/account").text)
    assert "Ann Sparrow" in page and "ann@shop.example" in page
    token = token_of(web.get("/shop/account").text)
    web.post("/shop/account/logout", data={"token": token})
    assert "Ann Sparrow" not in web.get("/shop/account").text


@pytest.mark.clause("M29")
def test_opening_the_link_uses_nothing_up_and_the_button_does(web: Client, shop: Site, mailbox: Mailbox) -> None:
    web.post(REGISTER, data=filled(web, REGISTER, ANN))
    address = link(shop, mailbox)
    for _ in range(3):
        assert web.get(address).status_code == 200 and web.head(address).status_code == 200
    assert web.post(address, data={"password": "short"}).status_code == 422
    assert web.post(address, data={"password": PASSWORD}).status_code == 200
    assert web.get(address).status_code == 404
    again = words_of(web.post(address, data={"password": PASSWORD}).text)
    assert "no longer good" in again and "the first press counted" in again
    assert "the first press counted" not in words_of(web.get(address).text)


def test_the_cookie_is_the_one_the_policy_declares_and_nothing_else_sets_one(
    web: Client, shop: Site, mailbox: Mailbox
) -> None:
    registered(web, shop, mailbox)
    for path in ("/", "/shop/", "/shop/forms", REGISTER, LOGIN, "/shop/account/forgot"):
        assert "set-cookie" not in web.get(path).headers
    sent = {"token": token_of(web.get(LOGIN).text), "address": ANN["email"], "password": PASSWORD}
    cookie = web.post(LOGIN, data=sent, follow_redirects=False).headers["set-cookie"]
    assert {"HttpOnly", "Path=/shop", "SameSite=lax", "Max-Age=86400"} <= set(re.split(r"; *", cookie))
    assert "domain" not in cookie.lower()


@pytest.mark.clause("M16")
def test_pages_that_need_the_cookie_say_so_and_all_others_work_without(web: Client) -> None:
    said = words_of(web.get(LOGIN).text)
    assert "Logging in needs one cookie: it keeps you logged in. It goes after 1 day" in said
    assert "All other pages work without any." in said
    assert web.get("/shop/account", follow_redirects=False).status_code == 303
    assert web.get("/shop/").status_code == 200


@pytest.mark.clause("M29")
def test_asking_for_a_new_password_says_nothing_about_who_has_an_account(
    web: Client, shop: Site, mailbox: Mailbox
) -> None:
    registered(web, shop, mailbox)
    pages = []
    for address in (ANN["email"], "nobody@shop.example", "no address", "x" * 5000):
        token = token_of(web.get("/shop/account/forgot").text)
        pages.append(web.post("/shop/account/forgot", data={"token": token, "address": address}))
    assert len({(one.status_code, one.text) for one in pages}) == 1
    before = len(mailbox.messages())
    assert link(shop, mailbox) and len(mailbox.messages()) == before + 1


@pytest.mark.clause("M29")
def test_a_registration_looks_the_same_for_a_known_address(web: Client, shop: Site, mailbox: Mailbox) -> None:
    registered(web, shop, mailbox)
    held = holdings(shop)
    number = re.compile(r"receipt: \w+")
    known, new = (
        number.sub("", words_of(web.post(REGISTER, data=filled(web, REGISTER, ANN | {"email": address})).text))
        for address in (ANN["email"], "new@shop.example")
    )
    assert known == new
    assert holdings(shop) > held


@pytest.mark.clause("M29")
def test_a_wrong_password_an_unknown_address_and_too_many_tries_look_the_same(
    web: Client, shop: Site, mailbox: Mailbox
) -> None:
    registered(web, shop, mailbox)
    said = set()
    for address, password in [(ANN["email"], "wrong"), ("nobody@shop.example", "wrong")] * 6 + [
        (ANN["email"], PASSWORD)
    ]:
        sent = {"token": token_of(web.get(LOGIN).text), "address": address, "password": password}
        answer = web.post(LOGIN, data=sent, follow_redirects=False)
        said.add((answer.status_code, re.sub(r'value="[^"]*"', "", answer.text)))
    assert len(said) == 1 and next(iter(said))[0] == 403


@pytest.mark.parametrize("form", ["login", "logout", "profile", "cancel", "delete", "forgot"])
def test_a_form_without_its_token_or_from_another_site_does_nothing(
    web: Client, shop: Site, mailbox: Mailbox, form: str
) -> None:
    registered(web, shop, mailbox)
    log_in(web)
    for sent, headers in (
        ({"token": ""}, {}),
        ({"token": token_of(web.get("/shop/account/leave").text)}, {"sec-fetch-site": "cross-site"}),
        ({"token": token_of(web.get(REGISTER).text)}, {}),
    ):
        assert web.post(f"/shop/account/{form}", data=sent, headers=headers).status_code == 403
    assert "Ann Sparrow" in web.get("/shop/account").text


def test_no_page_leads_to_a_change_of_address_where_there_is_none(
    web: Client, shop: Site, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(web, shop, mailbox)
    log_in(web)
    pages = ("/shop/account", "/shop/account/profile")
    assert all("/account/address" in web.get(page).text for page in pages)
    monkeypatch.setattr("troth.accounts.address.field_of", lambda *_: None)
    assert not any("/account/address" in web.get(page).text for page in pages)


@pytest.mark.parametrize("way", ["cancel", "delete"])
def test_a_second_press_on_the_way_out_says_that_the_first_counted(
    web: Client, shop: Site, mailbox: Mailbox, way: str
) -> None:
    registered(web, shop, mailbox)
    log_in(web)
    token, cookie = token_of(web.get("/shop/account/leave").text), f"troth-shop={web.cookies['troth-shop']}"
    first, second = (
        web.post(f"/shop/account/{way}", data={"token": token}, headers={"cookie": cookie}) for _ in range(2)
    )
    assert (first.status_code, second.status_code) == (200, 403)
    assert "the first press counted" in words_of(second.text)


@pytest.mark.clause("M29")
def test_the_right_password_opens_only_the_account_that_is_open_and_no_other(
    web: Client, shop: Site, mailbox: Mailbox
) -> None:
    registered(web, shop, mailbox)
    bob = "bob@shop.example"
    web.post(REGISTER, data=filled(web, REGISTER, ANN | {"email": bob, "full_name": "Bob Finch"}))
    assert log_in(web, bob) == 403, "nobody has confirmed this address yet"
    web.post(link(shop, mailbox), data={"password": "nine loud kettles"})
    assert log_in(web, bob) == 403 and log_in(web, password="nine loud kettles") == 403
    assert log_in(web, bob, "nine loud kettles") == 303 and "Bob Finch" in web.get("/shop/account").text
    assert log_in(web) == 303 and "Ann Sparrow" in web.get("/shop/account").text
    with shop.reading() as conn:
        ann = by_address(shop, conn, ANN["email"])
    assert ann
    suspend(shop, ann, "Screens were ordered with stolen cards.")
    assert "Ann Sparrow" not in web.get("/shop/account").text, "the session is over at once"
    sent = {"token": token_of(web.get(LOGIN).text), "address": ANN["email"], "password": PASSWORD}
    answer = web.post(LOGIN, data=sent, follow_redirects=False)
    assert answer.status_code == 403 and "stolen cards" in answer.text
    assert log_in(web, password="wrong") == 403 and log_in(web, bob, "nine loud kettles") == 303


@pytest.mark.clause("M29")
def test_a_members_form_cannot_be_sent_from_another_session(web: Client, shop: Site, mailbox: Mailbox) -> None:
    registered(web, shop, mailbox)
    log_in(web)
    stolen = token_of(web.get("/shop/account/leave").text)
    with client(shop) as other:
        other.post(REGISTER, data=filled(other, REGISTER, {"email": "bob@shop.example", "full_name": "Bob"}))
        other.post(link(shop, mailbox), data={"password": PASSWORD})
        log_in(other, "bob@shop.example")
        assert other.post("/shop/account/delete", data={"token": stolen}).status_code == 403
        assert "Bob" in other.get("/shop/account").text


@pytest.mark.clause("M29")
def test_nobody_acts_without_logging_in(web: Client) -> None:
    for path in ("/shop/account/cancel", "/shop/account/delete"):
        assert web.post(path, data={"token": "x"}).status_code == 403
    for path in ("/shop/account", "/shop/account/profile", "/shop/account/leave"):
        assert web.get(path, follow_redirects=False).headers["location"] == "/shop/account/login"
    answer = web.get(
        "/shop/account?next=https://evil.example/", headers={"host": "evil.example"}, follow_redirects=False
    )
    assert answer.headers["location"] == "/shop/account/login"


def operator(name: str, folder: Path, clock: MovedClock, fresh: Callable[..., str], box: Mailbox) -> Site:
    return mailing(open_operator(name, folder, clock, fresh), box)


@pytest.mark.clause("L8", "O25")
@pytest.mark.parametrize(
    ("name", "point", "field"),
    [("ledinside", "product_request", "product_request"), ("optokingdom", "write_review", "review")],
)
def test_services_are_closed_until_registration_is_complete(
    tmp_path: Path,
    clock: MovedClock,
    fresh_database: Callable[..., str],
    mailbox: Mailbox,
    name: str,
    point: str,
    field: str,
) -> None:
    site = operator(name, tmp_path, clock, fresh_database, mailbox)
    form = f"/{name}/forms/{point}"
    asked = site.policy().policy.collection[point].required
    with client(site) as web:
        given = register_at(web, site, mailbox)
        values = {key: given.get(key, "What I have to say") for key in asked}
        before = holdings(site)
        assert 'name="token"' not in web.get(form).text
        assert (
            web.post(form, data={"token": "", **{f"field.{key}": value for key, value in values.items()}}).status_code
            == 422
        )
        web.post(link(site, mailbox), data={"password": PASSWORD})
        assert 'name="token"' not in web.get(form).text
        sent = {
            "token": token_of(web.get(f"/{name}/account/login").text),
            "address": given["email"],
            "password": PASSWORD,
        }
        web.post(f"/{name}/account/login", data=sent)
        assert web.post(form, data=filled(web, form, values)).status_code == 200
        assert holdings(site) > before
    assert field in values


def register_at(web: Client, site: Site, mailbox: Mailbox) -> dict[str, str]:
    """Fill in the site's registration form and return what was typed."""
    compiled = site.policy()
    key, point = next((key, one) for key, one in compiled.policy.collection.items() if one.kind == "account")
    asked = {one: compiled.policy.data[one].category for one in point.required if one not in compiled.never_stored}
    typed = {**made_up.values(asked, seed=3, who=1, random=Random(3)), "email": "kim@mail.example"}
    more = {"acknowledged": "yes"} if point.warns else {}
    answer = web.post(f"/{site.name}/forms/{key}", data=filled(web, f"/{site.name}/forms/{key}", typed, **more))
    assert answer.status_code == 200, words_of(answer.text)
    return typed


@pytest.mark.clause("M29")
def test_only_the_member_reads_and_changes_an_account(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str], mailbox: Mailbox
) -> None:
    site = operator("made-in-china", tmp_path, clock, fresh_database, mailbox)
    with client(site) as web:
        typed = register_at(web, site, mailbox)
        web.post(link(site, mailbox), data={"password": PASSWORD})
        base = "/made-in-china/account"
        assert web.post(f"{base}/profile", data={"field.full_name": "Eve"}, follow_redirects=False).status_code == 303
        sent = {"token": token_of(web.get(f"{base}/login").text), "address": typed["email"], "password": PASSWORD}
        web.post(f"{base}/login", data=sent)
        page = web.get(f"{base}/profile").text
        changed = {key: value for key, value in typed.items() if key != "email"} | {"company_type": "maker of lamps"}
        web.post(f"{base}/profile", data={"token": token_of(page), **{f"field.{k}": v for k, v in changed.items()}})
        assert "maker of lamps" in web.get(base).text
    with client(site) as other:
        assert "maker of lamps" not in other.get(base).text
    with site.reading() as conn:
        kept = conn.scalar(select(account.c.password))
    assert kept is not None and kept.startswith("$argon2id$") and PASSWORD not in kept


CARD = "4111 1111 1111 1111"


@pytest.mark.clause("F16")
def test_a_card_number_goes_back_into_no_page_of_a_member(web: Client, shop: Site, mailbox: Mailbox) -> None:
    registered(web, shop, mailbox)
    collect(shop, Submission("order", ANN | {"delivery_address": "9 Quay Road", "order_total": "2 lamps"}, "ann-1"))
    log_in(web)
    given = re.findall(r'href="(/shop/account/given/\w+)"', web.get("/shop/account/given").text)
    (order,) = (one for one in given if "field.delivery_address" in web.get(one).text)
    for page, field in (("/shop/account/profile", "phone"), (order, "delivery_address")):
        answer = web.post(page, data=filled(web, page, {field: f"Card {CARD}"}))
        assert answer.status_code == 422, words_of(answer.text)
        assert "4111" not in answer.text and "looks like a payment card" in words_of(answer.text)
        assert f'href="#f-{field}"' in answer.text and "<title>Error: " in answer.text
        assert "ann@shop.example" in answer.text or page != "/shop/account/profile"


# --- In a browser ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Site, Mailbox]]:
    box = Mailbox()
    box.start()
    clock = MovedClock(utc(2026, 11, 22, 9))
    site = operator("optokingdom", tmp_path_factory.mktemp("sites"), clock, databases.fresh, box)
    with serving([site], box, lambda _: dict[str, Shown]()) as started:
        yield started, site, box
    box.stop()


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width", "tag"), [("light", 1100, "en"), ("dark", 390, "zh-Hant")])
def test_a_customer_comes_and_goes_with_a_keyboard(
    browser: Browser, address: tuple[str, Site, Mailbox], tmp_path: Path, scheme: str, width: int, tag: str
) -> None:
    base, site, box = address
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": 900},
        java_script_enabled=True,
        bypass_csp=True,
    )
    page = context.new_page()
    email, home = f"{tag.lower()}@mail.example", f"{base}/optokingdom"
    page.goto(f"{home}/forms/register?lang={tag}")
    for field, value in {
        "full_name": "Kim Lee",
        "address": "9 Quay Road",
        "phone": "+44 20 7946 0003",
        "email": email,
    }.items():
        page.fill(f'[name="field.{field}"]', value)
    page.check('[name="acknowledged"]')
    with page.expect_navigation():
        page.locator("form button").press("Enter")
    page.goto(f"{base}{link(site, box)}?lang={tag}")
    page.fill("#password", PASSWORD)
    assert violations(page) == []
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.goto(f"{home}/account?lang={tag}")
    page.fill("#address", email)
    page.fill("#password", PASSWORD)
    assert violations(page) == []
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("dl.facts")).to_contain_text("Kim Lee")
    looks(page, tmp_path / "account.png")
    for name in ("profile", "leave"):
        page.goto(f"{home}/account/{name}?lang={tag}")
        looks(page, tmp_path / f"{name}.png")
    page.locator('form[action*="/account/delete"] button').press("Enter")
    expect(page.locator('[role="status"]')).to_be_visible()
    looks(page, tmp_path / "deleted.png")
    page.goto(f"{home}/account?lang={tag}")
    expect(page.locator("#password")).to_be_visible()
    context.close()
