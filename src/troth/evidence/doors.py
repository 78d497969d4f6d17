"""What the made-up person of ``troth prove`` has in hand: the site's pages, their own mail, and the part of a worker."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from sqlalchemy import select

from troth.agenda import Job
from troth.agenda.tables import job
from troth.messages.actions import DELIVER
from troth.messages.mailbox import Mailbox
from troth.rights.intake import CARRY
from troth.rights.replies import REPLY
from troth.store.site import Site
from troth.store.trial import Stage
from troth.work import HANDLERS

MINE = (CARRY, REPLY, DELIVER)
"""the work that a request or a form brings with it: the only kinds of jobs that are carried out during a trial"""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page answered; a header that is there several times has its values in lines."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Door(Protocol):
    """The site's web application, as a browser meets it; paths are below the site's own address."""

    def get(self, path: str) -> Page: ...

    def post(self, path: str, sent: Mapping[str, str]) -> Page: ...


MakeDoor = Callable[[Site], Door]


@dataclass
class Walk:
    """A walk through the doors of a site on trial. ``before`` are the jobs that others had put on the agenda."""

    site: Site
    door: Door
    mailbox: Mailbox
    before: frozenset[str] = frozenset()

    def token(self, page: Page) -> str:
        """The token of the first form on ``page``; blank when it has none."""
        found = re.search(r'name="token" value="([^"]+)"', page.text)
        return found[1] if found else ""

    def visit(self, page: Page) -> dict[str, str]:
        """What every form of a page of the privacy centre carries."""
        return dict(re.findall(r'<input type="hidden" name="(token|visit)" value="([^"]+)"', page.text))

    def work(self) -> None:
        """Do what a worker would do for the requests of this walk, and for nobody else's."""
        done: set[str] = set()
        for _ in range(4):
            with self.site.reading() as conn:
                rows = conn.execute(select(job).where(job.c.kind.in_(MINE), job.c.id.not_in(self.before | done))).all()
            for row in rows:
                done.add(row.id)
                HANDLERS[row.kind](self.site, Job(row.id, row.kind, row.key, row.ref, 1, None, row.due_at))

    def link(self, page: str, email: str) -> str:
        """The path of the newest link to ``page``, such as ``privacy/confirm``, in mail to ``email``; blank when none came."""
        self.work()
        mine = (one for one in self.mailbox.messages() if email in one.recipients)
        found = [re.search(rf"/({page}/[\w-]+)", one.body("plain")) for one in mine]
        return next((f"/{one[1]}" for one in found if one), "")


def staged(site: Site, mailbox: Mailbox) -> Stage:
    """``site`` for trials, with its mail going to ``mailbox`` and nowhere else."""
    mail = site.wiring.mail
    if mail is not None:
        update = {"smtp": mailbox.address, "tls": "none", "user_env": None, "password_env": None}
        mail = mail.model_copy(update=update)
    return Stage(replace(site, wiring=site.wiring.model_copy(update={"mail": mail})))
