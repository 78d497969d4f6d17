"""A person with a browser, for journeys: every page is looked at as it is met, and a picture of it kept."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Locator, Page

from tests.journeys.test_notice_page import violations

_OPEN = (
    "document.querySelectorAll('main details:not([open])').forEach(one => { one.open = true; one.dataset.shut = '' })"
)
_CLOSE = "document.querySelectorAll('main details[data-shut]').forEach(one => { one.open = false })"
_TWICE = """() => [...document.querySelectorAll('[id]')].map(one => one.id).filter((id, at, all) => all.indexOf(id) !== at)"""
_MOST_TABS = 120
_CLIPPED = """() => [...document.querySelectorAll('body, body *')].filter(one => {
  if (one.closest('svg, textarea, select, input, iframe')) return false
  for (let up = one; up; up = up.parentElement) if (getComputedStyle(up).clipPath === 'inset(50%)') return false
  const box = one.getBoundingClientRect()
  if (!box.width || !box.height) return false
  const cut = getComputedStyle(one).overflowX !== 'visible' && one.scrollWidth > one.clientWidth + 1
  return cut || box.right > document.documentElement.clientWidth + 1 || box.left < -1
}).map(one => one.outerHTML.slice(0, 160))"""


def clipped(page: Page) -> list[str]:
    """What of the page cannot be seen without scrolling sideways, whether the window would scroll or a box inside it."""
    found: list[str] = page.evaluate(_CLIPPED)
    return found


def fits(page: Page, picture: Path) -> None:
    """The page fits its window; a ``picture`` of it is kept, and a copy in the folder that ``TROTH_SCREENSHOTS`` names."""
    page.screenshot(path=picture, full_page=True)
    if wanted := os.environ.get("TROTH_SCREENSHOTS"):
        Path(wanted).mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, wanted)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{picture.stem} is too wide"
    found = clipped(page)
    assert not found, f"{picture.stem} is clipped: {found}"


def looks(page: Page, picture: Path) -> None:
    """As ``fits``, and axe finds no barriers."""
    fits(page, picture)
    assert [(one["id"], one["nodes"][0]["html"]) for one in violations(page)] == []


@dataclass
class Walk:
    """One journey through pages; pictures go to ``folder``, and to the folder that ``TROTH_SCREENSHOTS`` names.

    Without ``mouse`` everything is reached with Tab, as somebody does who has no mouse. A journey that ``searches`` looks for
    barriers on each of its pages, which takes longer than all else it does, and where no ``scripts`` run it would never end.
    """

    page: Page
    folder: Path
    name: str
    mouse: bool = True
    scripts: bool = True
    searches: bool = True
    seen: list[str] = field(default_factory=list)

    def look(self, step: str, search: bool | None = None) -> None:
        """The page fits its window, has one heading of the first level, uses no id twice and, if searched, has no barriers."""
        self.seen.append(step)
        picture = self.folder / f"{self.name}-{len(self.seen):02d}-{step}.png"
        fits(self.page, picture)
        assert self.page.evaluate(_TWICE) == []
        assert self.page.locator("h1").count() == 1
        if self.searches if search is None else search:
            assert self._barriers() == []

    def _barriers(self) -> list[tuple[str, str]]:
        """What axe finds, with everything folded out."""
        self.page.evaluate(_OPEN)
        found = [(one["id"], one["nodes"][0]["html"]) for one in violations(self.page)]
        self.page.evaluate(_CLOSE)
        return found

    def press(self, what: Locator, key: str = "Enter") -> None:
        """Press a button or follow a link, and wait for the page it leads to."""
        with self.page.expect_navigation():
            self.touch(what, key)

    def touch(self, what: Locator, key: str = "Space") -> None:
        """Click, or reach by Tab and press ``key``."""
        if not self.scripts:  # a click waits for frames, which are drawn by a script
            what.focus()
            self.page.keyboard.press(key)
            return
        if self.mouse:
            what.click()
            return
        self.reach(what)
        self.page.keyboard.press(key)

    def fill(self, what: Locator, words: str) -> None:
        """Type ``words`` in place of what is there."""
        if self.mouse:
            what.fill(words)
            return
        self.reach(what)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(words)

    def reach(self, what: Locator) -> None:
        """Press Tab until ``what`` has the focus."""
        for _ in range(_MOST_TABS):
            if what.evaluate("one => one === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {what}")
