"""A person with a browser, for journeys: every page is looked at as it is met, and a picture of it kept."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Locator, Page

from tests.databases import unavailable
from tests.journeys.test_notice_page import AXE

_OPEN = "document.querySelectorAll('main details').forEach(part => part.open = true)"
_CLOSE = "document.querySelectorAll('main details').forEach(part => part.open = false)"
_TWICE = """() => [...document.querySelectorAll('[id]')].map(one => one.id).filter((id, at, all) => all.indexOf(id) !== at)"""
_BARRIERS = "axe.run().then(result => result.violations.map(one => [one.id, one.nodes[0].html]))"
_MOST_TABS = 120


@dataclass
class Walk:
    """One journey through pages; pictures go to ``folder``, and to the folder that ``TROTH_SCREENSHOTS`` names.

    Without ``mouse`` everything is reached with Tab, as somebody does who has no mouse.
    """

    page: Page
    folder: Path
    name: str
    mouse: bool = True
    scripts: bool = True
    """whether the browser runs scripts: without them axe waits for ever, and the page is the same"""
    seen: list[str] = field(default_factory=list)

    def look(self, step: str) -> None:
        """The page has no barriers, fits its window, has one heading of the first level and uses no id twice."""
        self.seen.append(step)
        picture = self.folder / f"{self.name}-{len(self.seen):02d}-{step}.png"
        self.page.screenshot(path=picture, full_page=True)
        if wanted := os.environ.get("TROTH_SCREENSHOTS"):
            Path(wanted).mkdir(parents=True, exist_ok=True)
            shutil.copy(picture, wanted)
        assert self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{step} is too wide"
        self.page.evaluate(_OPEN)
        assert self.page.evaluate(_TWICE) == []
        assert self.page.locator("h1").count() == 1
        assert not self.scripts or self._barriers() == []
        self.page.evaluate(_CLOSE)

    def _barriers(self) -> list[list[str]]:
        if not AXE.is_file():
            unavailable("axe-core is not fetched; hint: make setup")
        # Not as an element of the page, so that it runs where the page's own scripts may not.
        self.page.evaluate(AXE.read_text(encoding="utf-8") + "; 0")
        found: list[list[str]] = self.page.evaluate(_BARRIERS)
        return found

    def press(self, what: Locator, key: str = "Enter") -> None:
        """Press a button or follow a link, and wait for the page it leads to."""
        with self.page.expect_navigation():
            self.touch(what, key)

    def touch(self, what: Locator, key: str = "Space") -> None:
        """Click, or reach by Tab and press ``key``."""
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
