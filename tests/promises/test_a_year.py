"""Each operator lives a year under a moved clock, on both stores; then every promise is proven on what the year left."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from tests.databases import StoreKind
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

SITES = Path(__file__).parents[2] / "sites"
NAMES = sorted(path.parent.name for path in SITES.glob("*/policy.yaml"))
DAYS = 365
START = utc(2025, 3, 1)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    box.start()
    yield box
    box.stop()


@pytest.fixture
def lived(
    request: pytest.FixtureRequest,
    store_kind: StoreKind,
    fresh_database: Callable[..., str],
    tmp_path: Path,
    mailbox: Mailbox,
) -> Iterator[tuple[Site, Life, MovedClock]]:
    """The site after its year."""
    name: str = request.param
    folder = Path(shutil.copytree(SITES / name, tmp_path / name, ignore=shutil.ignore_patterns("var")))
    clock, stand_ins = MovedClock(START), StandIns()
    site = open_demo(folder, mailbox, clock, database=fresh_database(store_kind), keys=fresh_database(store_kind))
    stand_ins.start([site])
    prepare(site)
    make_site_key(site)
    publish(site)
    life = Life(site, clock, Random(11))
    life.live(DAYS, a_day=0.6)
    yield site, life, clock
    site.close()
    stand_ins.stop()


@pytest.mark.parametrize("lived", NAMES, indirect=True)
def test_a_year_later_every_promise_is_kept(lived: tuple[Site, Life, MovedClock]) -> None:
    site, life, clock = lived
    assert not [task for task in life.happened if task.startswith("worker failed")]
    assert life.happened["submissions"] > 50
    assert life.happened["hostile input refused"] == DAYS
    clock.move(timedelta(hours=1))
    turn(site)
    report = prove(site)
    assert [(one.promise.id, one.proof) for one in report.broken] == []
    assert report.summary["kept"] > report.summary["unproven"]
    assert alarms(site) == []
