"""Kill -9 at every commit while people are told of a change: each is told once, and nobody is forgotten."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.change_crashes import tell_and_die
from tests.crashing import KILLED, exit_of
from tests.databases import StoreKind
from tests.first_day import data_tables_made, key_tables_made
from tests.fixtures import SHOP, days, open_shop
from tests.submissions import CONTACT, entries, sent
from tests.versions import publish_next
from troth.agenda import run_due
from troth.agenda.run import LEASE
from troth.clock import MovedClock
from troth.collection import collect
from troth.ledger import events
from troth.messages import changing
from troth.messages.tables import message
from troth.people.tables import person
from troth.store.site import Site

PEOPLE = 5


@pytest.fixture
def stores(
    store_kind: StoreKind, fresh_database: Callable[..., str], tmp_path: Path, clock: MovedClock
) -> Callable[[int], tuple[Site, tuple[str, str, str]]]:
    """A shop with some people and a version that comes, as often as wanted; and what another process opens it with."""

    def make(number: int) -> tuple[Site, tuple[str, str, str]]:
        folder = Path(shutil.copytree(SHOP, tmp_path / str(number)))
        database = fresh_database(store_kind, prepared_by=data_tables_made)
        keys = fresh_database(store_kind, prepared_by=key_tables_made)
        site = open_shop(folder, clock, database=database, keys=keys)
        for one in range(PEOPLE):
            collect(site, sent(CONTACT, f"contact-{one}", email=f"p{one}@shop.example"))
        publish_next(site)
        return site, (str(folder), database, keys)

    return make


def told(site: Site) -> Counter[str]:
    """How many notices each person has, by the round."""
    with site.reading() as conn:
        keys = conn.scalars(select(message.c.key).where(message.c.key.like("changed:2:%")))
        return Counter("reminder" if key.count(":") == 3 else "notice" for key in keys)


def test_each_person_is_told_once_whenever_the_worker_is_killed(
    stores: Callable[[int], tuple[Site, tuple[str, str, str]]], clock: MovedClock
) -> None:
    killed = 0
    for nth in range(1, 60):
        clock.at = clock.at.replace(day=5)
        site, paths = stores(nth)
        clock.move(days(7.5))
        ended = exit_of(tell_and_die, *paths, clock.now(), nth)
        assert ended in (KILLED, 0)
        killed += ended == KILLED
        clock.move(LEASE * 1.5)
        changing.remind(site)
        for _ in range(6):
            run_due(site, {changing.CHANGED: changing.tell})
        assert told(site) == {"notice": PEOPLE, "reminder": PEOPLE}, nth
        with site.reading() as conn:
            assert len(conn.execute(select(person.c.id)).all()) == PEOPLE
        assert len(entries(site, events.MESSAGE_QUEUED)) == 2 * PEOPLE
        assert len(entries(site, events.POLICY_TOLD)) == 2
        site.close()
        if ended == 0:
            break
    assert killed >= 8, "one for each set of people, and for what the agenda notes"
