"""A backup or a restore that is killed at any step leaves the old site or the new one, and never half of each."""

from pathlib import Path

import pytest

from tests.backups import dumping, keys, people
from tests.crashing import KILLED, exit_of
from tests.fixtures import days
from tests.restore_crashes import OLD, PLACES, backup_and_die, restore_and_die
from tests.submissions import REGISTER, sent
from troth import ledger
from troth.clock import MovedClock
from troth.collection import collect
from troth.ledger.heads import look
from troth.ledger.restored import silenced
from troth.restoring.backup import backup
from troth.restoring.drill import drill
from troth.restoring.restore import restore
from troth.retention.ending import begin_ending, destroy_due
from troth.store.site import Site, open_site

__all__ = ["dumping"]
ON_POSTGRESQL = (  # the same code, at a tenth of the speed
    "between the two copies",
    "before it is committed",
    "before the first store is exchanged",
    "before the scratch folder goes",
)
WHERE = [("sqlite", place) for place in PLACES] + [("postgresql", place) for place in ON_POSTGRESQL]


def urls(site: Site) -> dict[str, str]:
    engines = {"database": site.engine, "keys": site.keys}
    return {name: engine.url.render_as_string(hide_password=False) for name, engine in engines.items()}


@pytest.mark.parametrize(("store_kind", "place"), WHERE)
def test_a_restore_killed_anywhere_leaves_the_old_site_or_the_new(
    site: Site, tmp_path: Path, clock: MovedClock, place: str
) -> None:
    ann, eve = (
        collect(site, sent(REGISTER, f"register-{name}", email=f"{name}@shop.example")).person_id for name in ("a", "e")
    )
    backup(site, tmp_path / "monday")
    clock.move(days(1))
    with site.writing() as conn:
        begin_ending(site, conn, ann, "request:01ke6xqg800123456789abcdef", site.now())
    destroy_due(site)
    bob = collect(site, sent(REGISTER, "register-b", email="bob@shop.example")).person_id
    ledger.seal(site)
    site.close()
    assert (
        exit_of(restore_and_die, str(site.folder), urls(site), clock.now(), str(tmp_path / "monday"), place) == KILLED
    )
    again = open_site(site.folder, clock, **urls(site))
    with again.reading() as conn:
        new = silenced(conn)
    assert new == (place not in OLD)
    assert people(again) == ({eve} if new else {eve, bob})
    assert ann not in keys(again)
    assert (look(again), ledger.verify(again).verdict) == (None, "whole")
    if not new:
        again.close()
        restore(again, tmp_path / "monday", because="once more", by="engineer")
        assert people(again) == {eve}
    assert not list(again.folder.rglob("*restor*"))
    again.close()


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_backup_that_was_cut_short_is_none(site: Site, tmp_path: Path, clock: MovedClock, nth: int) -> None:
    collect(site, REGISTER)
    assert exit_of(backup_and_die, str(site.folder), urls(site), clock.now(), str(tmp_path / "monday"), nth) == KILLED
    assert not (tmp_path / "monday").exists()
    backup(site, tmp_path / "monday")
    assert drill(site, tmp_path / "monday").passed
