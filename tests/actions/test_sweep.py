"""Clocks on live data: nothing outlives its clock, whatever is killed, late, changed or planned first."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, text, update

from tests.actions.lives import (
    CONTACT,
    NOT_RUN,
    admit,
    customer,
    fields_held,
    give,
    leave,
    places_of,
    publish,
    rows,
    work,
)
from tests.databases import StoreKind
from tests.fixtures import START, days
from troth.clock import MovedClock, to_micros
from troth.evidence.prove import prove
from troth.people.dealings import open_dealing
from troth.people.tables import holding, person, quarantined, shape
from troth.policy.compile import Compiled
from troth.retention.alarms import alarms
from troth.retention.due import of_clock
from troth.retention.ending import begin_ending, destroy_due
from troth.retention.relationship import refresh
from troth.retention.sweep import due_until, plan, sweep
from troth.retention.tables import departure, ending
from troth.store.site import Site

NO_ARCHIVE = (
    "  books: {what: order_total, keep: 6 years, after: collection, archive: true, because: tax law, for: [accounts]}\n"
)


def without_archive(site: Site) -> None:
    publish(site, NO_ARCHIVE, "")


def test_everything_about_a_customer_is_gone_from_every_table_by_day_175(site: Site, clock: MovedClock) -> None:
    without_archive(site)
    one, other = customer(site), customer(site, "bob@example.org")
    clock.move(days(40))
    leave(site, one)
    left = clock.at
    clock.at = left + days(156)
    work(site)
    assert "email" in fields_held(site, one)
    clock.at = left + days(175)
    work(site)
    assert places_of(site, [one]) == {"ending"} & places_of(site, [one])
    assert {"person", "holding", "person_key"} <= places_of(site, [other])


def test_data_is_destroyed_ahead_of_the_deadline(site: Site, clock: MovedClock) -> None:
    without_archive(site)
    one = customer(site)
    leave(site, one)
    for hour in (*range(0, 150 * 24, 240), *range(150 * 24, 175 * 24, 6)):
        clock.at = START + timedelta(hours=hour)
        work(site)
        if not places_of(site, [one]):
            break
    assert timedelta(0) < START + days(175) - clock.at <= site.wiring.margin + timedelta(hours=6)


def test_a_new_purchase_before_the_end_keeps_the_customer(site: Site, clock: MovedClock) -> None:
    one = customer(site, warranty=START + days(10))
    clock.move(days(100))
    with site.writing() as conn:
        open_dealing(site, conn, one, "order", "o-again", site.now(), site.now() + days(500))
        refresh(site, conn, [one])
    clock.move(days(300))
    work(site)
    assert "email" in fields_held(site, one)
    clock.at = START + days(600) + days(175)
    work(site)
    assert fields_held(site, one) == {"order_total"}


def test_the_shortest_clock_wins_field_by_field(site: Site, clock: MovedClock) -> None:
    one = customer(site)
    clock.at = START + days(100)
    work(site)
    assert "interest" not in fields_held(site, one) | fields_held(site, one, quarantined)
    assert {"email", "full_name"} <= fields_held(site, one)


def test_nothing_outlives_its_clock_in_a_year(site: Site, clock: MovedClock) -> None:
    people = []
    for month in range(6):
        clock.at = START + days(30 * month)
        people.append(customer(site, f"c{month}@example.org", START + days(30 * month + 40)))
        people.append(admit(site, "lead", {**CONTACT, "email": f"l{month}@example.org"}, "contact", "contact"))
    for day in range(150, 520):
        clock.at = START + days(day)
        work(site)
        _nothing_is_past_its_clock(site)
    kept = [one for one in people if places_of(site, [one])]
    assert len(kept) == 6  # of the customers, what the books need
    assert {field for one in kept for field in fields_held(site, one)} == {"order_total"}
    assert rows(site, "quarantined") == 0


def _nothing_is_past_its_clock(site: Site) -> None:
    """Straight from the tables, with none of the sweep's own queries."""
    now = site.now()
    with site.reading() as conn:
        for table in (holding, quarantined):
            query = select(table.c.at, shape.c.fields, person.c.kind, person.c.relationship_ends_at, table.c.only_for)
            for row in conn.execute(query.join(shape, shape.c.id == table.c.shape_id).join(person)):
                if row.only_for is not None:
                    continue
                assert not ("interest" in row.fields.split() and row.at + days(100) <= now)
                keep = days(175) if row.kind == "customer" else days(60)
                assert row.relationship_ends_at is None or row.relationship_ends_at + keep > now


