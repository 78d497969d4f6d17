"""Every page on a phone, in both languages of the operator: nothing is cut off, and no box has to be scrolled sideways.

The addresses come from the application itself, so that a new page is looked at or this fails.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from litestar import Litestar
from playwright.sync_api import Browser
from sqlalchemy import select

from tests.browsing import clipped
from tests.databases import Databases
from tests.journeys.test_held import member_at
from tests.operators import mailing, open_operator, run_mail
from tests.served import client, serving
from tests.staffed import at_desk, somebody
from tests.versions import publish_next
from troth.clock import MovedClock, utc
from troth.messages.mailbox import Mailbox
from troth.people.tables import person
from troth.rights.intake import receive
from troth.rights.rules import Intake
from troth.staff.tables import staff
from troth.store.site import Site
from troth.web.app import make_app
from troth.web.evidence import no_look, proofs

pytestmark = pytest.mark.browser
NO_PAGES = (
    r"/(\.well-known/.*|health|schema.*|static/.*)",
    r"/\{site_name:str\}/(\.well-known/.*|api/.*|drp/.*|opendsr/.*|notice\.md|mailbox/\{number:int\}/html)",
)
"""addresses for programs, files, and mail as its sender made it"""
SPENT = "x" * 43
"""what stands for the secret of a link: its page then says that the link is used up"""


def pages(app: Litestar) -> set[str]:
    """The addresses of pages, as the application spells them."""
    there = {route.path for route in app.routes if "GET" in getattr(route, "methods", ())}
    return {path for path in there if not any(re.fullmatch(one, path) for one in NO_PAGES)}


@dataclass(frozen=True)
class Life:
    """A site with somebody of everything, and what stands in addresses there; ``cookies`` are of a member and of staff."""

    address: str
    names: Mapping[str, str]
    cookies: Mapping[str, str]

    def at(self, path: str) -> str:
        """The address of the page that the application spells ``path``."""
        filled = re.sub(r"\{(\w+):\w+\}", lambda found: self.names[found[1]], path)
        return f"{self.address}{filled}"


@pytest.fixture(scope="module")
def life(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    box = Mailbox()
    box.start()
    fresh: Callable[..., str] = databases.fresh
    clock = MovedClock(utc(2026, 11, 22, 9))
    site = mailing(open_operator("ledflex", tmp_path_factory.mktemp("sites"), clock, fresh), box)
    with client(site, mailbox=box) as web:
        typed = member_at(web, site, box)
        lead = somebody(site, "ann.with-a-rather-long-name.of.ledflex")
        at_desk(web, lead)
        for number in range(3):
            at_desk(web, lead, code=f"00000{number}")
        at_desk(web, lead)
        cookies = {one.name: str(one.value) for one in web.cookies.jar}
    asked = receive(site, Intake("question", "letter", "phone-1", email=typed["email"], text="What do you hold? " * 20))
    run_mail(site)
    publish_next(site, lambda text: text.replace("LED Flex Limited", "LED Flex Ltd"))
    names = {**_numbers(site), "site_name": "ledflex", "point": "place_order", "request_id": asked.id}
    with serving([site], box, proofs) as started:
        yield Life(started, names, cookies)
    site.close()
    box.stop()


def _numbers(site: Site) -> dict[str, str]:
    with site.reading() as conn:
        people, members = conn.scalar(select(person.c.id)), conn.scalar(select(staff.c.id))
    spent = dict.fromkeys(("token", "link", "key", "of", "given_id", "letter"), SPENT)
    return {**spent, "person": str(people), "staff_id": str(members), "name": "disclose", "number": "1", "version": "2"}


def test_every_page_fits_a_phone(browser: Browser, life: Life, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, bypass_csp=True)
    context.add_cookies(
        [{"name": name, "value": value, "url": f"{life.address}/ledflex/desk"} for name, value in life.cookies.items()]
        + [{"name": name, "value": value, "url": f"{life.address}/ledflex"} for name, value in life.cookies.items()]
    )
    page = context.new_page()
    wrong: dict[str, list[str]] = {}
    answered: dict[str, int] = {}
    for path in sorted(pages(make_app([], look=no_look))):
        for tag in ("en", "zh-Hant"):
            answer = page.goto(f"{life.at(path)}?lang={tag}")
            assert answer is not None and "text/html" in answer.headers["content-type"], path
            answered[path] = answer.status
            page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            if wanted := os.environ.get("TROTH_SCREENSHOTS"):
                page.screenshot(path=f"{wanted}/phone{re.sub(r'[^a-z]+', '-', path)}{tag}.png", full_page=True)
            if found := clipped(page):
                wrong[f"{path} {tag}"] = found
                page.screenshot(path=tmp_path / f"{len(wrong)}.png", full_page=True)
    context.close()
    assert wrong == {}
    shown = {path for path, status in answered.items() if status == 200}
    assert {"/{site_name:str}/desk/log", "/{site_name:str}/account/data", "/{site_name:str}/changes"} <= shown
    assert len(shown) >= 35, sorted(answered.items())


def test_what_is_cut_off_is_noticed(browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.set_content("<div style='overflow-x: auto; width: 200px'><p style='width: 300px'>cut</p></div>")
    assert len(clipped(page)) == 1
    page.set_content("<body style='overflow-x: hidden'><p style='width: 500px'>out</p></body>")
    assert clipped(page)
    page.set_content("<p>It fits.</p>")
    assert clipped(page) == []
    page.close()
