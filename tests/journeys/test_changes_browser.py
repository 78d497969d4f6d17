"""That the policy changes, in a real browser: no barrier, on a phone, with a keyboard, in both languages and both themes."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browsing import clipped
from tests.databases import Databases
from tests.journeys.test_notice_page import violations
from tests.operators import open_operator
from tests.served import serving
from tests.versions import publish_next
from troth.clock import MovedClock, utc

pytestmark = pytest.mark.browser
PAGES = ("", "changes/2", "forms", "privacy", "versions", "versions/2", "account/login")
MORE = "statements:\n  archaeology: {text: {en: We dig in the past., zh-Hant: 我們考古。}, about: what}"


@pytest.fixture(scope="module")
def address(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Made-in-China.com, of which a version comes that says one thing more and keeps visits for longer."""
    fresh: Callable[..., str] = databases.fresh
    site = open_operator("made-in-china", tmp_path_factory.mktemp("sites"), MovedClock(utc(2026, 11, 22, 9)), fresh)
    publish_next(site, lambda text: text.replace("\nstatements:", f"\n{MORE}", 1))
    with serving([site]) as started:
        yield f"{started}/made-in-china"
    site.close()


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(color_scheme=request.param, viewport={"width": 1280, "height": 900}, bypass_csp=True)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("tag", ["en", "zh-Hant"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_that_says_so_has_no_barrier(page: Page, address: str, path: str, tag: str) -> None:
    page.goto(f"{address}/{path}?lang={tag}")
    assert page.locator("aside.announcement").count() == 1
    assert [(found["id"], found["nodes"][0]["html"]) for found in violations(page)] == []


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("path", PAGES)
def test_a_phone_shows_it_without_scrolling_sideways(browser: Browser, address: str, path: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 720})
    page.goto(f"{address}/{path}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert clipped(page) == []
    page.close()


def test_the_keyboard_leads_from_the_line_to_what_changes_and_to_the_new_text(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}/forms?lang=en")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "What changes":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/changes/2?lang=en")
    assert page.locator("h1").inner_text() == "What changes on 23 December 2026"
    assert "We dig in the past." in page.locator("main").inner_text()
    page.get_by_role("link", name="Version 2, in full").press("Enter")
    page.wait_for_url("**/versions/2*")
    page.close()
