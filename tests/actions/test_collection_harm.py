"""Killed, locked out, without room or keys: data comes in whole or not at all, and leaves once for a key."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import event

from tests.collection_crashes import collect_and_die, deliver_and_die, wired
from tests.crashing import KILLED, exit_of
from tests.databases import StoreKind, libpq
from tests.receiver import SECRET, receiving
from tests.submissions import CONTACT, ORDER, REGISTER, counts, entries, keys_made, rows, sent
from troth.agenda import run_due
from troth.clock import MovedClock
from troth.collection import collect
from troth.errors import StoreError
from troth.ledger import events
from troth.people.keystore import sweep_orphans
from troth.recipients import gate, instructions
from troth.recipients.tables import disclosure, instruction
from troth.retention.ending import begin_ending, destroy_due
from troth.store.engines import open_engine
from troth.store.secret import secret_path
from troth.store.site import Site

HANDLERS = {gate.DELIVER: gate.deliver, instructions.INSTRUCT: instructions.carry}


def where(site: Site) -> tuple[str, str, str]:
    """What another process needs to open the same site."""
    data, keys = (engine.url.render_as_string(hide_password=False) for engine in (site.engine, site.keys))
    return str(site.folder), data, keys


@pytest.mark.parametrize("point", ["in the middle", "before the commit", "after the commit"])
def test_a_kill_while_collecting_leaves_all_or_nothing_and_sending_again_stores_once(
    site: Site, clock: MovedClock, point: str
) -> None:
    before = counts(site)
    assert exit_of(collect_and_die, *where(site), site.now(), point) == KILLED
    stored = point == "after the commit"
    assert (counts(site) == before) is not stored
    receipts = [collect(site, REGISTER) for _ in range(2)]
    assert [receipt.repeated for receipt in receipts] == [stored, True]
    after = counts(site)
    assert [after[name] for name in ("person", "choice", "dealing", "identifier")] == [1, 1, 1, 1]
    assert len(entries(site, events.HOLDING_COLLECTED)) == 1
    clock.move(timedelta(days=2))
    assert sweep_orphans(site) == (not stored)
    assert keys_made(site) == 1


@pytest.mark.parametrize("point", ["before it leaves", "after it arrived"])
def test_a_kill_while_delivering_loses_nothing_and_doubles_nothing(
    site: Site, clock: MovedClock, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setenv("TROTH_TEST_SECRET", SECRET)
    ann = collect(site, ORDER).person_id
    made = gate.disclose(site, ann, "courier", ["full_name"], "fulfil_order")
    with receiving() as receiver:
        assert exit_of(_deliver, SECRET, *where(site), site.now(), receiver.url, point) == KILLED
        arrived = point == "after it arrived"
        assert [key for _, key, _ in receiver.arrived] == [made] * arrived
        assert [row["state"] for row in rows(site, disclosure)] == ["leaving" if arrived else "queued"]
        clock.move(timedelta(minutes=11))
        for _ in range(2):
            run_due(wired(site, receiver.url), HANDLERS)
        assert [key for _, key, _ in receiver.arrived] == [made] * (1 + arrived)
        assert len(receiver.kept) == 1
    assert [row["state"] for row in rows(site, disclosure)] == ["delivered"]


def test_whoever_was_erased_after_a_kill_is_erased_at_the_recipient_too(
    site: Site, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer never came, so nobody knows whether it arrived: it counts as given."""
    monkeypatch.setenv("TROTH_TEST_SECRET", SECRET)
    ann = collect(site, ORDER).person_id
    gate.disclose(site, ann, "courier", ["full_name"], "fulfil_order")
    with receiving() as receiver:
        assert exit_of(_deliver, SECRET, *where(site), site.now(), receiver.url, "after it arrived") == KILLED
        with site.writing() as conn:
            begin_ending(site, conn, ann, "request:test", clock.now() + timedelta(days=20))
        clock.move(timedelta(days=19))
        destroy_due(site)
        run_due(wired(site, receiver.url), HANDLERS)
        assert receiver.bodies("delete") == [{"people": [ann]}]
    assert [row["acknowledged_by"] for row in rows(site, instruction)] == ["recipient"]


