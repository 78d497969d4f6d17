"""The worker goes on, whatever its stores do meanwhile."""

from dataclasses import replace

import pytest
from sqlalchemy import event, insert, text
from sqlalchemy.exc import OperationalError

from tests.fixtures import days
from troth.clock import MovedClock
from troth.errors import StoreError
from troth.ledger.seal import seal
from troth.retention.alarms import alarms
from troth.retention.tables import heartbeat
from troth.store.engines import alone, open_engine, writing
from troth.store.site import Site
from troth.work import HEARTBEAT, turn


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
