"""A member of the small shop, with a mailbox that stands where the shop's mail server would, and their telephone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from tests.operators import mailing, run_mail
from troth.accounts import actions
from troth.accounts.factors import settings
from troth.accounts.sessions import Member, log_in, second_step, who
from troth.collection.rules import Submission
from troth.logins.digests import Session
from troth.logins.totp import STEP, code_at
from troth.messages.mailbox import Mailbox
from troth.store.site import Site

PASSWORD = "seven quiet lamps"
ANN = {"email": "ann@shop.example", "full_name": "Ann Sparrow", "phone": "+44 20 7946 0123"}


@dataclass
class Door:
    """A site with a mailbox that stands where its mail server would."""

    site: Site
    mailbox: Mailbox
    secret: str = ""
    """of the app, once codes are on"""
    paper: Sequence[str] = field(default_factory=list)
    """the recovery codes"""

    def letters(self, to: str = "") -> list[str]:
        run_mail(self.site)
        found = [one for one in self.mailbox.messages() if not to or to in one.message["To"]]
        return [one.body("plain") for one in sorted(found, key=lambda one: one.number)]

    def token(self, page: str = "link", to: str = "") -> str:
        """The secret of the link in the newest message."""
        found = [re.search(rf"/account/{page}/([\w-]+)", one) for one in self.letters(to)]
        return [one[1] for one in found if one][-1]

    def register(self, key: str = "reg-1", **values: str) -> None:
        actions.register(self.site, Submission("register", {**ANN, **values}, key))

    def member(self, key: str = "reg-1", **values: str) -> Member:
        self.register(key, **values)
        actions.choose_password(self.site, self.token(), PASSWORD)
        return self.logged_in(values.get("email", ANN["email"]))

    def logged_in(self, address: str = ANN["email"]) -> Member:
        found = who(self.site, log_in(self.site, address, PASSWORD).secret)
        assert found is not None
        return found

    def with_codes(self, member: Member) -> None:
        """Set the app up; the code that turned it on is used up by that."""
        self.secret = settings.begin_codes(self.site, member, PASSWORD)
        self.paper = settings.turn_codes_on(self.site, member, self.code())

    def code(self) -> str:
        """What the app shows now."""
        return code_at(self.secret, self.site.now())

    def second(self, code: str) -> Session:
        """Log in with the password and ``code``."""
        return second_step(self.site, log_in(self.site, ANN["email"], PASSWORD).secret, code)


A_STEP = STEP
"""seconds after which the app shows another code"""


@pytest.fixture
def door(site: Site, mailbox: Mailbox) -> Door:
    return Door(mailing(site, mailbox), mailbox)
