"""Who and what a clock destroyed since a backup is gone again when it is put back, and a drill asks for them by name."""

from pathlib import Path

import pytest

from tests.actions.lives import REGISTER, admit, fields_held, places_of, work
from tests.backups import keys, people
from tests.fixtures import days
from troth import ledger
from troth.clock import MovedClock
from troth.ids import new_id
from troth.people.dealings import open_dealing
from troth.restoring.backup import backup
from troth.restoring.drill import drill
from troth.restoring.erasures import BY_A_CLOCK, LEFT_OUT
from troth.restoring.restore import restore
from troth.retention.ending import destroy_due
from troth.retention.holds import make_hold, release
from troth.retention.leaving import begin_endings
from troth.retention.relationship import refresh
from troth.store.site import Site

WHY = {"because": "the disk failed", "by": "engineer"}


def registered(site: Site, name: str) -> str:
    return admit(site, "customer", {**REGISTER, "email": f"{name}@shop.example"}, "register", "registration")


def leaves(site: Site, *ids: str) -> None:
    with site.writing() as conn:
        for one in ids:
            open_dealing(site, conn, one, "notice", new_id(site.now()), site.now())
        refresh(site, conn, list(ids))


def held(site: Site, person_id: str) -> str:
    with site.writing() as conn:
        ends = site.now() + days(900)
        return make_hold(
            site,
            conn,
            person_id,
            ("full_name",),
            "legal_duties",
            "a lawsuit",
            "accounts",
            "privacy lead",
            ends,
            {"reference": "L-1"},
        )


def let_go(site: Site, hold_id: str) -> None:
    with site.writing() as conn:
        release(site, conn, hold_id)


def put_back(site: Site, folder: Path) -> dict[str, int]:
    ledger.seal(site)
    return dict(restore(site, folder, **WHY).replayed.done)


def test_customers_whom_a_clock_destroyed_since_are_gone_again_with_their_keys(
    site: Site, tmp_path: Path, clock: MovedClock
) -> None:
    ann, bob, eve = (registered(site, name) for name in ("ann", "bob", "eve"))
    backup(site, tmp_path / "monday")
    clock.move(days(1))
    leaves(site, ann, bob)
    clock.move(days(176))
    work(site)
    assert people(site) == {eve}
    done = put_back(site, tmp_path / "monday")
    assert done["people destroyed again, whom a clock had ended"] == 2
    assert (people(site), keys(site)) == ({eve}, {eve})
    assert places_of(site, [ann, bob]) <= {"ending"}


def test_a_hold_that_was_released_since_keeps_nobody_whom_a_clock_destroyed(
    site: Site, tmp_path: Path, clock: MovedClock
) -> None:
    ann, bob, eve = (registered(site, name) for name in ("ann", "bob", "eve"))
    released, _ = held(site, ann), held(site, eve)
    leaves(site, ann, eve)
    backup(site, tmp_path / "before")
    clock.move(days(176))
    work(site)
    backup(site, tmp_path / "kept apart")
    let_go(site, released)
    work(site)
    assert (places_of(site, [ann]) <= {"ending"}, keys(site)) == (True, {bob, eve})
    for folder in ("kept apart", "before"):
        put_back(site, tmp_path / folder)
        assert places_of(site, [ann]) <= {"ending"}
        for _ in range(2):  # what a sweep parts for a hold goes with the next one
            work(site)
        assert (keys(site), fields_held(site, eve)) == ({bob, eve}, {"full_name"}), "what a hold keeps is there"


def test_what_a_clock_took_of_people_who_stay_is_counted_and_taken_by_the_next_sweep(
    site: Site, tmp_path: Path, clock: MovedClock
) -> None:
    ann = registered(site, "ann")
    backup(site, tmp_path / "monday")
    clock.move(days(101))
    work(site)
    assert "interest" not in fields_held(site, ann)
    assert put_back(site, tmp_path / "monday")[BY_A_CLOCK] == 1
    assert "interest" in fields_held(site, ann)
    work(site)
    assert fields_held(site, ann) == {"email", "full_name"}
    assert people(site) == {ann}


def test_people_who_were_leaving_together_and_whom_no_entry_names_are_counted(
    site: Site, tmp_path: Path, clock: MovedClock
) -> None:
    ann, bob, eve = (registered(site, name) for name in ("ann", "bob", "eve"))
    backup(site, tmp_path / "monday")
    begin_endings(site, [ann], "handover", site.now())
    begin_endings(site, [bob], "handover", site.now() + days(20))
    destroy_due(site)
    done = put_back(site, tmp_path / "monday")
    assert (people(site), done[LEFT_OUT]) == ({bob, eve}, 1)


@pytest.mark.parametrize("within", [0, 35])
def test_a_drill_asks_for_those_whom_a_clock_destroyed(
    site: Site, tmp_path: Path, clock: MovedClock, within: int
) -> None:
    ann, bob, _ = (registered(site, name) for name in ("ann", "bob", "eve"))
    backup(site, tmp_path / "monday")
    leaves(site, ann, bob)
    clock.move(days(176))
    work(site)
    found = drill(site, tmp_path / "monday", within=days(35))
    assert (found.passed, found.erased, found.back) == (True, 0, 0), "there are 35 days for it"
    clock.move(days(36))
    found = drill(site, tmp_path / "monday", within=days(within))
    assert (found.passed, found.erased, found.back) == (False, 2, 2)
    backup(site, tmp_path / "today")
    assert drill(site, tmp_path / "today", within=days(within)).passed
