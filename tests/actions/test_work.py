"""The worker goes on, whatever its stores do meanwhile."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, text, update
from sqlalchemy.exc import OperationalError

from tests.fixtures import days
from tests.peers import rewired
from troth import ledger
from troth.clock import AHEAD, MovedClock
from troth.errors import StoreError
from troth.evidence.prove import prove
from troth.ledger import events
from troth.ledger.seal import seal
from troth.retention.alarms import alarms, to_show
from troth.retention.heartbeat import EXPECTED
from troth.retention.tables import heartbeat
from troth.settings import LedgerWires
from troth.store.engines import alone, open_engine, writing
from troth.store.site import Site
from troth.work import HEARTBEAT, TASKS, standing, turn


def test_a_turn_with_a_locked_store_tells_of_it_and_ends_like_any_other(site: Site) -> None:
    url = site.engine.url
    impatient = replace(site, engine=open_engine(url.render_as_string(hide_password=False), site.folder, 50))
    with writing(site.engine) as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(text("LOCK TABLE heartbeat IN SHARE MODE"))
        done = turn(impatient, {"nothing": lambda _: 0})
    assert done.done == {"nothing": 0}
    assert "busy with another writer" in done.problems[HEARTBEAT]
    assert not turn(impatient, {"seal": lambda one: seal(one).entries}).problems
    impatient.engine.dispose()


def test_a_worker_that_comes_once_a_day_is_not_silent(site: Site, clock: MovedClock) -> None:
    turn(site)
    for _ in range(3):
        clock.move(days(1))
        assert turn(site).done["alarms"] == 0
    assert alarms(site) == []
    clock.move(days(1))
    assert {one.kind for one in alarms(site)} == {"sweeper stopped"}


@pytest.mark.parametrize("task", ["seal", "stores"])
def test_a_worker_that_does_not_seal_or_look_any_more_is_an_alarm(site: Site, clock: MovedClock, task: str) -> None:
    without = {name: one for name, one in TASKS.items() if name != task}
    turn(site)
    for _ in range(3):
        clock.move(days(1))
        turn(site, without)
    assert [one.key for one in standing(site)] == [("sweeper stopped", task)]
    turn(site)
    assert standing(site) == []


@pytest.mark.parametrize("ahead", [days(1), days(3650)], ids=str)
def test_no_clock_that_is_dated_ahead_keeps_an_alarm_from_standing(
    site: Site, clock: MovedClock, ahead: timedelta
) -> None:
    """The worker stands still, and somebody dates all that it notes ahead."""
    site = rewired(site, ledger=LedgerWires.model_validate({"witness": {"auditor": {"file": "outside.notes"}}}))
    with site.writing() as conn:
        ledger.append(conn, site.now(), events.KEY_MADE, {})
    turn(site)
    began = site.now()
    with site.writing() as conn:
        conn.execute(update(heartbeat).values(at=began + ahead))
    silent = {("sweeper stopped", task) for task in EXPECTED} | {("witness silent", "auditor")}
    assert {one.key for one in standing(site)} == silent
    assert all(one.since <= began for one in standing(site))
    assert set(prove(site).stopped) == set(EXPECTED)
    with site.reading() as conn:
        assert {kind for kind, _ in to_show(conn, site.now())} >= {"sweeper stopped"}
    turn(site)
    assert standing(site) == []


def test_a_machine_whose_clock_goes_a_little_ahead_is_believed(site: Site) -> None:
    turn(site)
    with site.writing() as conn:
        conn.execute(update(heartbeat).values(at=site.now() + AHEAD))
    assert standing(site) == []


@pytest.mark.parametrize("store_kind", ["sqlite"])  # a server's statement alone has no end of its own to fail
def test_nobody_inherits_a_transaction_whose_end_failed(site: Site) -> None:
    failing = True

    @event.listens_for(site.engine, "commit")
    def _commit(_conn: object) -> None:
        if failing:
            raise OperationalError("COMMIT", None, Exception("disk I/O error"))

    for _ in range(3):
        with pytest.raises(StoreError), alone(site.engine) as conn:
            conn.execute(insert(heartbeat).values(task="lost", at=site.now()))
    failing = False
    with alone(site.engine) as conn:
        conn.execute(insert(heartbeat).values(task="kept", at=site.now()))
    with site.reading() as conn:
        assert list(conn.scalars(text("SELECT task FROM heartbeat"))) == ["kept"]
