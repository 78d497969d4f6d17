"""What tests of requests share: the worker's part in them, and the links that people find in their mail."""

from __future__ import annotations

import re

from troth.agenda import run_due
from troth.messages.mailbox import Mailbox
from troth.rights import following
from troth.store.site import Site
from troth.work import HANDLERS


def run(site: Site) -> None:
    """Do what is on the agenda, and what that puts there; then follow the requests that are under way."""
    for _ in range(4):
        run_due(site, HANDLERS)
    following.follow(site)


def secret(mailbox: Mailbox, page: str) -> str:
    """What the newest link to ``page`` ends with, in all the mail that came."""
    letters = sorted(mailbox.messages(), key=lambda one: one.number)
    found = [re.search(rf"/{page}/([\w-]+)", one.body("plain")) for one in letters]
    return [one[1] for one in found if one][-1]
