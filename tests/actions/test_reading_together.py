"""Reads on many threads share commits, and each is still decided by itself and on the ledger before it is answered."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.crashing import KILLED, exit_of
from tests.reading_crashes import read_and_die
from tests.shoppers import ANN, BOB, SYSTEM, registered
from troth.errors import Refused
from troth.ledger import NotForTheLedger
from troth.ledger.tables import entry
from troth.people import vault
from troth.store.site import Site


def who_was_read(site: Site) -> Counter[str]:
    with site.reading() as conn:
        bodies = conn.scalars(select(entry.c.body).where(entry.c.event == "person:read"))
        return Counter(json.loads(body)["person"] for body in bodies)


def test_readers_on_many_threads_get_their_own_answers_and_no_others(site: Site) -> None:
    ann, bob = registered(site, ANN), registered(site, BOB)

    def read(number: int) -> object:
        one, purpose = [(ann, "service"), (bob, "service"), (ann, "no_such"), (bob, "ann@shop.example")][number % 4]
        try:
            return vault.read(site, one, ["email"], purpose, SYSTEM).values["email"]
        except (Refused, NotForTheLedger) as error:
            return type(error)

    with ThreadPoolExecutor(16) as pool:
        came = list(pool.map(read, range(48)))
    assert came == [ANN["email"], BOB["email"], Refused, NotForTheLedger] * 12
    assert who_was_read(site) == {ann: 12, bob: 12}


@pytest.mark.parametrize("_time", range(2))
def test_whatever_was_answered_before_a_kill_is_on_the_ledger(site: Site, tmp_path: Path, _time: int) -> None:
    people, released = [registered(site, ANN), registered(site, BOB)], tmp_path / "released"
    urls = [engine.url.render_as_string(hide_password=False) for engine in (site.engine, site.keys)]
    assert exit_of(read_and_die, str(site.folder), *urls, site.now(), people, str(released)) == KILLED
    answered = Counter(released.read_text().split())
    assert answered.total() >= 40
    assert answered <= who_was_read(site)
