"""Members of staff for tests: added, set up, with an app that shows their codes, at the desk or not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from tests.members import PASSWORD
from tests.served import Client, token_of
from troth.clock import Clock, MovedClock
from troth.logins import totp
from troth.staff import actions, own
from troth.staff.entering import Entered, log_in, who
from troth.staff.rules import DESK, PRIVACY_LEAD
from troth.store.site import Site

HERE = "192.0.2.7"


@dataclass
class Somebody:
    """A member of staff with a telephone; ``link`` is their set-up link, ``codes`` what they keep on paper."""

    site: Site
    login: str
    link: str
    secret: str = ""
    codes: tuple[str, ...] = ()
    password: str = PASSWORD

    def code(self) -> str:
        """What their app shows; a later code than any before, as if they waited for it."""
        clock: Clock = self.site.clock
        if isinstance(clock, MovedClock):
            clock.move(timedelta(seconds=totp.STEP))
        return totp.code_at(self.secret, clock.now())

    def set_up(self) -> Somebody:
        """Use the link up."""
        mine = own.setting_up(self.site, self.link)
        assert mine is not None
        self.secret = mine.secret
        self.codes = own.set_up(self.site, self.link, self.password, self.code(), HERE).codes
        return self

    def session(self) -> str:
        """Log in; the secret of the session."""
        return log_in(self.site, self.login, self.password, self.code(), HERE).secret

    def entered(self) -> Entered:
        """Log in; who they are at the desk."""
        found = who(self.site, self.session(), HERE)
        assert found is not None
        return found


def somebody(site: Site, login: str = "ann", *roles: str) -> Somebody:
    """A member of staff whose log-in is set up; at first the privacy lead."""
    return Somebody(site, login, actions.add(site, login, roles or (PRIVACY_LEAD,))).set_up()


def clerk(site: Site, login: str = "ben") -> Somebody:
    """Somebody who works on requests."""
    return somebody(site, login, DESK)


def at_desk(web: Client, who_: Somebody, password: str | None = None, code: str | None = None) -> int:
    """Log ``who_`` in through the page; the status of the answer."""
    login = f"/{who_.site.name}/desk/login"
    sent = {"token": token_of(web.get(login).text), "login": who_.login, "password": password or who_.password}
    sent["code"] = who_.code() if code is None else code
    return web.post(login, data=sent, follow_redirects=False).status_code


def shown_secret(page: str) -> str:
    """The secret that a set-up page shows for typing into an app."""
    found = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page)
    assert found is not None
    return found[1].replace(" ", "")
