"""The worker goes on, whatever its stores do meanwhile."""

from dataclasses import replace

from sqlalchemy import text

from troth.ledger.seal import seal
from troth.store.engines import open_engine, writing
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
