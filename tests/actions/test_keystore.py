"""Keys: made before they are needed, gone when destroyed, wrapped anew under the feet of readers and writers."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from threading import Event, Thread

import psycopg
import pytest
from sqlalchemy import event, func, select, update

from tests.crashing import KILLED, exit_of
from tests.databases import StoreKind, libpq
from tests.fixtures import days
from tests.key_crashes import register_and_die, rotate_and_die
from tests.shoppers import ANN, BOB, SYSTEM, Statements, held, registered
from troth.clock import MovedClock
from troth.errors import StoreError, Unverifiable
from troth.ids import new_id
from troth.ledger.tables import entry
from troth.people import keyring, vault
from troth.people.keyring import make_site_key
from troth.people.keystore import destroy_keys, make_key, make_keys, open_keys, orphans, sweep_orphans
from troth.people.rotation import rotate, site_keys
from troth.people.tables import holding, identifier, person, person_key
from troth.store.engines import open_engine
from troth.store.secret import new_ring, read_ring, secret_path, write_secret
from troth.store.site import Site


def keys_of(site: Site, count: int) -> list[str]:
    ids = [new_id(site.now()) for _ in range(count)]
    make_keys(site, ids)
    return ids


def urls(site: Site) -> tuple[str, str, str]:
    """Folder, database and key store, as a process of its own is told them."""
    data, keys = (engine.url.render_as_string(hide_password=False) for engine in (site.engine, site.keys))
    return str(site.folder), data, keys


def stored(site: Site) -> dict[str, int]:
    with site.reading() as conn:
        return {t.name: conn.scalar(select(func.count()).select_from(t)) for t in (person, holding, identifier, entry)}


NOTHING = {"person": 0, "holding": 0, "identifier": 0, "ledger_entry": 0}


# Keys of people


def test_each_person_has_a_key_of_their_own(site: Site) -> None:
    ids = keys_of(site, 3)
    opened = open_keys(site, ids)
    assert opened.keys() == set(ids)
    assert {len(key) for key in opened.values()} == {32}
    assert len(set(opened.values())) == 3
    assert open_keys(site, ids) == opened


def test_no_key_stands_in_the_store_as_it_is(site: Site) -> None:
    opened = open_keys(site, keys_of(site, 3))
    with site.keys.connect() as conn:
        rows = conn.execute(select(person_key)).all()
    assert not {row.wrapped[:32] for row in rows} & set(opened.values())
    assert all(len(row.wrapped) == 40 for row in rows)


def test_many_keys_are_opened_with_one_query_and_destroyed_with_one(site: Site) -> None:
    ids = keys_of(site, 300)
    heard = Statements(site.keys)
    assert len(open_keys(site, ids)) == 300
    assert sum(text.startswith("SELECT") for text in heard.texts) == 1
    heard.texts.clear()
    assert destroy_keys(site, ids[:200]) == 200
    assert sum(text.startswith("DELETE") for text in heard.texts) == 1
    assert open_keys(site, ids).keys() == set(ids[200:])


def test_a_destroyed_key_is_gone_at_once(site: Site) -> None:
    ann, _ = registered(site, ANN), registered(site, BOB)
    assert vault.read(site, ann, ["email"], "service", SYSTEM).values
    destroy_keys(site, [ann])
    with pytest.raises(StoreError, match="erased"):
        vault.read(site, ann, ["email"], "service", SYSTEM)
    with pytest.raises(StoreError, match="no key"), site.writing() as conn:
        held(site, conn, ann, BOB, submission="later")


def test_an_altered_key_does_not_open(site: Site) -> None:
    one, _ = keys_of(site, 2)
    with site.keys.begin() as conn:
        conn.execute(update(person_key).where(person_key.c.person_id == one).values(wrapped=b"x" * 40))
    with pytest.raises(Unverifiable):
        open_keys(site, [one])


def test_a_key_without_a_person_is_swept_after_a_day(site: Site, clock: MovedClock) -> None:
    ann = registered(site, ANN)
    lost = keys_of(site, 2)
    assert orphans(site) == []
    assert sweep_orphans(site) == 0
    clock.move(days(1.01))
    fresh = keys_of(site, 1)
    assert sorted(orphans(site)) == sorted(lost)
    assert sweep_orphans(site) == 2
    assert open_keys(site, [ann, *lost, *fresh]).keys() == {ann, *fresh}


def test_sweeping_beside_the_wrong_database_destroys_nothing(site: Site, clock: MovedClock) -> None:
    ids = keys_of(site, 101)
    clock.move(days(2))
    with pytest.raises(StoreError, match="wrong one"):
        sweep_orphans(site)
    assert len(open_keys(site, ids)) == 101


# The site key


def test_the_site_key_is_made_once_and_for_its_owner_only(site: Site) -> None:
    path = secret_path(site)
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_text()
    with pytest.raises(StoreError, match="already"):
        make_site_key(site)
    assert path.read_text() == before


def test_a_lost_secret_is_never_replaced_by_a_new_one(site: Site) -> None:
    registered(site, ANN)
    secret_path(site).unlink()
    with pytest.raises(StoreError, match="another site key"):
        make_site_key(site)
    assert not secret_path(site).exists()


def test_an_interrupted_making_of_the_site_key_is_finished(site: Site) -> None:
    with site.keys.begin() as conn:
        conn.exec_driver_sql("DELETE FROM site_key")
    before = secret_path(site).read_text()
    make_site_key(site)
    assert secret_path(site).read_text() == before
    assert keys_of(site, 1)


@pytest.mark.parametrize("text", ["", "{}", "[]", "not json", '{"current": "a", "keys": {}, "index": ""}'])
def test_a_secret_that_is_none_is_refused(site: Site, text: str) -> None:
    secret_path(site).write_text(text)
    with pytest.raises(StoreError):
        make_key(site, new_id(site.now()))


def test_a_secret_that_others_can_read_is_refused(site: Site) -> None:
    secret_path(site).chmod(0o644)
    with pytest.raises(StoreError, match="others"):
        make_key(site, new_id(site.now()))


def test_the_secret_may_come_from_the_environment(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = keys_of(site, 1)
    text = read_ring(site).text()
    secret_path(site).unlink()
    wires = site.wiring.keys.model_copy(update={"secret_env": "SHOP_SITE_KEY"})
    other = replace(site, wiring=site.wiring.model_copy(update={"keys": wires}))
    with pytest.raises(StoreError, match="SHOP_SITE_KEY"):
        open_keys(other, ids)
    monkeypatch.setenv("SHOP_SITE_KEY", text)
    assert open_keys(other, ids).keys() == set(ids)
    with pytest.raises(StoreError, match="one site key only"):
        rotate(other)
    monkeypatch.setenv("SHOP_SITE_KEY", keyring.with_new_key(read_ring(other)).text())
    assert rotate(other) == 1
    assert open_keys(other, ids).keys() == set(ids)


def test_a_secret_shows_nothing_when_it_is_printed(site: Site) -> None:
    ring = read_ring(site)
    assert repr(ring) == f"Ring(current='{ring.current}')"


# When something is missing, locked or full


def missing_secret(site: Site) -> None:
    secret_path(site).unlink()


def secret_of_another_site(site: Site) -> None:
    write_secret(secret_path(site), new_ring())


def missing_key_store(site: Site) -> None:
    with site.keys.begin() as conn:
        conn.exec_driver_sql("DROP TABLE person_key")


@pytest.mark.parametrize("harm", [missing_secret, secret_of_another_site, missing_key_store])
def test_without_key_store_or_secret_nothing_is_stored_and_nothing_read(site: Site, harm) -> None:
    ann = registered(site, ANN)
    before = stored(site)
    harm(site)
    with pytest.raises(StoreError) as error:
        registered(site, BOB)
    assert error.value.hint
    assert stored(site) == before
    with pytest.raises(StoreError):
        vault.read(site, ann, ["email"], "service", SYSTEM)
    with pytest.raises(StoreError), site.writing() as conn:
        held(site, conn, ann, BOB, submission="later")
    assert {**stored(site), "ledger_entry": 0} == {**before, "ledger_entry": 0}


def test_an_empty_key_store_is_an_error_and_no_erasure_of_everybody(site: Site) -> None:
    ids = [registered(site, ANN), registered(site, BOB)]
    with site.keys.begin() as conn:
        conn.exec_driver_sql("DELETE FROM person_key")
    with pytest.raises(StoreError, match="no keys"):
        list(vault.read_many(site, ids, ["email"], "service", SYSTEM))


@contextmanager
def locked(kind: StoreKind, url: str, table: str) -> Iterator[None]:
    """Another writer holds the store and does not let go."""
    if kind == "sqlite":
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    with psycopg.connect(libpq(open_engine(url, None).url)) as other:  # type: ignore[arg-type]
        other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


@pytest.mark.parametrize(("store", "table"), [("data", "person"), ("keys", "person_key")])
def test_a_locked_store_is_an_error_in_words_and_nothing_is_half_stored(
    site: Site, store_kind: StoreKind, store: str, table: str
) -> None:
    _, data, keys = urls(site)
    url = data if store == "data" else keys
    hasty = open_engine(url, site.folder, lock_wait_ms=50)
    impatient = replace(site, engine=hasty) if store == "data" else replace(site, keys=hasty)
    with locked(store_kind, url, table), pytest.raises(StoreError, match="busy") as error:
        registered(impatient, ANN)
    assert error.value.hint
    assert stored(site) == NOTHING
    hasty.dispose()
    assert registered(site, ANN)


@pytest.mark.parametrize("store", ["data", "keys"])
def test_a_full_disk_is_an_error_in_words_and_nothing_is_half_stored(
    site: Site, store_kind: StoreKind, store: str
) -> None:
    if store_kind != "sqlite":
        pytest.skip("only SQLite can be told how large it may grow")
    engine = site.engine if store == "data" else site.keys
    engine.dispose()

    @event.listens_for(engine, "connect")
    def _small(raw, _record: object) -> None:
        pages = raw.execute("PRAGMA page_count").fetchone()[0]
        raw.execute(f"PRAGMA max_page_count = {pages}")

    people = 0
    with pytest.raises(StoreError, match="full") as error:
        for people in range(1000):
            registered(site, {"email": f"p{people}@shop.example", "full_name": "P" * 900})
    assert error.value.hint
    assert stored(site) == {"person": people, "holding": people, "identifier": people, "ledger_entry": people}
    with site.reading() as conn:
        assert vault.find(site, conn, "email", f"p{people}@shop.example") is None


@pytest.mark.parametrize(
    ("store", "point", "words"),
    [
        ("keys", "before", "INSERT INTO person_key"),
        ("keys", "after", "INSERT INTO person_key"),
        ("data", "before", "INSERT INTO person"),
        ("data", "before", "INSERT INTO identifier"),
        ("data", "before", "INSERT INTO holding"),
        ("data", "after", "INSERT INTO holding"),
    ],
)
def test_a_killed_process_leaves_no_half_person(
    site: Site, clock: MovedClock, store: str, point: str, words: str
) -> None:
    assert exit_of(register_and_die, *urls(site), site.now(), store, point, words) == KILLED
    assert stored(site) == NOTHING
    clock.move(days(2))
    assert sweep_orphans(site) == (store == "data")
    ann = registered(site, ANN)
    assert vault.read(site, ann, ["email"], "service", SYSTEM).values == {"email": ANN["email"]}


# Rotation


def test_after_a_rotation_everything_opens_and_the_old_site_key_is_gone(site: Site) -> None:
    ann = registered(site, ANN)
    ids = keys_of(site, 20)
    before, old = open_keys(site, ids), read_ring(site)
    assert rotate(site, batch=7) == 21
    assert open_keys(site, ids) == before
    ring = read_ring(site)
    assert old.current not in secret_path(site).read_text()
    assert site_keys(site) == [(old.current, True), (ring.current, False)] or site_keys(site) == [
        (ring.current, False),
        (old.current, True),
    ]
    assert vault.read(site, ann, ["email"], "service", SYSTEM).values == {"email": ANN["email"]}
    with site.reading() as conn:
        assert vault.find(site, conn, "email", ANN["email"]) == ann


def test_an_old_copy_of_the_secret_opens_nothing_after_a_rotation(site: Site) -> None:
    ids = keys_of(site, 2)
    old = read_ring(site)
    rotate(site)
    write_secret(secret_path(site), old)
    with pytest.raises(StoreError, match="missing"):
        open_keys(site, ids)
    with pytest.raises(StoreError):
        make_key(site, new_id(site.now()))


@pytest.mark.parametrize(
    ("point", "nth"),
    [
        ("before the secret", 1),
        ("in a batch", 1),
        ("in a batch", 2),
        ("before a batch commits", 2),
        ("before retiring", 1),
        ("after retiring", 1),
    ],
)
def test_a_killed_rotation_is_finished_by_the_next(site: Site, point: str, nth: int) -> None:
    ann = registered(site, ANN)
    ids = keys_of(site, 8)
    before, old = open_keys(site, ids), read_ring(site)
    assert exit_of(rotate_and_die, *urls(site), site.now(), point, nth) == KILLED
    assert open_keys(site, ids) == before
    fresh = keys_of(site, 1)
    rotate(site, batch=3)
    assert open_keys(site, ids) == before
    assert open_keys(site, fresh).keys() == set(fresh)
    ring = read_ring(site)
    assert len(ring.keys) == 1
    assert ring.current != old.current
    with site.keys.connect() as conn:
        assert set(conn.scalars(select(person_key.c.site_key))) == {ring.current}
    assert vault.read(site, ann, ["email"], "service", SYSTEM).values == {"email": ANN["email"]}


def test_people_are_read_and_admitted_while_keys_rotate(site: Site) -> None:
    people = [registered(site, {"email": f"p{n}@shop.example", "full_name": f"P {n}"}) for n in range(15)]
    troubles: list[BaseException] = []
    done = Event()

    def keep_on(act) -> None:
        try:
            while not done.wait(0.01):  # writers pause in life, too; without it SQLite lets one of them starve
                act()
        except BaseException as error:
            troubles.append(error)

    def look() -> None:
        seen = dict(vault.read_many(site, people, ["email"], "service", SYSTEM))
        assert [seen[one].values["email"] for one in people] == [f"p{n}@shop.example" for n in range(15)]

    made: list[str] = []
    threads = [Thread(target=keep_on, args=(act,)) for act in (look, look, lambda: made.append(registered(site, ANN)))]
    for thread in threads:
        thread.start()
    for _ in range(4):
        rotate(site, batch=4)
    done.set()
    for thread in threads:
        thread.join(30)
    assert troubles == []
    assert len(read_ring(site).keys) == 1
    assert open_keys(site, [*people, *made]).keys() == {*people, *made}
    assert made


def test_two_rotations_at_once_are_refused(site: Site) -> None:
    import fcntl

    with secret_path(site).with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="already"):
            rotate(site)
    assert rotate(site) == 0
