"""The privacy pages and the desk in a browser, at the five operators: people see, correct, take away, delete and get back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import select

from tests.browsing import Walk
from tests.databases import Databases
from tests.journeys.test_privacy import run
from tests.operators import mailing, open_operator
from tests.served import serving
from troth.clock import MovedClock, utc
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.messages.mailbox import Mailbox
from troth.people.tables import person
from troth.store.site import Site
from troth.web.evidence import Shown

pytestmark = pytest.mark.browser
ORDER = {
    "full_name": "Kim Lee",
    "email": "kim@ledflex.example",
    "phone": "+44 20 7946 0003",
    "office_address": "9 Quay Road, London",
    "order_lines": "30 m of LED strip, warm white",
}
FIRM = {
    "full_name": "Kim Lee",
    "email": "kim@made.example",
    "company_name": "Quay Lamps",
    "company_location": "London",
    "company_phone": "+44 20 7946 0003",
    "company_fax": "+44 20 7946 0004",
    "company_website": "https://quay.example",
    "company_description": "Lamps for ships",
    "company_type": "Maker",
    "company_turnover": "2 million",
    "company_employees": "12",
}


@dataclass(frozen=True)
class Trip:
    """Who comes to which operator, what they gave there, what they correct, and how they look at it."""

    site: str
    point: str
    gave: dict[str, str]
    corrects: str
    scheme: str
    width: int
    tag: str
    scripts: bool = True
    mouse: bool = True
    agreed: tuple[str, ...] = ()
    keeps: bool = False
    """an order is open, so that something stays for a while"""

    def __str__(self) -> str:
        return self.site


QUOTE = {"full_name": "Kim Lee", "email": "kim@infor.example", "business_address": "9 Quay Road"}
JOINS = {
    "name": "Kim Lee",
    "email": "kim@inside.example",
    "birth_date": "1985-04-02",
    "job": "Engineer",
    "industry": "Lighting",
    "interest": "Prices of chips",
}
BUYS = {
    "full_name": "Kim Lee",
    "email": "kim@opto.example",
    "address": "9 Quay Road",
    "phone": "+44 20 7946 0003",
}
TRIPS = (
    Trip("ledinside", "registration", JOINS, "job", "light", 1100, "en"),
    Trip("optokingdom", "register", BUYS, "address", "dark", 390, "zh-Hant"),
    Trip("made-in-china", "register", FIRM, "company_location", "light", 390, "en", scripts=False),
    Trip("infortrend", "order", QUOTE, "business_address", "dark", 1100, "zh-Hant", scripts=False),
    Trip("ledflex", "place_order", ORDER, "office_address", "light", 1100, "en", mouse=False, keeps=True),
)


@dataclass(frozen=True)
class Stand:
    """The five operators on one server, and the mailbox of everybody they write to."""

    address: str
    sites: dict[str, Site]
    mailbox: Mailbox

    def letter(self, site: Site, to: str, page: str) -> tuple[int, str]:
        """The number of the newest letter to ``to`` with a link to ``page``, and the link."""
        run(site)
        for one in sorted(self.mailbox.messages(), key=lambda one: -one.number):
            link = re.search(rf"/{site.name}/privacy/{page}/[\w-]+", one.body("plain"))
            if link and to in one.recipients:
                return one.number, link[0]
        raise AssertionError(f"no letter to {to} leads to {page}")


@pytest.fixture(scope="module")
def stand(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    box = Mailbox()
    box.start()
    folder, clock = tmp_path_factory.mktemp("sites"), MovedClock(utc(2026, 11, 22, 9))
    sites = {trip.site: mailing(open_operator(trip.site, folder, clock, databases.fresh), box) for trip in TRIPS}
    with serving(list(sites.values()), box, lambda _: dict[str, Shown]()) as address:
        yield Stand(address, sites, box)
    box.stop()


def opened(browser: Browser, trip: Trip) -> Page:
    context = browser.new_context(
        color_scheme=trip.scheme,  # type: ignore[arg-type]
        viewport={"width": trip.width, "height": 900},
        java_script_enabled=trip.scripts,
        bypass_csp=True,
    )
    context.set_default_timeout(10_000)
    return context.new_page()


def follow(walk: Walk, stand: Stand, site: Site, trip: Trip, page: str) -> None:
    """Open the letter with a link to ``page``, follow the link, and press its button."""
    number, link = stand.letter(site, trip.gave["email"], page)
    walk.page.goto(f"{stand.address}/{site.name}/mailbox/{number}?lang={trip.tag}")
    walk.press(walk.page.locator(f'pre a[href*="{link}"]'))
    walk.page.goto(f"{walk.page.url.split('?')[0]}?lang={trip.tag}")
    walk.look(page)
    walk.press(walk.page.locator("main form button"))


def form(page: Page, act: str) -> Locator:
    return page.locator(f'main form[action*="/privacy/{act}"]')


@pytest.mark.clause("F52", "F66")
@pytest.mark.parametrize("trip", TRIPS, ids=str)
def test_somebody_asks_looks_corrects_takes_a_copy_deletes_and_comes_back(
    browser: Browser, stand: Stand, tmp_path: Path, trip: Trip
) -> None:
    site = stand.sites[trip.site]
    who = collect(site, Submission(trip.point, trip.gave, "kim-1", acknowledged=True, language=trip.tag)).person_id
    page = opened(browser, trip)
    walk = Walk(page, tmp_path, trip.site, trip.mouse)
    page.goto(f"{stand.address}/{site.name}/privacy?lang={trip.tag}")
    walk.look("privacy")
    _ask(walk, trip)
    follow(walk, stand, site, trip, "confirm")
    walk.look("confirmed")
    follow(walk, stand, site, trip, "data")
    _centre(walk, trip)
    _choose(walk)
    _correct(walk, trip)
    _take(walk, trip)
    _delete(walk, trip)
    assert _state(site, who) == "deleted"
    follow(walk, stand, site, trip, "undo")
    walk.look("undone")
    assert _state(site, who) == "active"
    assert page.locator("html").get_attribute("lang") == trip.tag
    assert page.context.cookies() == []
    page.context.close()


def _ask(walk: Walk, trip: Trip) -> None:
    walk.press(form(walk.page, "request").locator("button"))
    expect(walk.page.get_by_role("alert")).to_be_visible()
    walk.look("problems")
    walk.touch(walk.page.locator('[name="right"]').first)
    walk.fill(walk.page.locator("#email"), trip.gave["email"])
    walk.press(form(walk.page, "request").locator("button"))
    expect(walk.page.get_by_role("status")).to_be_visible()
    walk.look("asked")


def _centre(walk: Walk, trip: Trip) -> None:
    page = walk.page
    walk.look("centre")
    for link in page.locator("main nav a").all():
        assert page.locator(f"{link.get_attribute('href')} >> visible=true").count() == 1
    held = page.locator("#held")
    assert [value for value in trip.gave.values() if value not in held.inner_text()] == []
    expect(held.locator("#picture-held svg >> visible=true")).to_have_count(1)


def _choose(walk: Walk) -> None:
    """Untick the first recipient with a box; one that needs a yes is ticked before."""
    box = walk.page.locator('[name^="on.@"]').first
    if not box.count():
        return
    name = box.get_attribute("name")
    if not box.is_checked():
        _switch(walk, box)
    box = walk.page.locator(f'[name="{name}"]')
    expect(box).to_be_checked()
    _switch(walk, box)
    if walk.page.locator('[name="sure"]').count():
        walk.look("sure")
        walk.press(walk.page.locator("main form button").first)
    expect(walk.page.locator(f'[name="{name}"]')).not_to_be_checked()
    walk.look("chosen")


def _switch(walk: Walk, box: Locator) -> None:
    walk.touch(box)
    walk.press(form(walk.page, "choices").locator("button"))


def _correct(walk: Walk, trip: Trip) -> None:
    field = f'[name="field.{trip.corrects}"]'
    walk.fill(walk.page.locator(field), "2 Mill Lane")
    walk.press(form(walk.page, "correct").locator("button"))
    walk.look("corrected")
    expect(walk.page.locator(field)).to_have_value("2 Mill Lane")
    assert "2 Mill Lane" in walk.page.inner_text("#held")


def _take(walk: Walk, trip: Trip) -> None:
    with walk.page.expect_download() as taken:
        walk.touch(form(walk.page, "copy").filter(has=walk.page.locator('[value="json"]')).locator("button"), "Enter")
    copy = json.loads(taken.value.path().read_bytes())
    assert taken.value.suggested_filename == f"{trip.site}-my-data.json" and copy["language"] == trip.tag
    said = {value for one in copy["records"] for value in one["values"].values()}
    assert set((trip.gave | {trip.corrects: "2 Mill Lane"}).values()) <= said


def _delete(walk: Walk, trip: Trip) -> None:
    walk.press(form(walk.page, "delete").locator("button"))
    walk.look("plan")
    walk.press(walk.page.locator('form:has([name="sure"]) button'))
    expect(walk.page.get_by_role("status")).to_be_visible()
    walk.look("deleted")


def _state(site: Site, who: str) -> str | None:
    with site.reading() as conn:
        found: str | None = conn.scalar(select(person.c.state).where(person.c.id == who))
    return found
