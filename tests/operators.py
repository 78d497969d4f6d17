"""The five operators' sites, opened with their decisions, and a mailbox that stands where their mail server would."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select

from tests.databases import StoreKind
from tests.first_day import started
from tests.fixtures import SHOP
from troth.agenda import run_due
from troth.clock import MovedClock, utc
from troth.messages.actions import HANDLERS
from troth.messages.mailbox import Mailbox
from troth.people.tables import holding
from troth.policy.check import check
from troth.rights.intake import receive
from troth.rights.rules import Intake, destroyed_by
from troth.settings import MailWires
from troth.store.site import Site

SITES = Path(__file__).parents[1] / "sites"
PUBLISHED, EFFECTIVE = utc(2017, 12), utc(2018)
Edit = tuple[str, str, str]
"""a file of a site's folder, what stands in it and what shall stand there"""


def open_operator(
    name: str,
    folder: Path,
    clock: MovedClock,
    fresh_database: Callable[..., str],
    kind: StoreKind = "sqlite",
    among: Path | None = None,
    edits: Sequence[Edit] = (),
) -> Site:
    """The site called ``name`` (or ``shop``) on fresh stores, with version 1 of its policy in force.

    With ``edits`` the operator had changed the policy or the decisions, and insisted on it.
    """
    source = SHOP if name == "shop" and among is None else (among or SITES) / name
    copied = edited(source, folder / name, edits)
    if edits:
        insisted(copied)
    return started(copied, clock, fresh_database, kind, PUBLISHED, EFFECTIVE)


def edited(source: Path, folder: Path, edits: Iterable[Edit]) -> Path:
    """``folder``, made as a copy of the site in ``source`` with ``edits``."""
    made = Path(shutil.copytree(source, folder, ignore=shutil.ignore_patterns("var")))
    rewritten(made, edits)
    return made


def rewritten(folder: Path, edits: Iterable[Edit]) -> None:
    """Carry ``edits`` out on the site in ``folder``."""
    for file, old, new in edits:
        text = (folder / file).read_text("utf-8")
        assert old and old in text, f"{old!r} does not stand in {file} of {folder.name}"
        (folder / file).write_text(text.replace(old, new, 1), "utf-8")


def insisted(folder: Path) -> None:
    """Whatever ``troth check`` has against the site in ``folder``, its operator decides to live with and changes nothing."""
    found = list(dict.fromkeys(one.key for one in check(folder).unsettled))
    if found:
        said = "because: We want it so.\n    by: managing director\n    on: 2026-11-10\n"
        with (folder / "decisions.yaml").open("a", encoding="utf-8") as file:
            file.write(f"\n  - settles: [{', '.join(found)}]\n    {said}")


def mailing(site: Site, mailbox: Mailbox, at: str = "") -> Site:
    """``site`` with ``mailbox`` as its mail server; ``at`` is its address where it does not listen yet."""
    sender = site.wiring.mail.sender if site.wiring.mail else "privacy@shop.example"
    wires = MailWires(smtp=at or mailbox.address, sender=sender)
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
