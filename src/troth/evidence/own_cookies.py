"""What the site's own pages set: every cookie that the made-up person is handed, held against what the policy declares.

Troth sets one cookie for visitors, that of a log-in. The walks see the pages of Troth and no others: what the operator's other
pages set, and what somebody else sets there, nobody sees here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http.cookies import Morsel, SimpleCookie

from troth.accounts.profile import account_point
from troth.evidence.asker import Asker, fits, made_up_form
from troth.evidence.doors import Door, Page, Walk
from troth.policy.compile import Compiled
from troth.policy.log_in import log_in_cookie
from troth.rights import rules

PAGES = ("", "/forms", "/privacy", "/versions", "/account/login", "/nowhere")


@dataclass
class Noting:
    """A door that notes what cookies are handed out at it, each with the page that did."""

    door: Door
    cookies: list[tuple[str, Morsel[str] | None]] = field(default_factory=list)
    """None for one that cannot be read, which nobody declared"""

    def get(self, path: str) -> Page:
        return self._noted(path, self.door.get(path))

    def post(self, path: str, sent: Mapping[str, str]) -> Page:
        return self._noted(path, self.door.post(path, sent))

    def _noted(self, path: str, page: Page) -> Page:
        for line in page.headers.get("set-cookie", "").splitlines():
            self.cookies += [(path, one) for one in SimpleCookie(line).values() or (None,)]
        return page


def pages_set_none(compiled: Compiled, walk: Walk) -> bool | None:
    """Looking at the pages, handing in a form with every box ticked and asking for one's data sets no cookie.

    None where a page, the form or the data could not be had: that shows nothing of what they would set.
    """
    noting = Noting(walk.door)
    asker = Asker(replace(walk, door=noting), compiled)
    seen = [noting.get(page).status < 500 for page in (*PAGES, f"/forms/{made_up_form(compiled)}")]
    had = asker.collect() and (not rules.terms(compiled, "access").offered or asker.centre("access") is not None)
    if not all(_declared(compiled, walk.site.now(), *one) for one in noting.cookies):
        return False
    return True if had and all(seen) else None


def log_in_sets_its_own(compiled: Compiled, walk: Walk) -> bool | None:
    """A log-in hands out one cookie, which ends when the policy says, and nothing before it does."""
    point = account_point(compiled)
    if point is None or not fits(compiled, point, "account"):
        return None
    noting = Noting(walk.door)
    asker = Asker(replace(walk, door=noting), compiled, point)
    if not asker.collect() or noting.cookies or not asker.logs_in(asker.token):
        return False
    return len(noting.cookies) == 1 and all(_declared(compiled, walk.site.now(), *one) for one in noting.cookies)


def _declared(compiled: Compiled, now: datetime, page: str, cookie: Morsel[str] | None) -> bool:
    """Whether the policy declares a cookie that is set here: that of a log-in, for no longer than it says."""
    if cookie is None:
        return False
    own, lasts = log_in_cookie(compiled.policy), cookie["max-age"]
    if own is None or not page.startswith("/account/") or (cookie["expires"] and not lasts):
        return False
    return not lasts or now + timedelta(seconds=int(lasts)) <= compiled.calendar.end(now, own.life) + _ROUNDED


_ROUNDED = timedelta(seconds=1)
