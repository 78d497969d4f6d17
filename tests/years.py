"""A year of an operator's life under a moved clock, and the proof of every promise on what it left."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

from tests.databases import StoreKind
from tests.operators import SITES
from troth.clock import MovedClock, utc
from troth.evidence.prove import prove
from troth.messages.mailbox import Mailbox
from troth.messages.publish import publish
from troth.people.keyring import make_site_key
from troth.rehearsal.demo import open_demo
from troth.rehearsal.life import Life
from troth.rehearsal.stand_in import StandIns
from troth.retention.alarms import alarms
from troth.store.prepare import prepare
from troth.store.site import Site
from troth.work import turn

NAMES = sorted(path.parent.name for path in SITES.glob("*/policy.yaml"))
DAYS = 365
START = utc(2025, 3, 1)


def every_promise_is_kept_after_a_year(
    name: str, kind: StoreKind, fresh_database: Callable[..., str], folder: Path
) -> None:
    """Let the site called ``name`` live ``DAYS`` days on fresh stores, with its recipients and mail on loopback."""
    copied = Path(shutil.copytree(SITES / name, folder / name, ignore=shutil.ignore_patterns("var")))
    clock, mailbox, stand_ins = MovedClock(START), Mailbox(), StandIns()
    mailbox.start()
    site = open_demo(copied, mailbox, clock, database=fresh_database(kind), keys=fresh_database(kind))
    stand_ins.start([site])
    try:
        _lived(site, clock)
        _proven(site, clock)
    finally:
        site.close()
        stand_ins.stop()
        mailbox.stop()


def _lived(site: Site, clock: MovedClock) -> None:
    prepare(site)
    make_site_key(site)
    publish(site)
    happened = Life(site, clock, Random(11)).live(DAYS, a_day=0.6)
    assert not [task for task in happened if task.startswith("worker failed")]
    assert happened["submissions"] > 50
    assert happened["hostile input refused"] == DAYS


def _proven(site: Site, clock: MovedClock) -> None:
    clock.move(timedelta(hours=1))
    turn(site)
    report = prove(site)
    assert [(one.promise.id, one.proof) for one in report.broken] == []
    assert report.summary["kept"] > report.summary["unproven"]
    assert alarms(site) == []
