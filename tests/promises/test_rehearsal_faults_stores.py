"""Stores fail in a rehearsal where they are told to, as they really do; what Troth makes of it is whole or nothing."""

import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.submissions import REGISTER, counts, keys_made, sent
from troth.clock import MovedClock
from troth.collection.actions import collect
from troth.errors import StoreError
from troth.rehearsal.child import Child, Killed
from troth.rehearsal.faults import COMMIT, Kind, Mishap, Place
from troth.rehearsal.tripwires import Tripwires
from troth.store.site import Site, open_site


class Registering:
    """Takes in the registration of the person with a number, under whatever mishap it is told of; says what it met."""

    def __init__(self, folder: Path, database: str, keys: str, at: datetime) -> None:
        self.site = open_site(folder, MovedClock(at), database=database, keys=keys)
        self.wires = Tripwires(self.site)

    def refresh(self) -> None:
        self.site.policy()
        self.site.close()

    def detach(self) -> None:
        self.site.close()

    def do(self, task: tuple[int, Mishap | None]) -> dict[Place, int]:
        number, mishap = task
        self.wires.arm(mishap)
        collect(self.site, sent(REGISTER, key=f"r{number}", email=f"p{number}@shop.example"))
        assert self.wires.sprung == (mishap is not None)
        return dict(self.wires.met)


@pytest.fixture
def child(site: Site) -> Iterator[Child]:
    urls = (engine.url.render_as_string(hide_password=False) for engine in (site.engine, site.keys))
    child = Child(Registering, site.folder, *urls, site.now())
    yield child
    child.close()


def everywhere(child: Child, *kinds: Kind) -> Iterator[Mishap]:
    """A mishap of each of ``kinds`` at every statement and commit that a registration comes to."""
    child.do((0, None))
    met: dict[Place, int] = child.do((1, None))
    assert {(place.where, place.step) for place in met} == {
        (where, step) for where in ("data", "keys") for step in ("statement", "commit")
    }
    for place, times in met.items():
        yield from (Mishap(kind, place, nth) for nth in range(1, times + 1) for kind in kinds)


def test_a_process_killed_anywhere_has_registered_somebody_whole_or_not_at_all(site: Site, child: Child) -> None:
    whole = None
    for number, mishap in enumerate(everywhere(child, "killed before", "killed after"), start=2):
        before, keys = counts(site), keys_made(site)
        with pytest.raises(Killed) as killed:
            child.do((number, mishap), double=True)
        assert killed.value.ended_by == -signal.SIGKILL
        midway = counts(site)
        child.do((number, None))
        after = counts(site)
        one = {name: after[name] - before[name] for name in after}
        whole = whole or one
        assert one == whole
        assert midway in (before, after)
        assert keys + 1 <= keys_made(site) <= keys + 2
    assert whole is not None and whole["person"] == 1


def test_a_store_that_fails_anywhere_says_so_and_nothing_has_happened(site: Site, child: Child) -> None:
    for number, mishap in enumerate(everywhere(child, "failed"), start=2):
        before = counts(site)
        with pytest.raises(StoreError):
            child.do((number, mishap))
        if (mishap.place.where, mishap.place.step) != ("keys", COMMIT):
            assert counts(site) == before
        child.do((number, None))
        assert counts(site)["person"] == before["person"] + 1


def test_whoever_asks_again_after_a_lost_answer_is_registered_once(site: Site, child: Child) -> None:
    place = Place("data", COMMIT)
    child.do((0, None))
    with pytest.raises(StoreError):
        child.do((1, Mishap("answer lost", place, child.do((2, None))[place])))
    assert counts(site)["person"] == 3
    child.do((1, None))
    assert counts(site)["person"] == 3


def test_a_late_answer_is_an_answer(site: Site, child: Child) -> None:
    for number, mishap in enumerate(everywhere(child, "late"), start=2):
        child.do((number, mishap))
    assert counts(site)["person"] == number + 1
