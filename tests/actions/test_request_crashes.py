"""Kill -9 at every commit of every kind of request, on both stores: it resumes, or it never happened, and it ends right."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.crashing import KILLED, exit_of
from tests.databases import StoreKind
from tests.first_day import data_tables_made, key_tables_made
from tests.fixtures import SHOP, days, open_shop
from tests.operators import mailing
from tests.request_crashes import ask_and_die, wish, work_and_die
from tests.submissions import count
from troth.accounts.actions import opened
from troth.agenda import run_due
from troth.clock import MovedClock
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.messages.mailbox import Mailbox
from troth.people.tables import holding
from troth.retention.ending import destroy_due
from troth.retention.tables import ending
from troth.rights import following, papers, rules
from troth.rights.intake import receive
from troth.rights.tables import reply, request, request_log
from troth.store.site import Site
from troth.work import HANDLERS

CARRIED = frozenset({"access", "correction", "erasure", "restriction", "objection", "withdrawal", "stop marketing"})
"""what is carried out at once here; anything else, and what this policy does not offer, waits for staff"""
LIMIT = 40


@pytest.fixture
def stores(
    store_kind: StoreKind, fresh_database: Callable[..., str], tmp_path: Path, clock: MovedClock
) -> Callable[[int], tuple[Site, tuple[str, str, str]]]:
    """A shop with Ann in it, as often as wanted; and what a process of its own needs to open the same one."""

    def make(number: int) -> tuple[Site, tuple[str, str, str]]:
        folder = Path(shutil.copytree(SHOP, tmp_path / str(number)))
        database = fresh_database(store_kind, prepared_by=data_tables_made)
        keys = fresh_database(store_kind, prepared_by=key_tables_made)
        site = open_shop(folder, clock, database=database, keys=keys)
        known = collect(
            site, Submission("register", {"email": "ann@shop.example", "full_name": "Ann Sparrow"}, "ann-1")
        )
        opened(site, known.person_id)
        return site, (str(folder), database, keys)

    return make


def steps_of_death(run: Callable[[int], int | None]) -> Iterator[int]:
    """1, 2, 3, ... as long as the process is killed there: every commit that there is."""
    for nth in range(1, LIMIT):
        ended = run(nth)
        if ended == 0:
            return
        assert ended == KILLED, ended
        yield nth
    raise AssertionError("there is no end of it")


@pytest.mark.parametrize("right", rules.RIGHTS)
def test_a_request_that_is_killed_at_any_commit_ends_right(
    stores: Callable[[int], tuple[Site, tuple[str, str, str]]], mailbox: Mailbox, clock: MovedClock, right: str
) -> None:
    made: list[tuple[Site, tuple[str, str, str]]] = []

    def run(nth: int) -> int | None:
        made.append(stores(nth))
        return exit_of(ask_and_die, *made[-1][1], clock.at, right, nth)

    began, deaths = clock.at, 0
    for _nth in steps_of_death(run):
        deaths += 1
        clock.at = began
        _ends_right(mailing(made[-1][0], mailbox), right, clock)
        clock.at = began
    assert deaths >= 2


def _ends_right(site: Site, right: str, clock: MovedClock) -> None:
    assert count(site, request) <= 1 and count(site, request) == count(site, request_log)
    receive(site, wish(right))  # whoever got no answer asks again, under the same key
    _worked(site)
    if right == "erasure":
        assert count(site, ending) == 1
        clock.move(days(19))
        destroy_due(site)
        _worked(site)
        assert count(site, holding) == 0
    with site.reading() as conn:
        (row,) = conn.execute(select(request.c.state, request.c.outcome)).all()
        assert (row.state, row.outcome) == (("closed", "done") if right in CARRIED else ("open", ""))
        replies = conn.execute(select(reply.c.template, reply.c.state)).all()
        assert papers.altered(conn, clock.at - days(100)) == []
    assert {one.state for one in replies} == {"sent"} and len(replies) == (2 if right == "erasure" else 1)
    site.close()


def _worked(site: Site) -> None:
    """What a worker does for requests in its turns, until nothing is left to do."""
    while following.follow(site) + run_due(site, HANDLERS).done:
        pass


def test_a_request_whose_worker_is_killed_at_any_commit_is_followed_to_its_end(
    stores: Callable[[int], tuple[Site, tuple[str, str, str]]], mailbox: Mailbox, clock: MovedClock
) -> None:
    began = clock.at
    made: list[Site] = []

    def run(nth: int) -> int | None:
        clock.at = began
        site, places = stores(nth)
        made.append(mailing(site, mailbox))
        receive(site, wish("erasure"))
        clock.move(days(19))
        destroy_due(site)
        return exit_of(work_and_die, *places, clock.at, nth)

    deaths = 0
    for _nth in steps_of_death(run):
        deaths += 1
        site = made[-1]
        _worked(site)
        with site.reading() as conn:
            assert conn.scalar(select(request.c.outcome)) == "done"
        assert count(site, holding) == 0
        site.close()
    assert deaths >= 2
