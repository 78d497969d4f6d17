"""The privacy pages and the desk in a browser, at the five operators: people see, correct, take away, delete and get back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import select

from tests.browsing import Walk
from tests.databases import Databases
from tests.journeys.test_held import member_at
from tests.journeys.test_privacy import run
from tests.operators import mailing, open_operator
from tests.served import Client, client, serving
from tests.staffed import at_desk, clerk
from troth.clock import DAY, MovedClock, utc
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.messages.mailbox import Mailbox
from troth.people.tables import person
from troth.rights.centre import switchable
from troth.rights.intake import receive
from troth.rights.rules import Intake
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
    Trip("ledflex", "place_order", ORDER, "office_address", "light", 1100, "en", mouse=False),
)


DESKS = (("ledflex", "light", 1100, "en"), ("infortrend", "dark", 390, "zh-Hant"))


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


@pytest.mark.clause("F52", "F54", "F71")
@pytest.mark.parametrize("trip", TRIPS, ids=str)
def test_somebody_asks_looks_corrects_takes_a_copy_deletes_and_comes_back(
    browser: Browser, stand: Stand, tmp_path: Path, trip: Trip
) -> None:
    site = stand.sites[trip.site]
    who = collect(site, Submission(trip.point, trip.gave, "kim-1", acknowledged=True, language=trip.tag)).person_id
    page = opened(browser, trip)
    walk = Walk(page, tmp_path, trip.site, trip.mouse, trip.scripts, trip.scripts and trip.mouse)
    page.goto(f"{stand.address}/{site.name}/privacy?lang={trip.tag}")
    walk.look("privacy")
    _ask(walk, trip)
    follow(walk, stand, site, trip, "confirm")
    walk.look("confirmed")
    follow(walk, stand, site, trip, "data")
    _centre(walk, trip)
    assert _codes(site, page) == []
    assert _choose(walk) is any(one.startswith("@") for one in switchable(site.policy().policy))
    _correct(walk, trip)
    _take(walk, trip)
    _delete(walk, trip)
    assert _state(site, who) == ("held" if trip.point == "place_order" else "quarantined")
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
    links = page.locator("main nav a").all()
    assert len(links) > 3
    for link in links:
        assert page.locator(f"{link.get_attribute('href')} >> visible=true").count() == 1
    held = page.locator("#held")
    assert [value for value in trip.gave.values() if value not in held.inner_text()] == []
    expect(held.locator("#picture-held svg >> visible=true")).to_have_count(1)


def _codes(site: Site, page: Page) -> list[str]:
    """The policy's own keys that a page shows to its reader."""
    policy, said = site.policy().policy, page.inner_text("main")
    keys = (*policy.data, *policy.purposes, *policy.recipients, *policy.collection)
    return [key for key in keys if "_" in key and key in said]


def _choose(walk: Walk) -> bool:
    """Untick the first recipient with a box, if there is one; one that needs a yes is ticked before."""
    box = walk.page.locator('[name^="on.@"]').first
    if not box.count():
        return False
    name = box.get_attribute("name")
    if not box.is_checked():
        _switch(walk, box)
    box = walk.page.locator(f'[name="{name}"]')
    expect(box).to_be_checked()
    _switch(walk, box)
    if walk.page.locator('[name="sure"]').count():
        walk.look("sure", search=True)
        walk.press(walk.page.locator("main form button").first)
    expect(walk.page.locator(f'[name="{name}"]')).not_to_be_checked()
    walk.look("chosen", search=False)
    return True


def _switch(walk: Walk, box: Locator) -> None:
    walk.touch(box)
    walk.press(form(walk.page, "choices").locator("button"))


def _correct(walk: Walk, trip: Trip) -> None:
    field = f'[name="field.{trip.corrects}"]'
    walk.fill(walk.page.locator(field), "2 Mill Lane")
    walk.press(form(walk.page, "correct").locator("button"))
    walk.look("corrected", search=False)
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


def test_paper_gets_what_is_held_and_no_buttons(browser: Browser, stand: Stand, tmp_path: Path) -> None:
    trip = Trip("optokingdom", "register", BUYS | {"email": "paper@opto.example"}, "address", "light", 800, "en")
    site = stand.sites[trip.site]
    collect(site, Submission(trip.point, trip.gave, "paper-1", acknowledged=True))
    receive(site, Intake("access", "web", "paper-2", trip.gave["email"]))
    page = opened(browser, trip)
    walk = Walk(page, tmp_path, "paper")
    follow(walk, stand, site, trip, "confirm")
    follow(walk, stand, site, trip, "data")
    page.emulate_media(media="print")
    walk.look("centre")
    assert [one for one in page.locator("main button").all() if one.is_visible()] == []
    assert not page.locator("nav.contents").is_visible()
    assert trip.gave["address"] in page.inner_text("#held")
    page.context.close()