def test_a_late_sweep_still_ends_what_is_due_and_says_so(site: Site, clock: MovedClock) -> None:
    one = admit(site, "lead", CONTACT, "contact", "contact")
    work(site)
    clock.at = START + days(400)
    assert ("clock overdue", "leads") in {(each.kind, each.subject) for each in alarms(site)}
    work(site)
    assert places_of(site, [one]) == set()
    assert not {each.subject for each in alarms(site)} & {"leads"}


def judged(site: Site, promise: str) -> tuple[str, str]:
    """The verdict on a promise, and what was measured."""
    (proof,) = [one.proof for one in prove(site).proven if one.promise.id == promise]
    return proof.verdict, str(proof.measured)


def test_what_waits_in_quarantine_past_its_clock_breaks_the_promise_of_that_clock(
    site: Site, clock: MovedClock
) -> None:
    without_archive(site)
    leave(site, customer(site))
    clock.move(days(160))
    assert sweep(site).moved and rows(site, quarantined)
    assert judged(site, "retention.everything_customer")[0] != "broken"
    clock.move(days(20))
    verdict, measured = judged(site, "retention.everything_customer")
    assert verdict == "broken" and "past the deadline, the oldest by 5 d" in measured
    destroy_due(site)
    verdict, measured = judged(site, "retention.everything_customer")
    assert verdict == "broken" and "late" in measured, "it is gone, and went too late"


@pytest.mark.parametrize(("promised", "verdict"), [(20, "kept"), (400, "broken")])
def test_data_on_its_way_for_another_reason_may_take_what_an_erasure_takes_and_no_longer(
    site: Site, clock: MovedClock, promised: int, verdict: str
) -> None:
    one = customer(site)
    clock.move(days(99))
    with site.writing() as conn:
        begin_ending(site, conn, one, "request:1", site.now() + days(promised), "fields", {"interest"})
    sweep(site)
    clock.move(days(2))
    assert (judged(site, "retention.taste")[0] == "broken") == (verdict == "broken")


def test_an_overdue_clock_is_an_alarm_raised_once_and_ended_once(site: Site, clock: MovedClock) -> None:
    admit(site, "lead", CONTACT, "contact", "contact")
    work(site)
    clock.at = START + days(151)
    for _ in range(3):
        alarms(site)
    raised = "event = 'alarm:raised' AND body LIKE '%clock_overdue%'"
    assert rows(site, "ledger_entry", raised) == 1
    work(site)
    alarms(site)
    assert rows(site, "ledger_entry", raised) == 1
    assert rows(site, "ledger_entry", "event = 'alarm:ended' AND body LIKE '%clock_overdue%'") == 1


def test_a_stopped_sweeper_and_late_destruction_are_alarms(site: Site, clock: MovedClock) -> None:
    admit(site, "lead", CONTACT, "contact", "contact")
    clock.at = START + days(145)
    sweep(site)
    clock.at = START + days(151)
    found = {(one.kind, one.subject) for one in alarms(site)}
    assert ("sweeper stopped", "sweep") in found
    assert "ending late" in {kind for kind, _ in found}
    work(site)
    assert not {one.kind for one in alarms(site) if one.subject not in NOT_RUN}


def test_a_silent_recipient_keeps_an_ending_open_and_is_an_alarm(site: Site, clock: MovedClock) -> None:
    from troth.recipients.instructions import acknowledge

    without_archive(site)
    one = customer(site)
    give(site, one, "newsletter_house")
    give(site, one, "courier")
    leave(site, one)
    clock.at = START + days(160)
    work(site)
    clock.at = START + days(174)
    work(site)
    ending_id = _only_ending(site, "clock:everything_customer")
    acknowledge(site, ending_id, "courier", [one], by="recipient")
    work(site)
    assert _state(site, ending_id) == "destroyed"
    clock.at = START + days(176)
    silent = {each.subject for each in alarms(site) if each.kind == "recipient silent"}
    assert silent == {f"{ending_id}:newsletter_house"}
    acknowledge(site, ending_id, "newsletter_house", [one], by="recipient")
    work(site)
    assert _state(site, ending_id) == "complete"
    assert places_of(site, [one]) == {"instruction"}


def _only_ending(site: Site, cause: str) -> str:
    with site.reading() as conn:
        return str(conn.execute(select(ending.c.id).where(ending.c.cause == cause)).scalar_one())


