"""The desk in a browser, as a privacy lead meets it: by keyboard, on a phone, in both languages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsing import looks
from tests.databases import Databases
from tests.operators import open_operator
from tests.served import serving
from tests.staffed import PASSWORD, Somebody
from troth.clock import MovedClock, utc
from troth.staff import actions
from troth.staff.rules import PRIVACY_LEAD
from troth.store.site import Site
from troth.web.evidence import Shown


@pytest.fixture(scope="module")
def address(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Site]]:
    site = open_operator(
        "infortrend", tmp_path_factory.mktemp("sites"), MovedClock(utc(2026, 11, 22, 9)), databases.fresh
    )
    with serving([site], None, lambda _: dict[str, Shown]()) as started:
        yield started, site


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width", "tag"), [("light", 1100, "en"), ("dark", 390, "zh-Hant")])
def test_a_privacy_lead_works_at_the_desk_with_a_keyboard(
    browser: Browser, address: tuple[str, Site], tmp_path: Path, scheme: str, width: int, tag: str
) -> None:
    base, site = address
    login = f"ann-{width}"
    lead = Somebody(site, login, actions.add(site, login, [PRIVACY_LEAD]))
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": 900},
        bypass_csp=True,
    )
    page, home = context.new_page(), f"{base}/infortrend/desk"
    page.goto(f"{home}/setup/{lead.link}?lang={tag}")
    looks(page, tmp_path / "setup.png")
    lead.secret = page.inner_text("code.secret").replace(" ", "")
    page.fill("#password", PASSWORD)
    _enter(page, "#code", lead.code())
    expect(page.locator("ol.codes li")).to_have_count(10)
    looks(page, tmp_path / "codes.png")
    for path in ("", "/me", "/staff", "/log"):
        page.goto(f"{home}{path}?lang={tag}")
        looks(page, tmp_path / f"desk{path.replace('/', '-')}.png")
    page.goto(f"{home}/staff?lang={tag}")
    page.fill("#login", f"ben-{width}")
    page.locator("#role-2").press("Space")
    _enter(page, "#login")
    looks(page, tmp_path / "link.png")
    page.goto(f"{home}/staff?lang={tag}")
    page.locator(f'main a:has-text("ben-{width}")').press("Enter")
    expect(page.locator("main form")).to_have_count(3)
    looks(page, tmp_path / "member.png")
    with page.expect_navigation():
        page.locator("footer form button").press("Enter")
    looks(page, tmp_path / "login.png")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    _enter(page, "#code", "000000")
    expect(page.locator('[role="alert"]')).to_be_visible()
    looks(page, tmp_path / "wrong.png")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    _enter(page, "#code", lead.code())
    expect(page.locator("footer form")).to_contain_text(login)
    assert page.locator("html").get_attribute("lang") == tag
    context.close()


def _enter(page: Page, field: str, value: str | None = None) -> None:
    if value is not None:
        page.fill(field, value)
    with page.expect_navigation():
        page.locator(field).press("Enter")
