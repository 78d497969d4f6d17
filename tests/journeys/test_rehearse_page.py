"""The page of a rehearsal in a real browser: everybody can read it, in light and dark, on a phone, with a keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.journeys.test_notice_page import OUTSIDE, violations
from tests.rehearsed import life, violation, with_ways
from troth.rehearsal.report import document, picture
from troth.web.rehearsal_page import render_rehearsal

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A life in which much went wrong, and a draft of it, on one page."""
    lived = life("ledflex", violation("let out", "mailchimp"), violation("promise", "visits.keep", 200))
    lived = with_ways(lived, ("let out", "mailchimp"))
    draft = life("ledflex", violation("outlived", "visits", 90))
    made = document("LED Flex", lived, "troth rehearse sites/ledflex --days=400 --people=2000 --seed=7", draft)
    file: Path = tmp_path_factory.mktemp("page") / "year.html"
    file.write_text(render_rehearsal(made, picture(lived), picture(draft, "draft")), encoding="utf-8")
    return file.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1100])
def test_no_barrier_is_found_and_nothing_runs_out_of_the_page(
    browser: Browser, address: str, scheme: str, width: int
) -> None:
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})  # type: ignore[arg-type]
    page.goto(address)
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert [(found["id"], found["nodes"][0]["html"]) for found in violations(page)] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for figure in page.locator("figure").all():
        [shown] = [svg for svg in figure.locator("svg.year").all() if svg.is_visible()]
        assert shown.evaluate(OUTSIDE) == []
    page.close()


def test_the_answer_and_each_promise_can_be_reached_with_a_keyboard_and_are_on_paper(
    browser: Browser, address: str
) -> None:
    page = browser.new_page()
    page.goto(address)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").strip() == "The same as a table"
    page.keyboard.press("Enter")
    assert page.get_by_role("table").first.is_visible()
    page.emulate_media(media="print")
    assert page.locator("h1").inner_text() == "Something went wrong"
    assert page.locator("svg.year").first.is_visible()
    page.close()
