"""Entries come with their cause, stay as they are, and are sealed whole whatever happens meanwhile."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event, func, select, text, update
from sqlalchemy.exc import IntegrityError

from tests.bare import bare_folder, open_bare, prepared
from tests.crashing import KILLED, exit_of, seal_and_die
from tests.plans import plan
from troth import ledger
from troth.clock import MovedClock
from troth.errors import StoreError, Unverifiable
from troth.ledger import events
from troth.ledger.keys import signing_key
from troth.ledger.seal import placing, waiting
from troth.ledger.tables import checkpoint, entry
from troth.ledger.walk import sealed_entries, unsealed_entries
from troth.store.site import Site


@pytest.fixture
def site(tmp_path: Path, tables_url: str, clock: MovedClock) -> Iterator[Site]:
    opened = prepared(bare_folder(tmp_path), tables_url, clock)
    yield opened
    opened.close()


def write(site: Site, count: int) -> None:
    with site.writing() as conn:
        ledger.append_many(conn, site.now(), events.PERSON_READ, [{"n": n} for n in range(count)])


def numbers(site: Site, words: str) -> list[int]:
    with site.reading() as conn:
        return list(conn.execute(text(words)).scalars())


def another(site: Site) -> Site:
    url = site.engine.url.render_as_string(hide_password=False)
    return open_bare(site.folder, url, site.clock)  # type: ignore[arg-type]


def test_an_entry_of_a_cause_that_failed_is_not_there(site: Site) -> None:
    with pytest.raises(RuntimeError), site.writing() as conn:
        ledger.append(conn, site.now(), events.PERSON_READ, {"n": 1})
        raise RuntimeError
    assert numbers(site, "SELECT count(*) FROM ledger_entry") == [0]


def test_one_refused_body_among_many_writes_none(site: Site) -> None:
    with site.writing() as conn:
        with pytest.raises(ledger.NotForTheLedger):
            ledger.append_many(conn, site.now(), events.PERSON_READ, [{"n": 1}, {"who": "alice@example.com"}])
        assert ledger.append_many(conn, site.now(), events.PERSON_READ, []) == 0
    assert numbers(site, "SELECT count(*) FROM ledger_entry") == [0]


def test_an_event_that_nobody_explained_is_refused(site: Site) -> None:
    with site.writing() as conn, pytest.raises(ledger.NotForTheLedger, match="knows no event"):
        ledger.append(conn, site.now(), "person:guessed", {})


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET body = '{}' WHERE id = 2",
        "UPDATE ledger_entry SET leaf = leaf, position = 99 WHERE id = 2",
        "UPDATE ledger_entry SET position = NULL WHERE id = 2",
        "UPDATE ledger_entry SET position = 7, body = '{}' WHERE id = 4",
        "UPDATE ledger_entry SET id = 77 WHERE id = 4",
        "DELETE FROM ledger_entry WHERE id = 2",
        "DELETE FROM ledger_entry WHERE id = 4",
        "UPDATE ledger_checkpoint SET size = 2",
        "DELETE FROM ledger_checkpoint",
    ],
)
def test_plain_changes_and_deletions_are_refused(site: Site, statement: str) -> None:
    write(site, 3)
    ledger.seal(site)
    write(site, 1)
    with pytest.raises(IntegrityError, match="the ledger only grows"), site.writing() as conn:
        conn.execute(text(statement))
    assert ledger.verify(site).verdict == "whole"


def test_sealing_places_every_entry_once_and_in_order(site: Site) -> None:
    write(site, 25)
    assert ledger.seal(site, batch=10) == ledger.Sealed(entries=25, size=25)
    write(site, 5)
    with site.reading() as conn:
        assert ledger.unsealed(conn) == 5
    assert ledger.seal(site, batch=10) == ledger.Sealed(entries=5, size=30)
    assert ledger.seal(site) == ledger.Sealed(entries=0, size=30)
    assert numbers(site, "SELECT position FROM ledger_entry ORDER BY id") == list(range(30))
    assert numbers(site, "SELECT size FROM ledger_checkpoint ORDER BY size") == [10, 20, 25, 30]
    assert ledger.verify(site) == ledger.Verified("whole", 30, 30, 0, 0, None)


def test_an_empty_ledger_is_whole_and_needs_no_key(site: Site) -> None:
    assert ledger.seal(site) == ledger.Sealed(entries=0, size=0)
    assert ledger.verify(site).line() == "Whole: 0 of 0 entries are sealed and as they were written."
    assert not (site.folder / "var" / "ledger.key").exists()


def test_what_is_not_sealed_is_said_in_the_open(site: Site) -> None:
    write(site, 2)
    ledger.seal(site)
    write(site, 3)
    report = ledger.verify(site)
    assert (report.verdict, report.sealed, report.unsealed) == ("whole", 2, 3)
    assert "3 are not sealed yet" in report.line()


@pytest.mark.parametrize("store_kind", ["postgresql"])
def test_an_entry_that_commits_late_is_sealed_late(site: Site) -> None:
    with site.writing() as conn:
        ledger.append(conn, site.now(), events.PERSON_READ, {"n": 1})
        other = another(site)
        write(other, 2)
        assert ledger.seal(other).entries == 2
    assert ledger.seal(other).entries == 1
    other.close()
    assert numbers(site, "SELECT id FROM ledger_entry ORDER BY position") == [2, 3, 1]
    assert ledger.verify(site).verdict == "whole"


def test_writers_and_two_sealers_at_once_make_one_tree(site: Site) -> None:
    sites, failures = [another(site) for _ in range(4)], []
    begin = threading.Barrier(4)

    def work(own: Site, seals: bool) -> None:
        try:
            begin.wait()
            for _ in range(15):
                if seals:
                    ledger.seal(own, batch=7)
                else:
                    write(own, 9)
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(own, n < 2)) for n, own in enumerate(sites)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for own in sites:
        own.close()
    assert failures == []
    assert ledger.seal(site).size == 2 * 15 * 9
    assert numbers(site, "SELECT position FROM ledger_entry ORDER BY position") == list(range(270))
    assert ledger.verify(site) == ledger.Verified("whole", 270, 270, 0, 0, None)


def test_verifying_sees_one_state_while_others_write_and_seal(site: Site) -> None:
    write(site, 20)
    ledger.seal(site)
    other, met = another(site), []

    @event.listens_for(site.engine, "before_cursor_execute")
    def _meanwhile(_c: object, _k: object, statement: str, _p: object, _x: object, _m: bool) -> None:
        if "position IS NOT NULL" in statement and not met:
            met.append(statement)
            write(other, 5)
            ledger.seal(other)

    report = ledger.verify(site)
    other.close()
    assert len(met) == 1
    assert (report.verdict, report.entries) == ("whole", 20)
    assert ledger.verify(site).entries == 25


@pytest.mark.parametrize("store_kind", ["postgresql"])
def test_verifying_fetches_rows_a_few_at_a_time(site: Site) -> None:
    write(site, 3)
    ledger.seal(site)
    cursors = []

    @event.listens_for(site.engine, "before_cursor_execute")
    def _seen(_c: object, cursor: object, statement: str, _p: object, _x: object, _m: bool) -> None:
        if "ORDER BY" in statement and "FROM ledger_" in statement and "LIMIT" not in statement:
            cursors.append(type(cursor))

    ledger.verify(site)
    assert cursors == [psycopg.ServerCursor] * 3


@pytest.mark.parametrize("point", ["before placing", "before signing", "before commit"])
def test_killed_while_sealing_leaves_nothing_half_sealed(
    site: Site, clock: MovedClock, tables_url: str, point: str
) -> None:
    write(site, 35)
    for nth in (1, 2):  # the second process dies in its second batch
        assert exit_of(seal_and_die, str(site.folder), tables_url, clock.now(), point, nth) == KILLED
        sizes = numbers(site, "SELECT size FROM ledger_checkpoint ORDER BY size")
        assert sizes == [10] * (nth - 1)
        assert numbers(site, "SELECT count(position) FROM ledger_entry") == [sum(sizes)]
        assert ledger.verify(site).verdict == "whole"
    assert ledger.seal(site) == ledger.Sealed(entries=25, size=35)
    assert ledger.verify(site) == ledger.Verified("whole", 35, 35, 0, 0, None)


def test_the_key_is_made_once_and_only_its_owner_may_read_it(site: Site) -> None:
    write(site, 1)
    ledger.seal(site)
    path = site.folder / "var" / "ledger.key"
    made = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    write(site, 1)
    ledger.seal(site)
    assert path.read_bytes() == made
    assert ledger.public_pem(site).startswith("-----BEGIN PUBLIC KEY-----")
    assert sorted(name.name for name in path.parent.iterdir() if "ledger" in name.name) == ["ledger.head", "ledger.key"]
    path.chmod(0o640)
    with pytest.raises(StoreError, match="Others may read"):
        ledger.verify(site)


def test_processes_that_need_the_key_at_once_get_the_same_one(site: Site) -> None:
    begin, keys = threading.Barrier(8), []

    def first_use() -> None:
        begin.wait()
        keys.append(signing_key(site, make=True).private_bytes_raw())

    threads = [threading.Thread(target=first_use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_a_lost_or_exchanged_key_stops_sealing_instead_of_starting_anew(site: Site) -> None:
    write(site, 1)
    ledger.seal(site)
    path = site.folder / "var" / "ledger.key"
    path.unlink()
    write(site, 1)
    with pytest.raises(StoreError, match="missing"):
        ledger.seal(site)
    signing_key(site, make=True)
    with pytest.raises(Unverifiable, match="another key"):
        ledger.seal(site)
    path.write_text("no key")
    with pytest.raises(StoreError, match="no Ed25519 key"):
        ledger.seal(site)
    os.truncate(path.with_name("ledger.head"), 10)
    with pytest.raises(Unverifiable, match="cannot be read"):
        ledger.verify(site)


def test_nothing_is_sealed_on_top_of_a_checkpoint_that_was_changed(site: Site) -> None:
    write(site, 3)
    ledger.seal(site)
    write(site, 1)
    without_triggers(site)
    with site.writing() as conn:
        conn.execute(update(checkpoint).values(frontier=b"x" * 64))
    with pytest.raises(Unverifiable, match="was changed"):
        ledger.seal(site)
    assert numbers(site, "SELECT count(position) FROM ledger_entry") == [3]


def test_nothing_is_sealed_on_top_of_an_entry_that_no_checkpoint_covers(site: Site) -> None:
    write(site, 3)
    ledger.seal(site)
    write(site, 2)
    with site.writing() as conn:
        conn.execute(update(entry).where(entry.c.id == 4).values(position=3))
    with pytest.raises(Unverifiable, match="no checkpoint covers"):
        ledger.seal(site)


def without_triggers(site: Site) -> None:
    for name in ("ledger_entry_unchanged", "ledger_checkpoint_unchanged"):
        on = f" ON {name.rpartition('_')[0]}" if site.engine.dialect.name == "postgresql" else ""
        with site.writing() as conn:
            conn.execute(text(f"DROP TRIGGER {name}{on}"))


def test_sealing_and_verifying_use_their_indexes(site: Site) -> None:
    write(site, 4000)
    ledger.seal(site)
    write(site, 40)
    with site.writing() as conn:
        assert "ix_ledger_entry_unsealed" in plan(conn, waiting().limit(100))
        assert "ix_ledger_entry_unsealed" in plan(conn, select(func.count()).select_from(waiting().subquery()))
        assert "ix_ledger_entry_unsealed" in plan(conn, placing(4000, 100))
        assert "ix_ledger_entry_unsealed" in plan(conn, unsealed_entries())
        assert "uq_ledger_entry_position" in plan(conn, sealed_entries(), streamed=True)
