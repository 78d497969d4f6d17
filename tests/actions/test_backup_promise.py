"""What the policy promises about backups, shown by the last drill: a backup is made, somebody is erased, and it is tried."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fixtures import SHOP, days
from troth.clock import MovedClock
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.evidence.prove import prove
from troth.ledger.seal import seal
from troth.proof import Proof
from troth.restoring.backup import backup
from troth.restoring.drill import drill
from troth.retention.destroy import complete, destroy
from troth.retention.ending import begin_ending
from troth.store import versions
from troth.store.site import Site


@pytest.fixture
def monday(site: Site, tmp_path: Path) -> Path:
    """A backup with somebody in it who stays and somebody who is erased afterwards."""
    for name in ("here", "gone"):
        collect(site, Submission("contact", {"email": f"{name}@shop.test", "question": "Hello"}, name))
    seal(site)
    backup(site, tmp_path / "monday")
    return tmp_path / "monday"


def erase(site: Site, clock: MovedClock, name: str = "gone") -> None:
    gone = collect(
        site, Submission("contact", {"email": f"{name}@shop.test", "question": "Bye"}, f"{name}-bye")
    ).person_id
    with site.writing() as conn:
        made = begin_ending(site, conn, gone, "request:1", site.now() + days(20))
    clock.move(days(18))
    destroy(site, made)
    complete(site, made)
    seal(site)


def shown(site: Site) -> Proof:
    return next(one.proof for one in prove(site).proven if one.promise.kind == "backup.purge")


def rewritten(site: Site, change: Callable[[str], str]) -> None:
    """Version 2 of the shop's policy, in force at once."""
    policy = change((SHOP / "policy.yaml").read_text()).replace("version: 1", "version: 2")
    with site.writing() as conn:
        versions.archive(conn, policy, (SHOP / "decisions.yaml").read_text(), effective_at=site.now(), at=site.now())


def test_nothing_shows_it_before_a_backup_was_tried(site: Site) -> None:
    assert (shown(site).verdict, shown(site).how) == ("not proven", "probe")


def test_where_nobody_was_destroyed_so_long_ago_there_is_nothing_to_check(site: Site, monday: Path) -> None:
    assert drill(site, monday).passed
    assert shown(site).verdict == "nothing to check yet"


def test_a_backup_whose_keys_bring_back_nobody_keeps_the_promise(
    site: Site, monday: Path, clock: MovedClock, tmp_path: Path
) -> None:
    erase(site, clock)
    clock.move(days(36))
    seal(site)
    backup(site, tmp_path / "later")
    assert drill(site, tmp_path / "later").erased == 1
    assert (shown(site).verdict, shown(site).measured) == ("kept", "it could bring back nobody")


def test_an_old_copy_of_the_keys_breaks_it_once_the_promised_time_is_over(
    site: Site, monday: Path, clock: MovedClock
) -> None:
    """The lie: a backup with somebody's key is kept longer than the policy promises, and nobody told Troth."""
    erase(site, clock)
    drill(site, monday)
    assert shown(site).verdict == "nothing to check yet", "there are 35 days for it"
    clock.move(days(36))
    drill(site, monday)
    assert (shown(site).verdict, shown(site).measured) == ("broken", "1 person could be brought back")


def test_a_drill_that_asks_of_fewer_people_shows_nothing(site: Site, monday: Path, clock: MovedClock) -> None:
    """The lie: whoever runs the drill gives it more time than the policy does, so that it finds nobody."""
    erase(site, clock)
    clock.move(days(36))
    assert drill(site, monday, within=timedelta(days=90)).back == 0
    assert (shown(site).verdict, shown(site).measured) == ("not proven", "it asked of fewer people than that")


def test_a_drill_that_is_too_long_ago_shows_nothing(site: Site, monday: Path, clock: MovedClock) -> None:
    drill(site, monday)
    clock.move(days(91))
    assert shown(site).verdict == "not proven"


def test_where_old_backups_are_destroyed_there_is_none(site: Site, monday: Path, clock: MovedClock) -> None:
    rewritten(site, lambda text: text.replace("by: key destruction", "by: rotation"))
    drill(site, monday)
    assert shown(site).verdict == "not proven", "one backup does not show that older ones are gone"
    clock.move(days(36))
    drill(site, monday)
    assert (shown(site).verdict, shown(site).measured) == ("broken", "there is a backup older than that")
