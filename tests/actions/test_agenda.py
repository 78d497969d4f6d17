"""Work that waits is done: not lost, not doubled, not held up by what fails or kills."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from tests.bare import bare_folder, open_bare, prepared
from tests.crashing import KILLED, effect, exit_of, work_and_die
from tests.fixtures import START
from tests.plans import plan
from troth import agenda
from troth.agenda.run import due, taking
from troth.agenda.tables import job
from troth.agenda.watch import late_jobs
from troth.clock import MovedClock
from troth.errors import StoreError
from troth.store.site import Site

MINUTE = timedelta(minutes=1)
POINTS = ("after taking", "before the act", "after the act", "before marking", "while marking")


@pytest.fixture
def site(tmp_path: Path, tables_url: str, clock: MovedClock) -> Iterator[Site]:
    opened = prepared(bare_folder(tmp_path), tables_url, clock)
    with opened.writing() as conn:
        conn.execute(text("CREATE TABLE effect (key VARCHAR(120) PRIMARY KEY)"))
        conn.execute(text("CREATE TABLE runs (key VARCHAR(120))"))
    yield opened
    opened.close()


def put_jobs(site: Site, *refs: str, kind: str = "act", first_due: timedelta = timedelta()) -> None:
    """Jobs due one second after another, in the order told."""
    at = site.now() + first_due
    jobs = [agenda.NewJob(kind, f"{kind}:{ref}", ref, at + timedelta(seconds=n)) for n, ref in enumerate(refs)]
    with site.writing() as conn:
        agenda.put_many(conn, jobs, site.now())


def column(site: Site, words: str) -> list[str]:
    with site.reading() as conn:
        return list(conn.execute(text(words)).scalars())


def a_second_worker(site: Site) -> Site:
    url = site.engine.url.render_as_string(hide_password=False)
    return open_bare(site.folder, url, site.clock)  # type: ignore[arg-type]


def fails(_site: Site, _job: agenda.Job) -> None:
    raise ValueError("alice@example.com")


def test_a_job_put_twice_is_one_job(site: Site) -> None:
    with site.writing() as conn:
        assert agenda.put(conn, "act", "act:1", "1", START, START)
        assert not agenda.put(conn, "act", "act:1", "other", START, START)
    assert column(site, "SELECT ref FROM job") == ["1"]


def test_many_jobs_are_put_at_once_and_only_new_keys_count(site: Site) -> None:
    new = [agenda.NewJob("act", f"act:{n % 30}", "ref", START) for n in range(40)]
    with site.writing() as conn:
        agenda.put(conn, "act", "act:7", "first", START, START)
        assert agenda.put_many(conn, new, START) == 29
    assert column(site, "SELECT ref FROM job WHERE key = 'act:7'") == ["first"]


def test_a_job_whose_cause_is_rolled_back_was_never_put(site: Site) -> None:
    with pytest.raises(RuntimeError), site.writing() as conn:
        agenda.put(conn, "act", "act:1", "1", START, START)
        raise RuntimeError
    assert column(site, "SELECT id FROM job") == []


def test_only_due_jobs_of_known_kinds_run(site: Site) -> None:
    put_jobs(site, "now")
    put_jobs(site, "later", first_due=MINUTE)
    put_jobs(site, "foreign", kind="unknown")
    assert agenda.run_due(site, {"act": effect}) == agenda.Ran(done=1, failed=0, left=0)
    assert column(site, "SELECT key FROM effect") == ["now"]


def test_a_job_done_is_not_run_again(site: Site, clock: MovedClock) -> None:
    put_jobs(site, "a")
    agenda.run_due(site, {"act": effect})
    clock.move(timedelta(days=365))
    assert agenda.run_due(site, {"act": effect}) == agenda.Ran(0, 0, 0)
    assert column(site, "SELECT key FROM runs") == ["a"]


def test_what_is_over_the_limit_is_counted_as_left(site: Site, clock: MovedClock) -> None:
    put_jobs(site, "a", "b", "c")
    clock.move(MINUTE)
    assert agenda.run_due(site, {"act": effect}, limit=2) == agenda.Ran(done=2, failed=0, left=1)


def test_a_failed_job_is_tried_again_after_a_growing_pause(site: Site, clock: MovedClock) -> None:
    put_jobs(site, "a")
    pauses = []
    for _ in range(4):
        before = clock.now()
        assert agenda.run_due(site, {"act": fails}).failed == 1
        assert agenda.run_due(site, {"act": fails}) == agenda.Ran(0, 0, 0)
        with site.reading() as conn:
            clock.at = conn.execute(select(job.c.due_at)).scalar_one()
        pauses.append(clock.now() - before)
    assert pauses == [0.5 * MINUTE, MINUTE, 2 * MINUTE, 4 * MINUTE]
    agenda.run_due(site, {"act": effect})
    assert column(site, "SELECT problem FROM job") == [""]


def test_a_recorded_problem_holds_no_text_that_might_be_personal(site: Site, clock: MovedClock) -> None:
    def unreachable(_site: Site, _job: agenda.Job) -> None:
        raise StoreError("The database does not answer.")

    put_jobs(site, "a", "b", kind="stranger")
    put_jobs(site, "c", kind="ours")
    clock.move(MINUTE)
    agenda.run_due(site, {"stranger": fails, "ours": unreachable})
    problems = column(site, "SELECT problem FROM job ORDER BY ref")
    assert problems == ["ValueError", "ValueError", "StoreError: The database does not answer."]


def test_a_job_that_always_fails_holds_nobody_up(site: Site, clock: MovedClock) -> None:
    put_jobs(site, "poison", kind="poison")
    put_jobs(site, *"abc", first_due=timedelta(seconds=1))
    for _ in range(8):
        clock.move(MINUTE)
        agenda.run_due(site, {"poison": fails, "act": effect}, limit=1)
    assert sorted(column(site, "SELECT key FROM effect")) == ["a", "b", "c"]


def test_a_job_that_kills_its_worker_goes_to_the_back(site: Site, clock: MovedClock) -> None:
    put_jobs(site, "killer", kind="killer")
    put_jobs(site, *"abc", first_due=timedelta(seconds=1))

    def kills(_site: Site, _job: agenda.Job) -> None:
        raise SystemExit

    for _ in range(4):
        clock.move(agenda.LEASE)
        try:
            agenda.run_due(site, {"killer": kills, "act": effect}, limit=1)
        except SystemExit:
            continue
    assert sorted(column(site, "SELECT key FROM effect")) == ["a", "b", "c"]


def test_a_job_is_never_run_by_two_workers_within_a_lease(site: Site, clock: MovedClock) -> None:
    put_jobs(site, *map(str, range(40)))
    clock.move(MINUTE)
    other, first = a_second_worker(site), True

    def handler(_site: Site, taken: agenda.Job) -> None:
        nonlocal first
        if first:
            first = False
            assert agenda.run_due(other, {"act": effect}, limit=100).done == 30
        effect(site, taken)

    assert agenda.run_due(site, {"act": handler}, limit=10).done == 10
    other.close()
    assert sorted(map(int, column(site, "SELECT key FROM runs"))) == list(range(40))


def test_a_worker_whose_lease_lapsed_leaves_the_rest_to_others(site: Site, clock: MovedClock) -> None:
    put_jobs(site, *map(str, range(5)))
    clock.move(MINUTE)

    def slow(_site: Site, taken: agenda.Job) -> None:
        clock.move(agenda.LEASE)
        effect(site, taken)

    assert agenda.run_due(site, {"act": slow}) == agenda.Ran(done=1, failed=0, left=4)
    assert agenda.run_due(site, {"act": effect}).done == 4
    assert sorted(column(site, "SELECT key FROM runs")) == list("01234")


def test_a_worker_that_fails_too_late_does_not_free_what_another_has_taken(site: Site, clock: MovedClock) -> None:
    put_jobs(site, "a")

    def overtaken(_site: Site, _job: agenda.Job) -> None:
        clock.move(agenda.LEASE)
        with site.writing() as conn:
            conn.execute(taking(site.now(), ["act"], 1, agenda.LEASE))
        raise ValueError

    assert agenda.run_due(site, {"act": overtaken}).failed == 1
    clock.move(agenda.LEASE / 2)
    assert agenda.run_due(site, {"act": effect}) == agenda.Ran(0, 0, 0)
    clock.move(agenda.LEASE / 2)
    assert agenda.run_due(site, {"act": effect}).done == 1


@pytest.mark.parametrize("store_kind", ["postgresql"])
def test_workers_do_not_wait_for_each_other(site: Site) -> None:
    put_jobs(site, "a", "b", kind="act")
    other, now = a_second_worker(site), site.now() + MINUTE
    with site.writing() as conn:  # a worker in the midst of taking a job
        conn.execute(taking(now, ["act"], 1, agenda.LEASE))
        with other.writing() as second:
            second.execute(text("SET LOCAL lock_timeout = '2s'"))
            got = second.execute(taking(now, ["act"], 5, agenda.LEASE).returning(job.c.ref)).scalars().all()
    other.close()
    assert got == ["b"]


def test_killed_twenty_times_nothing_is_lost_and_nothing_doubled(
    site: Site, clock: MovedClock, tables_url: str
) -> None:
    refs = [str(n) for n in range(80)]
    put_jobs(site, *refs)
    clock.move(timedelta(hours=1))
    for number, point in enumerate(islice(cycle(POINTS), 20)):
        assert exit_of(work_and_die, str(site.folder), tables_url, clock.now(), point, number % 3 + 1) == KILLED
        clock.move(agenda.LEASE)
    while agenda.run_due(site, {"act": effect}).left:
        pass
    assert sorted(column(site, "SELECT key FROM effect")) == sorted(refs)
    assert column(site, "SELECT key FROM job WHERE done_at IS NULL") == []
    twice = len(column(site, "SELECT key FROM runs")) - len(refs)
    assert twice == sum(point in POINTS[2:] for point in islice(cycle(POINTS), 20))  # killed after the act, unmarked


def test_a_job_past_its_deadline_is_reported_until_done(site: Site, clock: MovedClock) -> None:
    with site.writing() as conn:
        agenda.put(conn, "act", "act:1", "1", START, START, deadline=START + MINUTE)
        agenda.put(conn, "act", "act:2", "2", START, START)
        assert agenda.overdue(conn, START + MINUTE / 2) == []
        assert [late.ref for late in agenda.overdue(conn, START + MINUTE)] == ["1"]
    clock.move(MINUTE)
    agenda.run_due(site, {"act": effect})
    with site.reading() as conn:
        assert agenda.overdue(conn, clock.now()) == []


def test_waiting_jobs_are_counted_by_where_they_stand(site: Site, clock: MovedClock) -> None:
    put_jobs(site, "bad", kind="bad")
    agenda.run_due(site, {"bad": fails})
    put_jobs(site, "taken")
    with site.writing() as conn:
        conn.execute(taking(site.now(), ["act"], 1, agenda.LEASE))
    put_jobs(site, "due")
    put_jobs(site, "later", first_due=MINUTE)
    with site.reading() as conn:
        assert agenda.waiting(conn, site.now()) == agenda.Waiting(due=1, taken=1, later=2, failing=1)


def test_finding_work_uses_the_index_of_open_jobs(site: Site) -> None:
    put_jobs(site, *map(str, range(1000)))
    with site.writing() as conn:
        conn.execute(update(job).where(job.c.ref != "7").values(done_at=START, deadline=START))
    put_jobs(site, *map(str, range(1000, 3000)), first_due=timedelta(days=400))
    with site.writing() as conn:
        assert "ix_job_due" in plan(conn, taking(START, ["act"], 50, agenda.LEASE))
        assert "ix_job_due" in plan(conn, due(START, ["act"]))
        assert "ix_job_deadline" in plan(conn, late_jobs(START))
