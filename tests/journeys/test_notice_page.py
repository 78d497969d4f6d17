"""The notice in a real browser: everybody can read it, in light and dark, on a phone, with a keyboard, on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.databases import unavailable
from tests.notices import ROOT, SITES, SITES_IN_LANGUAGES, compiled, notice_of
from troth.verdicts import VERDICTS
from troth.web.notice_page import Evidence, render_page

pytestmark = pytest.mark.browser
AXE = ROOT / "frontend" / "build" / "axe.min.js"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every notice as one file, with evidence beside each promise."""
    folder = tmp_path_factory.mktemp("notices")
    for site, tag in SITES_IN_LANGUAGES:
        ids = [promise.id for promise in compiled(site).promises]
        evidence = {
            key: Evidence(VERDICTS[n % len(VERDICTS)], "Oldest: 29 days 3 hours", "4 minutes ago")
            for n, key in enumerate(ids)
        }
        others = {other: f"{site}.{other}.html" for other in ("en", "zh-Hant")}
        made = render_page(notice_of(site, tag), evidence, languages=others, inline=True)
        (folder / f"{site}.{tag}.html").write_text(made, encoding="utf-8")
    return folder


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    made = browser.new_page(color_scheme=request.param, viewport={"width": 1280, "height": 900})
    yield made
    made.close()


def violations(page: Page) -> list[dict[str, Any]]:
    if not AXE.is_file():
        unavailable("axe-core is not fetched; hint: make setup")
    page.add_script_tag(path=AXE)
    found: list[dict[str, Any]] = page.evaluate("axe.run().then(result => result.violations)")
    return found


@pytest.mark.parametrize(("site", "tag"), SITES_IN_LANGUAGES)
def test_no_barrier_is_found_in_light_or_dark(page: Page, files: Path, site: str, tag: str) -> None:
    page.goto((files / f"{site}.{tag}.html").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert [(found["id"], found["nodes"][0]["html"]) for found in violations(page)] == []


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize(("site", "tag"), SITES_IN_LANGUAGES)
def test_a_phone_never_scrolls_sideways(browser: Browser, files: Path, site: str, tag: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto((files / f"{site}.{tag}.html").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_the_first_tab_offers_to_skip_to_the_text(page: Page, files: Path) -> None:
    page.goto((files / "ledflex.en.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the text"
    box = page.locator(".skip").bounding_box()
    assert box is not None and box["width"] > 50 and box["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.clause("M3")
def test_each_question_leads_to_its_answer_and_back_to_the_top(browser: Browser, files: Path) -> None:
    page = browser.new_page(viewport={"width": 1000, "height": 700})
    page.goto((files / "made-in-china.en.html").as_uri())
    for number in range(1, 9):
        page.locator(f".contents a[href='#question-{number}']").click()
        section = page.locator(f"section[aria-labelledby='question-{number}']")
        assert section.locator("h2").is_visible()
        assert page.evaluate("scrollY") > 0
        section.locator(".back a").click()
        assert page.evaluate("scrollY") == 0
    page.close()


def test_the_language_switch_leads_to_the_same_notice_in_the_other_language(page: Page, files: Path) -> None:
    page.goto((files / "ledinside.en.html").as_uri())
    page.get_by_role("link", name="繁體中文").click()
    assert page.evaluate("document.documentElement.lang") == "zh-Hant"
    assert "LEDinside" in page.locator("h1").inner_text()


@pytest.mark.parametrize("site", SITES)
def test_one_picture_of_each_is_shown_and_it_fits(browser: Browser, files: Path, site: str) -> None:
    for width in (340, 1280):
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.goto((files / f"{site}.en.html").as_uri())
        figures = page.locator("figure.picture")
        for number in range(figures.count()):
            shown = [svg for svg in figures.nth(number).locator("svg").all() if svg.is_visible()]
            assert len(shown) == 1
            assert shown[0].evaluate(OUTSIDE) == []
        page.close()


OUTSIDE = """svg => [...svg.querySelectorAll('text')]
  .filter(text => { const box = text.getBBox(), view = svg.viewBox.baseVal;
    return box.x < -1 || box.x + box.width > view.width + 1 || box.y < -1 || box.y + box.height > view.height + 1 })
  .map(text => text.textContent)"""


def test_paper_gets_the_sentences_without_what_only_a_screen_needs(browser: Browser, files: Path) -> None:
    page = browser.new_page()
    page.goto((files / "ledflex.en.html").as_uri())
    page.emulate_media(media="print")
    assert not page.locator(".contents").is_visible()
    assert page.locator("[id='promise-visits.keep'] .evidence").is_visible()
    assert page.locator("[id='promise-visits.keep'] .sentence").is_visible()
    page.close()