# --- A member --------------------------------------------------------------------------------------------------------


def test_a_member_rests_uses_again_objects_complains_and_thinks_again(
    browser: Browser, stand: Stand, tmp_path: Path
) -> None:
    site = stand.sites["made-in-china"]
    trip = Trip(site.name, "register", {}, "", "light", 390, "en")
    page, base = opened(browser, trip), f"{stand.address}/{site.name}"
    with client(site, mailbox=stand.mailbox) as web:
        member_at(web, site, stand.mailbox)
        page.context.add_cookies(_cookies(web, base))
    walk = Walk(page, tmp_path, "member")
    page.goto(f"{base}/privacy?lang={trip.tag}")
    walk.look("privacy")
    walk.press(page.locator('main a[href*="/privacy/centre"]'))
    walk.look("centre")
    for step in ("rests", "used-again"):
        walk.press(form(page, "restrict").locator("button"))
        expect(page.get_by_role("status")).to_be_visible()
        walk.look(step, search=False)
    page.locator('[name^="no."]:not(:disabled)').first.check()
    walk.press(form(page, "object").locator("button"))
    expect(page.locator('[name^="no."]:disabled')).not_to_have_count(0)
    walk.look("objected", search=False)
    page.fill("#complaint", "Too loud")
    walk.press(form(page, "complain").locator("button"))
    expect(page.locator("#asked li")).to_have_count(3)
    walk.look("complained", search=False)
    walk.press(form(page, "delete").locator("button"))
    walk.press(form(page, "centre").locator("button"))
    expect(page.locator("#held")).to_be_visible()
    page.goto(f"{base}/account/data?lang={trip.tag}")
    walk.look("data")
    page.context.close()


def _cookies(web: Client, base: str) -> list[Any]:
    return [{"name": one.name, "value": one.value or "", "url": base} for one in web.cookies.jar]


# --- The desk --------------------------------------------------------------------------------------------------------


@pytest.mark.clause("F60")
@pytest.mark.parametrize(("name", "scheme", "width", "tag"), DESKS)
def test_staff_answer_letters(
    browser: Browser, stand: Stand, tmp_path: Path, name: str, scheme: str, width: int, tag: str
) -> None:
    site = stand.sites[name]
    trip = next(one for one in TRIPS if one.site == name)
    email = f"lee@{name}.example"
    collect(site, Submission(trip.point, trip.gave | {"email": email}, "lee-1", acknowledged=True))
    page, base = opened(browser, replace(trip, scheme=scheme, width=width, scripts=True)), f"{stand.address}/{name}"
    with client(site) as web:
        at_desk(web, clerk(site))
        page.context.add_cookies(_cookies(web, base))
    walk = Walk(page, tmp_path, f"desk-{name}")
    day = site.now() - 45 * DAY
    _enter(walk, base, tag, "question", "What do you hold about me?", day.date().isoformat())
    expect(page.locator("main .facts strong")).to_be_visible()
    page.fill("#words", "We hold your order of 3 May, and nothing else.")
    walk.press(page.locator('form[action*="/answer"] button'))
    walk.look("answered")
    walk.press(page.locator('main a[href*="/letters/"]').last)
    walk.look("letter")
    page.emulate_media(media="print")
    assert not page.locator("nav.pages").is_visible() and page.get_by_text("3 May").is_visible()
    assert not page.locator("p.back").is_visible()
    page.emulate_media(media="screen")
    walk.press(page.locator("p.back a"))
    _enter(walk, base, tag, "erasure", "Please delete everything.")
    page.fill("#value", email)
    walk.press(page.locator('form[action*="/identify"] button'))
    walk.look("found")
    page.fill("#evidence", "A passport was seen, 22 November.")
    walk.press(page.locator('form[action*="/accept"] button'))
    walk.look("accepted")
    assert _codes(site, page) == []
    page.goto(f"{base}/desk?lang={tag}")
    walk.look("queue")
    page.context.close()


def _enter(walk: Walk, base: str, tag: str, right: str, words: str, received: str = "") -> None:
    page = walk.page
    page.goto(f"{base}/desk/letter?lang={tag}")
    walk.look(f"enter-{right}", search=right == "question")
    page.select_option("#right", right)
    page.fill("#name", "Lee Wren")
    page.fill("#text", words)
    page.fill("#received", received)
    walk.press(page.locator("main form button"))
    walk.look(f"entered-{right}")


def _state(site: Site, who: str) -> str | None:
    with site.reading() as conn:
        found: str | None = conn.scalar(select(person.c.state).where(person.c.id == who))
    return found
