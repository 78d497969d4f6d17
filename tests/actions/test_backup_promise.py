"""What the policy promises about backups, shown by the last drill: a backup is made, somebody is erased, and it is tried."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from tests.fixtures import SHOP, days
from troth.clock import MovedClock
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.evidence.prove import prove
from troth.ledger import append, events
from troth.ledger.seal import seal
from troth.ledger.tables import entry
from troth.people.tables import person_key
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


def written_by(site: Site, name: str) -> str:
    return collect(
        site, Submission("contact", {"email": f"{name}@shop.test", "question": "Bye"}, f"{name}-bye")
    ).person_id


def erase(site: Site, clock: MovedClock, name: str = "gone") -> None:
    gone = written_by(site, name)
    with site.writing() as conn:
        made = begin_ending(site, conn, gone, "request:1", site.now() + days(20))
    clock.move(days(18))
    destroy(site, made)
    complete(site, made)
    seal(site)


NOBODY = "it could bring back nobody; whether older copies of the keys are gone cannot be seen"


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


def test_a_backup_whose_keys_bring_back_nobody_shows_nothing_of_older_copies_of_the_keys(
    site: Site, monday: Path, clock: MovedClock, tmp_path: Path
) -> None:
    """The lie: the freshest backup is tried, and that of Monday, which still opens who was erased, lies in a drawer."""
    erase(site, clock)
    clock.move(days(36))
    seal(site)
    backup(site, tmp_path / "later")
    assert drill(site, tmp_path / "later").erased == 1
    assert (shown(site).verdict, shown(site).measured) == ("not proven", NOBODY)
    assert drill(site, monday).back == 1
    assert shown(site).verdict == "broken"


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


def test_a_drill_that_is_overdue_breaks_the_promise(site: Site, monday: Path, clock: MovedClock) -> None:
    """The lie: restores are promised every 90 days, and nobody tries one."""
    drill(site, monday)
    clock.move(days(90))
    assert shown(site).verdict == "nothing to check yet"
    clock.move(days(1))
    assert (shown(site).verdict, shown(site).measured) == ("broken", "the last try was 91 d ago")


def test_a_key_that_was_copied_back_is_found_in_the_next_backup(site: Site, clock: MovedClock, tmp_path: Path) -> None:
    """The lie: somebody keeps the key of a person who was erased, and puts it back where backups are taken from."""
    gone = written_by(site, "gone")
    with site.keys.connect() as conn:
        key = dict(conn.execute(select(person_key).where(person_key.c.person_id == gone)).mappings().one())
    erase(site, clock)
    clock.move(days(36))
    seal(site)
    backup(site, tmp_path / "without")
    drill(site, tmp_path / "without")
    assert (shown(site).verdict, shown(site).measured) == ("not proven", NOBODY)
    with site.keys.begin() as conn:
        conn.execute(insert(person_key), [key])
    backup(site, tmp_path / "with")
    assert not drill(site, tmp_path / "with").passed
    assert (shown(site).verdict, shown(site).measured) == ("broken", "1 person could be brought back")


def test_a_backup_that_cannot_be_put_back_breaks_the_promise(site: Site, monday: Path) -> None:
    """What a drill enters that finds the ledger in the copy broken."""
    drill(site, monday)
    with site.writing() as conn:
        last = conn.scalar(select(entry.c.body).where(entry.c.event == events.BACKUP_DRILLED))
        append(conn, site.now(), events.BACKUP_DRILLED, {**json.loads(last), "whole": False, "passed": False})
    assert (shown(site).verdict, shown(site).measured) == ("broken", "the backup that was tried cannot be put back")


def test_the_evidence_names_the_oldest_backup_that_was_tried(
    site: Site, monday: Path, clock: MovedClock, tmp_path: Path
) -> None:
    clock.move(days(10))
    backup(site, tmp_path / "later")
    drill(site, monday)
    drill(site, tmp_path / "later")
    assert "the oldest one tried lately is of 5 January 2026" in shown(site).evidence
    clock.move(days(91))
    drill(site, tmp_path / "later")
    assert "the oldest one tried lately is of 15 January 2026" in shown(site).evidence


def test_where_old_backups_are_destroyed_there_is_none(site: Site, monday: Path, clock: MovedClock) -> None:
    rewritten(site, lambda text: text.replace("by: key destruction", "by: rotation"))
    drill(site, monday)
    assert shown(site).verdict == "not proven", "one backup does not show that older ones are gone"
    clock.move(days(36))
    drill(site, monday)
    assert (shown(site).verdict, shown(site).measured) == ("broken", "there is a backup older than that")
