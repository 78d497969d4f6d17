"""A site to be lived on: a copy of its folder, empty stores, a clock that only it moves, and mail that stays here."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from troth.clock import Clock, MovedClock, utc
from troth.messages.mailbox import Mailbox
from troth.messages.publish import publish
from troth.people.keyring import make_site_key
from troth.rehearsal.stand_in import StandIns
from troth.store.prepare import prepare
from troth.store.site import Site, open_site

START = utc(2026, 1, 5)
"""the first midnight of every rehearsal, unless the policy takes effect later"""


@dataclass(frozen=True, slots=True)
class Props:
    """What another process needs to open the same site: its folder, its stores and where mail goes."""

    folder: Path
    mail: str
    database: str | None = None
    keys: str | None = None

    def open(self, clock: Clock | None = None) -> Site:
        """The site, opened for a rehearsal."""
        return open_scratch(self.folder, self.mail, clock, database=self.database, keys=self.keys)


@dataclass(frozen=True)
class Stage:
    """A site with nobody in it yet, whose policy is in force from ``start``."""

    site: Site
    clock: MovedClock
    start: datetime
    mailbox: Mailbox
    stand_ins: StandIns
    props: Props


@contextmanager
def staged(
    source: Path,
    folder: Path,
    mailbox: Mailbox | None = None,
    stand_ins: StandIns | None = None,
    *,
    policy: Path | None = None,
    database: str | None = None,
    keys: str | None = None,
) -> Iterator[Stage]:
    """Copy ``source`` below ``folder``, make its stores there or in ``database`` and ``keys``, and publish its policy.

    Raises:
        PolicyError: when the policy, or the draft ``policy`` in its place, does not hold together.
    """
    copied = Path(shutil.copytree(source, folder / "site", ignore=shutil.ignore_patterns("var")))
    if policy is not None:
        shutil.copyfile(policy, copied / "policy.yaml")
    clock, mailbox, stand_ins = MovedClock(START), mailbox or Mailbox(), stand_ins or StandIns()
    mailbox.start()
    try:
        props = Props(copied, mailbox.address, _apart(database, copied, "data"), _apart(keys, copied, "keys"))
        site = props.open(clock)
        stand_ins.start([site])
        try:
            prepare(site)
            make_site_key(site)
            clock.at = max(START, publish(site).effective_at)
            yield Stage(site, clock, clock.at, mailbox, stand_ins, props)
        finally:
            stand_ins.stop()
            site.close()
    finally:
        mailbox.stop()


def _apart(url: str | None, folder: Path, store: str) -> str:
    """The store's own URL, else a file of the scratch folder: never what ``site.yaml`` names."""
    return url or f"sqlite:///{folder / 'var' / f'{store}.db'}"


def open_scratch(
    folder: Path, mail_to: str, clock: Clock | None = None, *, database: str | None = None, keys: str | None = None
) -> Site:
    """The site in ``folder`` with its mail going to ``mail_to``, on stores that nobody needs after a power cut."""
    site = send_mail_to(open_site(folder, clock, database=database, keys=keys), mail_to)
    for engine in (site.engine, site.keys):
        _spare_the_disk(engine)
    return site


def send_mail_to(site: Site, address: str) -> Site:
    """``site`` with its mail going to ``address``, wherever its ``site.yaml`` would send it."""
    if site.wiring.mail is None:
        return site
    mail = site.wiring.mail.model_copy(update={"smtp": address, "tls": "none"})
    return replace(site, wiring=site.wiring.model_copy(update={"mail": mail}))


def _spare_the_disk(engine: Engine) -> None:
    """Let SQLite leave it to the system when files reach the disk: what is written survives every kill but a power cut."""

    @event.listens_for(engine, "connect")
    def _connect(raw: Any, _record: object) -> None:
        if isinstance(raw, sqlite3.Connection):
            raw.execute("PRAGMA synchronous = OFF")
