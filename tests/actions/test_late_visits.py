"""That visits were destroyed in time is not said where nothing shows it, and that they are hidden is tried."""

from __future__ import annotations

import pytest

from tests.actions.test_visits import visit
from tests.fixtures import days
from troth.clock import MovedClock, utc
from troth.evidence.prove import prove
from troth.proof import Proof
from troth.store.site import Site
from troth.visits.sweep import sweep


def keep(site: Site) -> Proof:
    return next(one.proof for one in prove(site).proven if one.promise.id == "visits.keep")


def test_visits_that_were_destroyed_a_year_late_are_not_called_destroyed_in_time(site: Site, clock: MovedClock) -> None:
    visit(site)
    clock.move(days(400))
    assert keep(site).verdict == "broken"
    assert sweep(site) == 1
    found = keep(site)
    assert (found.verdict, found.measured) == ("nothing to check yet", "no visit is kept")
    assert found.evidence == "nothing shows whether those that are gone went in time"


def test_a_visit_that_can_be_read_after_its_time_breaks_the_promise(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit(site)
    found = keep(site)
    assert (found.verdict, found.evidence) == ("kept", "1 visit kept, each hidden from its last minute on")
    monkeypatch.setattr("troth.visits.actions.cutoff", lambda *_: utc(1970))
    found = keep(site)
    assert (found.verdict, found.measured) == ("broken", "a visit can be read after its time")
