"""The five operators with a stretch of life behind them, on SQLite, under one folder; what ``troth demo`` shows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import datetime, timedelta
from pathlib import Path

from troth.clock import Clock, MovedClock, SystemClock
from troth.errors import PolicyError
from troth.ledger.seal import seal
from troth.messages.mailbox import Mailbox
from troth.messages.publish import publish
from troth.people.keyring import make_site_key
from troth.rehearsal.acts import Acts
from troth.rehearsal.all_day import ALL_DAY
from troth.rehearsal.demo_days import LAST, live_on
from troth.rehearsal.demo_people import PASSWORD, MakeBrowser, address_of
from troth.rehearsal.desk import Member, known_member
from troth.rehearsal.generate import Often, generate
from troth.rehearsal.run import begin, live
from troth.rehearsal.stage import send_mail_to
from troth.rehearsal.stand_in import StandIns
from troth.retention.heartbeat import STORES
from troth.store.prepare import prepare as make_tables
from troth.store.site import Site, open_site
from troth.work import Turn, turn

DAYS = 45
A_DAY = 3
SEED = 7
OFTEN = Often(visits=6, listed=20, visits_instead=0)
"""seldom enough that the five are built while somebody waits"""
NOT_HERE = frozenset({"amend", "jump"})
"""the clock is right, and the policy changes once, at the end"""
READY = "demo.json"
"""written last, so that a folder with it is whole"""

Progress = Callable[[str, int, int], None]


def find_sites(start: Path) -> Path:
    """The folder of the operators' sites: ``sites`` below ``start``, or beside Troth's own source.

    Raises:
        PolicyError: when there is none.
    """
    for folder in (start / "sites", Path(__file__).parents[3] / "sites"):
        if any(folder.glob("*/policy.yaml")):
            return folder
    raise PolicyError(
        "The five operators' sites are not here.", "Run this in a checkout of Troth, or name them with --sites."
    )


def prepare(
    folder: Path, sites: Path, door: MakeBrowser, progress: Progress | None = None, days: int = DAYS
) -> list[Path]:
    """Build each site of ``sites`` below ``folder`` and let it live ``days`` days up to now, of which the last ``len(LAST)``
    are those of named people; returns the sites' folders.

    ``door`` opens a site's web application for the people of the last days; it is called in other processes. A site that was
    built whole before is left as it is; one that was interrupted is built anew. ``progress`` is called with a site's name, how
    many are built and how many will be.
    """
    names = sorted(path.parent.name for path in sites.glob("*/policy.yaml"))
    missing = [name for name in names if not (folder / name / READY).exists()]
    with ProcessPoolExecutor(max_workers=2) as pool:
        building = {pool.submit(_build, sites / name, folder / name, door, days): name for name in missing}
        for done, future in enumerate(as_completed(building), start=1):
            future.result()
            if progress:
                progress(building[future], done, len(missing))
    return [folder / name for name in names]


class Calm(Acts):
    """Acts where nobody meddles with the stores: the worker looks at them as seldom as raises no alarm, to save time."""

    def turn(self, day: int, at: datetime) -> Turn:
        """As in ``Acts``, but for the look at the stores on every second day."""
        self.clock.at = at
        return turn(self.site, {name: task for name, task in ALL_DAY.items() if name != STORES or day % 2})


def _build(source: Path, folder: Path, door: MakeBrowser, days: int) -> None:
    """Build one site; the file that says it is ready is written last."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("var"))
    clock = MovedClock(SystemClock().now() - timedelta(days=days))
    mailbox, stand_ins = Mailbox(), StandIns()
    mailbox.start()
    site = open_demo(folder, mailbox, clock)
    stand_ins.start([site])
    try:
        make_tables(site)
        make_site_key(site)
        publish(site)
        acts = Calm(site, clock, SEED)
        happened = _lived(acts, days - len(LAST))
        member = live_on(door(site), mailbox, acts)
        seal(site)
        (folder / READY).write_text(json.dumps({"happened": happened, "member": member}, indent=1))
    finally:
        site.close()
        mailbox.stop()
        stand_ins.stop()


def _lived(acts: Acts, days: int) -> dict[str, int]:
    """Let the site of ``acts`` live ``days`` days; counts what happened."""
    compiled, partners = acts.site.policy(), acts.site.wiring.partners
    life = begin(acts.site, acts.clock, acts, SEED)
    made = generate(compiled, days=days, people=days * A_DAY, seed=SEED, partners=partners, often=OFTEN)
    live(life, (event for event in made if event.act not in NOT_HERE), days)
    return dict(sorted(life.happened.items()))


def open_demo(
    folder: Path, mailbox: Mailbox, clock: Clock | None = None, *, database: str | None = None, keys: str | None = None
) -> Site:
    """The site in ``folder`` with its mail going to ``mailbox``, wherever its ``site.yaml`` would send it."""
    return send_mail_to(open_site(folder, clock, database=database, keys=keys), mailbox.address)


def open_all(folders: Sequence[Path], mailbox: Mailbox) -> list[Site]:
    """The sites of a prepared demo, on the machine's own clock; ``desk.member_of`` tells of each who can log in."""
    sites = [open_demo(folder, mailbox) for folder in folders]
    for site, folder in zip(sites, folders, strict=True):
        member = json.loads((folder / READY).read_text("utf-8")).get(
            "member"
        )  # a number: an address would be a finding
        if isinstance(member, int):
            known_member(site, Member(address_of(member), PASSWORD))
    return sites
