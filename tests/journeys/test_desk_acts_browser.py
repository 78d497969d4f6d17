"""Acts at the desk in a browser: staff find somebody and act by keyboard, on a phone, in light and dark, in both languages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsing import Walk
from tests.databases import Databases
from tests.operators import open_operator
from tests.served import client, serving
from tests.staffed import at_desk, somebody
from troth.clock import MovedClock, utc
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.store.site import Site
from troth.web.evidence import Shown
from troth.work import turn

ORDER = {
    "full_name": "Kim Lee",
    "email": "kim@ledflex.example",
    "phone": "+44 20 7946 0003",
    "office_address": "9 Quay Road, London",
    "order_lines": "30 m of LED strip, warm white",
}


@pytest.fixture(scope="module")
def address(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Site]]:
    clock = MovedClock(utc(2026, 11, 22, 9))
    site = open_operator("ledflex", tmp_path_factory.mktemp("sites"), clock, databases.fresh)
    with serving([site], None, lambda _: dict[str, Shown]()) as started:
        yield f"{started}/ledflex/desk", site


@pytest.mark.browser
@pytest.mark.parametrize(
    ("scheme", "width", "tag"), [("light", 1100, "en"), ("dark", 390, "zh-Hant"), ("light", 390, "en")]
)
def test_a_privacy_lead_finds_somebody_and_acts_with_a_keyboard(
    browser: Browser, address: tuple[str, Site], tmp_path: Path, scheme: str, width: int, tag: str
) -> None:
    home, site = address
    email = f"kim-{scheme}-{width}@ledflex.example"
    collect(site, Submission("place_order", ORDER | {"email": email}, f"{scheme}-{width}", acknowledged=True))
    page = _entered(browser, site, home, f"ann-{scheme}-{width}", scheme, width)
    walk = Walk(page, tmp_path, f"acts-{scheme}-{width}", mouse=False, searches=scheme == "light" or tag != "en")
    page.goto(f"{home}/acts?lang={tag}")
    walk.look("acts")
    walk.press(page.locator('main a[href*="/acts/disclose?"]'))
    walk.look("whom")
    walk.press(page.locator("main button"))
    walk.look("nobody")
    walk.fill(page.locator("#value"), email)
    walk.touch(page.locator("#why-order"), "Space")
    walk.press(page.locator("main button"))
    expect(page.locator("#a-recipient")).to_be_visible()
    walk.look("disclose")
    walk.press(page.locator("main button"))
    walk.look("wrong")
    assert page.locator('section[role="alert"] a').count() == page.locator('[aria-invalid="true"]').count() == 2
    for name, said in (("recipient", "carriers"), ("purpose", "fulfil_order")):
        page.locator(f"#a-{name}").select_option(said)
    page.locator("#a-case").select_option(index=1)
    walk.press(page.locator("main button"))
    expect(page.locator('[role="status"]')).to_be_visible()
    walk.look("done")
    turn(site)
    walk.press(page.locator('main a[href*="/people/"]'))
    walk.look("person")
    walk.press(page.locator('main a[href*="/acts/hand-over/"]').first)
    walk.press(page.locator("main button"))
    expect(page.get_by_text(ORDER["full_name"])).to_be_visible()
    walk.look("handed-over")
    walk.press(page.locator('main a[href*="/desk/acts"]').last)
    walk.press(page.locator('main a[href*="/acts/suspend"]'))
    walk.fill(page.locator("#a-because"), "4111 1111 1111 1111")
    walk.press(page.locator("main button"))
    walk.look("suspend")
    assert page.locator("#a-because").input_value() == ""
    page.goto(f"{home}/acts/release-hold?lang={tag}")
    walk.look("nothing")
    assert page.locator("html").get_attribute("lang") == tag
    page.context.close()


def _entered(browser: Browser, site: Site, home: str, login: str, scheme: str, width: int) -> Page:
    """A browser in which a privacy lead is at the desk."""
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": 900},
        bypass_csp=True,
    )
    with client(site) as web:
        at_desk(web, somebody(site, login))
        secret = web.cookies.get(f"troth-desk-{site.name}")
    context.add_cookies([{"name": f"troth-desk-{site.name}", "value": str(secret), "url": home}])
    context.set_default_timeout(10_000)
    return context.new_page()