def _deliver(secret: str, *more: object) -> None:
    import os

    os.environ["TROTH_TEST_SECRET"] = secret
    deliver_and_die(*more)  # type: ignore[arg-type]


@contextmanager
def locked(site: Site, kind: StoreKind) -> Iterator[None]:
    """Another writer holds the store and does not let go."""
    if kind == "sqlite":
        with closing(sqlite3.connect(str(site.engine.url.database), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    with psycopg.connect(libpq(site.engine.url)) as other:
        other.execute("LOCK TABLE holding IN ACCESS EXCLUSIVE MODE")
        yield


def test_a_locked_store_is_an_error_in_words_and_nothing_is_stored(site: Site, store_kind: StoreKind) -> None:
    before = counts(site)
    hasty = open_engine(where(site)[1], site.folder, lock_wait_ms=50)
    with locked(site, store_kind), pytest.raises(StoreError, match="busy") as error:
        collect(replace(site, engine=hasty), REGISTER)
    hasty.dispose()
    assert error.value.hint
    assert counts(site) == before
    assert not collect(site, REGISTER).repeated


@contextmanager
def full(site: Site, kind: StoreKind) -> Iterator[None]:
    """The disk has no room for another page."""
    if kind == "sqlite":
        site.engine.dispose()

        @event.listens_for(site.engine, "connect")
        def _small(raw: sqlite3.Connection, _record: object) -> None:
            raw.execute(f"PRAGMA max_page_count = {raw.execute('PRAGMA page_count').fetchone()[0] + 4}")

        yield
        event.remove(site.engine, "connect", _small)
        site.engine.dispose()
        return
    with site.engine.begin() as conn:
        conn.exec_driver_sql(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION"
            " 'could not extend file' USING ERRCODE = '53100'; END $$"
        )
        conn.exec_driver_sql("CREATE TRIGGER full_disk BEFORE INSERT ON choice EXECUTE FUNCTION full_disk()")
    yield
    with site.engine.begin() as conn:
        conn.exec_driver_sql("DROP TRIGGER full_disk ON choice")


def test_a_full_disk_is_an_error_in_words_and_nothing_is_half_stored(site: Site, store_kind: StoreKind) -> None:
    long = sent(REGISTER, full_name="P" * 9_000, interest="I" * 9_000)
    people = 0
    with full(site, store_kind), pytest.raises(StoreError, match="full") as error:
        for people in range(100):
            collect(site, sent(long, f"r{people}", email=f"p{people}@shop.example"))
    assert error.value.hint
    after = counts(site)
    assert {after[name] for name in ("person", "choice", "dealing", "identifier")} == {people}
    assert not collect(site, sent(long, f"r{people}", email=f"p{people}@shop.example")).repeated


def _no_secret(site: Site) -> None:
    secret_path(site).unlink()


def _no_key_store(site: Site) -> None:
    with site.keys.begin() as conn:
        conn.exec_driver_sql("DROP TABLE person_key")


@pytest.mark.parametrize("harm", [_no_secret, _no_key_store])
def test_without_site_key_or_key_store_nothing_comes_in_and_nothing_leaves(
    site: Site, harm: Callable[[Site], None]
) -> None:
    ann = collect(site, ORDER).person_id
    gate.disclose(site, ann, "courier", ["full_name"], "fulfil_order")
    with receiving() as receiver:
        reachable = wired(site, receiver.url)
        harm(site)
        before = counts(site)
        for submission in (REGISTER, sent(ORDER, "order-2"), CONTACT):
            with pytest.raises(StoreError) as error:
                collect(reachable, submission)
            assert error.value.hint
        assert counts(site) == before
        run_due(reachable, HANDLERS)
        assert receiver.arrived == []
    assert [row["state"] for row in rows(site, disclosure)] == ["queued"]


def test_many_people_at_once_are_all_taken_in(site: Site) -> None:
    forms = [sent(REGISTER, f"r{n}", email=f"p{n}@shop.example") for n in range(24)]
    with ThreadPoolExecutor(8) as threads:
        receipts = list(threads.map(lambda one: collect(site, one), forms))
    assert len({receipt.person_id for receipt in receipts}) == 24
    assert counts(site)["person"] == keys_made(site) == 24
