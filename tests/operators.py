"""The five operators' sites, opened with their decisions, and a mailbox that stands where their mail server would."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select

from tests.databases import StoreKind
from tests.fixtures import SHOP, data_tables_made, key_tables_made
from troth.agenda import run_due
from troth.clock import MovedClock, utc
from troth.messages.actions import HANDLERS
from troth.messages.mailbox import Mailbox
from troth.people.keyring import make_site_key
from troth.people.tables import holding
from troth.rights.intake import receive
from troth.rights.rules import Intake, destroyed_by
from troth.settings import MailWires
from troth.store import versions
from troth.store.prepare import prepare
from troth.store.site import Site, open_site

SITES = Path(__file__).parents[1] / "sites"


def open_operator(
    name: str, folder: Path, clock: MovedClock, fresh_database: Callable[..., str], kind: StoreKind = "sqlite"
) -> Site:
    """The site called ``name`` (or ``shop``) on fresh stores, with version 1 of its policy in force."""
    source = SHOP if name == "shop" else SITES / name
    copied = Path(shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("var")))
    urls = {
        "database": fresh_database(kind, prepared_by=data_tables_made),
        "keys": fresh_database(kind, prepared_by=key_tables_made),
    }
    site = open_site(copied, clock, **urls)
    prepare(site)
    make_site_key(site)
    policy, decisions = ((copied / file).read_text() for file in ("policy.yaml", "decisions.yaml"))
    with site.writing() as conn:
        versions.archive(conn, policy, decisions, effective_at=utc(2018), at=utc(2017, 12))
    return site


def mailing(site: Site, mailbox: Mailbox) -> Site:
    """``site`` with ``mailbox`` as its mail server."""
    sender = site.wiring.mail.sender if site.wiring.mail else "privacy@shop.example"
    wires = MailWires(smtp=mailbox.address, sender=sender)
    return replace(site, wiring=site.wiring.model_copy(update={"mail": wires}))


def run_mail(site: Site) -> None:
    """Do what the messages room has on the agenda, and what that puts there."""
    for _ in range(3):
        run_due(site, HANDLERS)


def holdings(site: Site) -> int:
    with site.reading() as conn:
        return conn.execute(select(func.count()).select_from(holding)).scalar_one()


def erased(site: Site, person_id: str) -> datetime:
    """Delete somebody and everything that is held about them at their wish; the instant by which it is destroyed."""
    receive(site, Intake("erasure", "account", f"erase:{person_id}", member=person_id, vouched="account"))
    return destroyed_by(site.policy(), site.now())
