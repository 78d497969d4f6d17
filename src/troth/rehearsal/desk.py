"""What opens a demo: one account of staff that may see all of the desk, with a password and codes that everybody may know, and
the account of one of the made-up members.

Only for made-up people on one machine: ``troth demo`` listens on loopback alone, and nothing else makes these accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from troth.logins import totp
from troth.staff import actions, own
from troth.staff.rules import DESK, PRIVACY_LEAD
from troth.store.site import Site

LOGIN = "desk"
PASSWORD = "lamps on the desk"  # noqa: S105  (printed for everybody)
_SHARED = "demo desk"
_MEMBER = "demo member"


@dataclass(frozen=True, slots=True)
class Key:
    """What opens the desk of a demo: its name, its password, and the secret that makes its codes."""

    login: str
    password: str
    secret: str

    def code(self, site: Site) -> str:
        """The code that an app would show now."""
        return totp.code_at(self.secret, site.now())


@dataclass(frozen=True, slots=True)
class Member:
    """What a member of a demo logs in with."""

    address: str
    password: str


def staffed(site: Site) -> Key:
    """Make the account, or set it up anew; for as long as ``site`` is open, ``key_of`` tells what opens it."""
    with site.reading() as conn:
        there = any(one.login == LOGIN for one in actions.everybody(conn))
    link = actions.reset(site, LOGIN) if there else actions.add(site, LOGIN, [PRIVACY_LEAD, DESK])
    mine = own.setting_up(site, link)
    assert mine is not None
    before = totp.code_at(mine.secret, site.now() - timedelta(seconds=totp.STEP))  # the present one is still good then
    own.set_up(site, link, PASSWORD, before, "127.0.0.1")
    key = site.shared[_SHARED] = Key(LOGIN, PASSWORD, mine.secret)
    return key


def key_of(site: Site) -> Key | None:
    """What ``staffed`` made; None where it was not called, as at every site that is no demo."""
    found: Key | None = site.shared.get(_SHARED)
    return found


def known_member(site: Site, member: Member) -> None:
    """Let ``member_of`` tell what ``member`` logs in with, for as long as ``site`` is open."""
    site.shared[_MEMBER] = member


def member_of(site: Site) -> Member | None:
    """A member whose log-in everybody may know; None at every site that is no demo, and where nobody has an account."""
    found: Member | None = site.shared.get(_MEMBER)
    return found
