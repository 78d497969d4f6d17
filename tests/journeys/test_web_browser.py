"""The pages in a real browser: a customer at a shop, with a keyboard, a phone, in light and dark, on five operators' sites."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsing import clipped
from tests.databases import Databases
from tests.journeys.test_notice_page import violations
from tests.operators import holdings, mailing, open_operator, run_mail
from tests.served import serving
from troth.clock import MovedClock, utc
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.messages.mailbox import Mailbox
from troth.store.site import Site
from troth.web.evidence import Shown

pytestmark = pytest.mark.browser
NAMES = ("shop", "infortrend", "ledflex", "ledinside", "made-in-china", "optokingdom")
CLOCK = MovedClock(utc(2026, 11, 22, 9))


def look(site: Site) -> dict[str, Shown]:
    """Evidence of every verdict."""
    verdicts = ["kept"] * 7 + ["attested", "not proven", "broken"]
    ids = [promise.id for promise in site.policy().promises]
    checked = site.now() - timedelta(minutes=4)
    return {key: Shown(verdicts[n % 10], {"en": "measured: 29 days 3 hours"}, checked) for n, key in enumerate(ids)}  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    box.start()
    yield box
    box.stop()


@pytest.fixture(scope="module")
def sites(databases: Databases, mailbox: Mailbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Site]:
    folder = tmp_path_factory.mktemp("sites")
    fresh: Callable[..., str] = databases.fresh
    return {name: mailing(open_operator(name, folder, CLOCK, fresh), mailbox) for name in NAMES}


@pytest.fixture(scope="module")
def address(sites: dict[str, Site], mailbox: Mailbox) -> Iterator[str]:
    shop = sites["shop"]
    values = {"email": "lee@lamp.example", "full_name": "Lee Finch"}
    collect(shop, Submission("fair_import", values, "fair-1", partner="fair"))
    run_mail(shop)
    with serving(list(sites.values()), mailbox, look) as started:
        yield started


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    # The pages forbid every script that is not theirs; axe is let in past that, and only in tests.
    context = browser.new_context(color_scheme=request.param, viewport={"width": 1280, "height": 900}, bypass_csp=True)
    made = context.new_page()
    yield made
    context.close()


def barriers(page: Page) -> list[tuple[str, str]]:
    return [(found["id"], found["nodes"][0]["html"]) for found in violations(page)]


PAGES = (
    "/",
    "/shop/",
    "/shop/forms",
    "/shop/forms/register",
    "/shop/versions",
    "/shop/mailbox",
    "/shop/mailbox/1",
    "/nowhere",
)


@pytest.mark.parametrize("path", [*PAGES, "/made-in-china/forms/post_item", "/ledflex/forms/open_account?lang=zh-Hant"])
def test_no_barrier_is_found_on_a_page(page: Page, address: str, path: str) -> None:
    page.goto(address + path)
    assert barriers(page) == []


def test_no_barrier_is_found_on_a_form_with_errors_nor_on_its_receipt(page: Page, address: str) -> None:
    page.goto(f"{address}/shop/forms/register")
    page.get_by_label("Telephone number").fill("not a number")
    page.get_by_role("button", name="Send to").click()
    assert page.get_by_role("alert").is_visible()
    assert barriers(page) == []
    page.get_by_label("Telephone number").fill("")
    page.get_by_label("Name (required)").fill("Ann Sparrow")
    page.get_by_label("E-mail address").fill("ann@shop.example")
    page.get_by_role("button", name="Send to").click()
    assert page.get_by_role("heading", name="It has arrived").is_visible()
    assert barriers(page) == []


def test_a_customer_opens_an_account_with_the_keyboard_alone(
    browser: Browser, sites: dict[str, Site], address: str
) -> None:
    page = browser.new_page()
    before = holdings(sites["shop"])
    page.goto(f"{address}/shop/forms/register")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for label, words in (("E-mail address", "kay@shop.example"), ("Name", "Kay Wren")):
        _tab_to(page, label)
        page.keyboard.type(words)
    _tab_to(page, "Yes, use my data for this: send you offers")
    page.keyboard.press("Space")
    _tab_to(page, "Send to Lamp Shop Limited")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=It has arrived")
    assert "send you offers" in page.inner_text("main")
    assert holdings(sites["shop"]) > before
    assert page.context.cookies() == []
    page.close()


def _tab_to(page: Page, words: str) -> None:
    """Press Tab until what has the focus is called ``words``."""
    named = "document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent"
    for _ in range(30):
        page.keyboard.press("Tab")
        if str(page.evaluate(named)).strip().startswith(words):
            return
    raise AssertionError(f"the keyboard does not reach {words}")


def test_the_summary_leads_to_the_field(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}/shop/forms/contact")
    page.get_by_role("button", name="Send to").click()
    page.get_by_role("alert").get_by_role("link", name="Your question").click()
    assert page.evaluate("document.activeElement.id") == "f-question"
    page.close()


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("path", [*PAGES, "/ledflex/forms/place_order", "/infortrend/forms?lang=zh-Hant"])
def test_a_phone_never_scrolls_sideways(browser: Browser, address: str, path: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(address + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert clipped(page) == []
    page.close()


def test_the_pages_break_no_rule_they_set_for_themselves(browser: Browser, address: str) -> None:
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in (*PAGES, "/ledflex/", "/infortrend/forms/contact"):
        page.goto(address + path)
    assert [line for line in said if "404" not in line] == []
    assert all(url.startswith(address) for url in asked)
    page.close()


@pytest.mark.parametrize("name", NAMES)
def test_each_site_is_read_from_the_index_to_a_form(
    browser: Browser, sites: dict[str, Site], address: str, name: str
) -> None:
    page = browser.new_page(locale="en-GB")
    page.goto(address)
    card = page.locator("li", has=page.get_by_role("heading", name=sites[name].wiring.title, exact=True))
    card.get_by_role("link", name="Read the policy").click()
    expect(page).to_have_title(re.compile("Privacy policy"))
    page.get_by_role("link", name="Forms", exact=True).click()
    page.locator("ul.lines a").first.click()
    expect(page.get_by_text("How we handle your data")).to_be_visible()
    assert page.locator("h1").is_visible()
    page.close()
