"""A backup or a restore that is killed at any step leaves the old site or the new one, and never half of each."""

import uuid
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.backups import keys, people
from tests.crashing import KILLED, exit_of
from tests.fixtures import days
from tests.restore_crashes import OLD, PLACES, RECORDING, accept_and_die, backup_and_die, restore_and_die
from tests.stores import Copies
from tests.submissions import REGISTER, sent
from troth import ledger
from troth.clock import MovedClock
from troth.collection import collect
from troth.consent.actions import choices, record
from troth.errors import Refused
from troth.ledger.heads import look
from troth.ledger.restored import silenced
from troth.restoring.backup import backup
from troth.restoring.by_hand import accept
from troth.restoring.drill import drill
from troth.restoring.release import release
from troth.restoring.restore import restore
from troth.retention.ending import begin_ending, destroy_due
from troth.retention.tables import ending
from troth.store.site import Site, open_site
from troth.work import silent, standing

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


REQUEST = "request:01ke6xqg800123456789abcde"
WHERE_BY_HAND = [("sqlite", place) for place in RECORDING] + [
    ("postgresql", "before what was done is done again"),
    ("postgresql", "between two endings"),
]


@pytest.mark.parametrize(("store_kind", "place"), WHERE_BY_HAND)
def test_recording_that_stores_were_put_back_goes_on_where_it_was_killed(
    site: Site, tmp_path: Path, clock: MovedClock, place: str
) -> None:
    ann, bea, cyd, eve = (
        collect(site, sent(REGISTER, f"register-{name}", email=f"{name}@shop.example")).person_id
        for name in ("a", "b", "c", "e")
    )
    ledger.seal(site)
    copies, name = Copies(tmp_path), uuid.uuid4().hex[:12]
    for engine, of in ((site.engine, "data"), (site.keys, "keys")):
        copies.take(engine, name + of)
    clock.move(days(1))
    with site.writing() as conn:
        for number, person_id in enumerate((ann, bea)):
            begin_ending(site, conn, person_id, f"{REQUEST}{number}", site.now())
        begin_ending(site, conn, cyd, f"{REQUEST}2", site.now() + days(20))
        record(site, conn, eve, "marketing", "withdrawn", "", "en", "letter", site.policy())
    destroy_due(site)
    ledger.seal(site)
    with (tmp_path / "ledger.jsonl").open("w") as out:
        ledger.export(site, out)
    for engine, of in ((site.engine, "data"), (site.keys, "keys")):
        copies.put_back(engine, name + of)
    site.close()
    arguments = str(site.folder), urls(site), clock.now(), str(tmp_path / "ledger.jsonl"), place
    assert exit_of(accept_and_die, *arguments) == KILLED
    again = open_site(site.folder, clock, **urls(site))
    assert silent(again)
    finished = place in {"before it is recorded", "before the last seal"}
    assert ("restore unfinished" in {one.kind for one in standing(again)}) != finished
    if place != "before the last seal":
        if not finished:
            with pytest.raises(Refused, match="not all done again"):
                release(again, "engineer")
        accept(again, "copies of the night before", "engineer", tmp_path / "ledger.jsonl")
    assert people(again) == {eve}
    assert keys(again) == {cyd, eve}
    with again.reading() as conn:
        assert {(one.scope, one.state) for one in choices(conn, [eve])[eve]} == {("marketing", "withdrawn")}
        assert conn.scalar(select(func.count()).select_from(ending)) == 3, "nothing ends twice"
    ledger.seal(again)
    assert (look(again), ledger.verify(again).verdict) == (None, "whole")
    with pytest.raises(Refused, match="Nothing is to be recorded"):
        accept(again, "once more", "engineer")
    release(again, "engineer")
    again.close()
    copies.close()


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_backup_that_was_cut_short_is_none(site: Site, tmp_path: Path, clock: MovedClock, nth: int) -> None:
    collect(site, REGISTER)
    assert exit_of(backup_and_die, str(site.folder), urls(site), clock.now(), str(tmp_path / "monday"), nth) == KILLED
    assert not (tmp_path / "monday").exists()
    backup(site, tmp_path / "monday")
    assert drill(site, tmp_path / "monday").passed