def _state(site: Site, ending_id: str) -> str:
    with site.reading() as conn:
        return str(conn.execute(select(ending.c.state).where(ending.c.id == ending_id)).scalar_one())


def test_a_plan_counts_and_changes_nothing(site: Site, clock: MovedClock) -> None:
    one = customer(site)
    admit(site, "lead", CONTACT, "contact", "contact")
    leave(site, one)
    clock.at = START + days(160)
    before = _everything(site)
    made = plan(site)
    assert _everything(site) == before
    counted = {planned.clock: (planned.due, planned.overdue, planned.kept) for planned in made.clocks}
    assert counted["leads"] == (1, 1, 0)
    assert counted["taste"] == (1, 1, 0)
    assert counted["everything_customer"] == (3, 0, 1)  # two of them also under `taste`; the books keep the total
    done = sweep(site).by_clock
    assert done["leads"] == 1
    assert done["taste"] + done["everything_customer"] == 3


def _everything(site: Site) -> str:
    with site.reading() as conn:
        names = ("person", "holding", "quarantined", "ending", "hold", "ledger_entry", "heartbeat", "departure")
        return repr([conn.execute(text(f"SELECT * FROM {name}")).all() for name in names])


def test_batches_of_any_size_move_the_same(site: Site, clock: MovedClock) -> None:
    people = [customer(site, f"c{n}@example.org") for n in range(7)]
    for one in people:
        leave(site, one)
    clock.at = START + days(160)
    assert sweep(site, batch=2).moved == 7 * 3  # the taste, the account and the order; the books keep the total
    assert all(fields_held(site, one) == {"order_total"} for one in people)
    clock.at = START + days(175)
    destroy_due(site)
    assert all(fields_held(site, one, quarantined) == set() for one in people)


def test_a_clock_added_later_cuts_through_what_was_sealed_together(site: Site, clock: MovedClock) -> None:
    one = customer(site)
    new = "  phone_book: {what: full_name, keep: 50 days, after: collection, points: [register]}\n"
    clock.at = START + days(60)
    publish(site, NO_ARCHIVE, new + NO_ARCHIVE)
    work(site)
    with site.reading() as conn:
        points = select(shape.c.point, shape.c.fields).join(holding, holding.c.shape_id == shape.c.id)
        held = {(row.point, row.fields) for row in conn.execute(points)}
    assert ("register", "email") in held
    assert ("order", "delivery_address email full_name") in held
    from troth.people.vault import By, read

    assert read(site, one, ["email", "full_name"], "service", By("system")).values["email"] == "ann@example.org"


@pytest.mark.parametrize("batch", [1, 3])
def test_a_sweep_killed_anywhere_leaves_every_batch_whole(site: Site, clock: MovedClock, batch: int) -> None:
    people = [customer(site, f"c{n}@example.org") for n in range(3)]
    people += [admit(site, "lead", {**CONTACT, "email": f"l{n}@example.org"}, "contact", "contact") for n in range(3)]
    for one in people[:3]:
        leave(site, one)
    with killing(site) as killed_at:
        clock.at = START + days(160)
        statement = 0
        died = True
        while died:
            statement += 7
            before = _accounted(site)
            died = killed_at(clock.at, statement, batch)
            assert _accounted(site) == before  # nothing lost, nothing doubled
            assert rows(site, "quarantined", "ending_id NOT IN (SELECT id FROM ending)") == 0
            told = "event IN ('ending:quarantined', 'ending:destroyed')"
            assert rows(site, "ledger_entry", told) == rows(site, "ending")
        assert statement > 20
        clock.at = START + days(175)
        died, statement = True, 0
        while died:
            statement += 5
            died = killed_at(clock.at, statement, 0)
    assert rows(site, "quarantined") == 0
    assert not places_of(site, people[3:])
    assert rows(site, "ending", "state NOT IN ('complete')") == 0
    assert all(fields_held(site, one) == {"order_total"} for one in people[:3])


def _accounted(site: Site) -> int:
    """Holdings in use, in quarantine, and, of the clock that destroys by age, recorded as destroyed."""
    with site.reading() as conn:
        by_age = select(func.coalesce(func.sum(ending.c.counted), 0)).where(ending.c.cause == "clock:taste")
        destroyed = conn.execute(by_age).scalar_one()
    return rows(site, "holding") + rows(site, "quarantined") + int(destroyed)


KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from troth.clock import MovedClock, from_micros
from troth.retention.ending import begin_ending, destroy_due
from troth.retention.sweep import sweep
from troth.store.site import open_site

folder, data, keys = sys.argv[1:]

def work(at, statement, batch):
    site = open_site(Path(folder), MovedClock(from_micros(at)), database=data, keys=keys)
    left = [statement]

    def count(*_):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    for engine in (site.engine, site.keys):
        event.listen(engine, "before_cursor_execute", count)
        event.listen(engine, "commit", count)
    sweep(site, batch=batch) if batch else destroy_due(site)

for line in sys.stdin:
    child = os.fork()
    if not child:
        work(*map(int, line.split()))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@contextmanager
def killing(site: Site) -> Iterator[Callable[[datetime, int, int], bool]]:
    """Sweep (or destroy, for no batch) in a process that kills itself at its n-th statement; False when it came to its end.

    One process forks them all, so that none has to start Python.
    """
    urls = [engine.url.render_as_string(hide_password=False) for engine in (site.engine, site.keys)]
    command = [sys.executable, "-c", KILLED, str(site.folder), *urls]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as forks:
        assert forks.stdin is not None
        assert forks.stdout is not None
        lines, answers = forks.stdin, forks.stdout

        def killed_at(at: datetime, statement: int, batch: int) -> bool:
            lines.write(f"{to_micros(at)} {statement} {batch}\n")
            lines.flush()
            ended = int(answers.readline())
            assert ended in (0, -9)
            return ended == -9

        yield killed_at
        lines.close()


def test_two_sweeps_at_once_move_everything_once(site: Site, clock: MovedClock) -> None:
    from concurrent.futures import ThreadPoolExecutor

    for n in range(20):
        admit(site, "lead", {**CONTACT, "email": f"l{n}@example.org"}, "contact", "contact")
    clock.at = START + days(145)
    with ThreadPoolExecutor(2) as pool:
        moved = list(pool.map(lambda _: sweep(site, batch=3).moved, range(2)))
    assert sum(moved) == 20
    assert rows(site, "quarantined") == 20
    assert rows(site, "holding") == 0


def test_what_is_due_is_found_by_an_index(site: Site, clock: MovedClock, store_kind: StoreKind) -> None:
    customer(site)
    compiled = site.policy()
    for name, index in {"taste": "ix_holding_shape_id", "everything_customer": "ix_holding_person_id"}.items():
        assert index in _explained(site, compiled, name, store_kind)


def _explained(site: Site, compiled: Compiled, name: str, store_kind: StoreKind) -> str:
    clock = next(one for one in compiled.clocks if one.id == name)
    scope = of_clock(compiled, clock, due_until(compiled, clock, site.now()))
    ids = [1] if clock.after == "collection" else [1, 2]
    query = scope.select(holding.c.id, shape_ids=ids).order_by(scope.event).limit(5000)
    with site.reading() as conn:
        said = query.compile(conn, compile_kwargs={"literal_binds": True})
        if store_kind == "postgresql":
            conn.execute(text("SET LOCAL enable_seqscan = off"))
        plan_ = conn.execute(text(f"EXPLAIN {'' if store_kind == 'postgresql' else 'QUERY PLAN '}{said}"))
        return "\n".join(str(tuple(row)) for row in plan_)


def test_a_person_who_comes_back_while_leaving_is_a_new_person(site: Site, clock: MovedClock) -> None:
    old = admit(site, "lead", CONTACT, "contact", "contact")
    clock.at = START + days(145)
    sweep(site)
    from troth.people.vault import find

    with site.reading() as conn:
        assert find(site, conn, "email", CONTACT["email"]) is None
    new = admit(site, "lead", CONTACT, "contact", "contact")
    with site.reading() as conn:
        assert find(site, conn, "email", CONTACT["email"]) == new
    clock.at = START + days(150)
    work(site)
    assert places_of(site, [old]) == set()
    assert "email" in fields_held(site, new)


def test_people_whose_state_was_forced_back_are_still_swept(site: Site, clock: MovedClock) -> None:
    one = admit(site, "lead", CONTACT, "contact", "contact")
    clock.at = START + days(145)
    sweep(site)
    with site.writing() as conn:
        conn.execute(update(person).where(person.c.id == one).values(state="active"))
        assert conn.scalar(select(departure.c.person_id)) == one
    clock.at = START + days(150)
    work(site)
    assert places_of(site, [one]) == set()
