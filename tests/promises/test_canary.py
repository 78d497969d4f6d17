"""The canary: it flies on every site with a form, finds what was left behind, and leaves nothing itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, text

from tests.databases import StoreKind
from tests.fixtures import data_tables_made, days
from tests.policies import NAMES, SITES
from troth import ledger
from troth.clock import MovedClock, utc
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.evidence import canary
from troth.evidence.prove import prove
from troth.ledger import events
from troth.ledger.tables import entry
from troth.messages.publish import publish
from troth.messages.tables import message
from troth.people.keyring import make_site_key
from troth.people.tables import holding, person, person_key
from troth.recipients.tables import disclosure, instruction
from troth.store.prepare import prepare
from troth.store.site import Site, open_site
from troth.visits.partitions import ensure_days

TODAY = utc(2026, 11, 20, 9)
ALL_STEPS = ("collect", "purpose", "access", "withdrawal", "objection", "erasure")


@pytest.fixture
def operator(
    request: pytest.FixtureRequest, store_kind: StoreKind, fresh_database: Callable[..., str], tmp_path: Path
) -> Iterator[Site]:
    """One of the five sites, published and empty."""
    folder = shutil.copytree(SITES / request.param, tmp_path / "site", ignore=shutil.ignore_patterns("var"))
    database = fresh_database(store_kind, prepared_by=data_tables_made)
    opened = open_site(folder, MovedClock(TODAY), database=database, keys="sqlite:///var/keys.db")
    prepare(opened)
    make_site_key(opened)
    publish(opened)
    yield opened
    opened.close()


@pytest.mark.parametrize("operator", NAMES, indirect=True)
def test_the_canary_flies_on_every_site_that_has_a_form(operator: Site) -> None:
    flown = canary.fly(operator)
    assert flown.failed == {}
    assert {"collect", "purpose", "access", "erasure"} <= set(flown.steps)


@pytest.mark.parametrize("operator", NAMES, indirect=True)
def test_a_site_that_was_just_published_breaks_no_promise(operator: Site) -> None:
    report = prove(operator)
    assert [(one.promise.id, one.proof) for one in report.broken] == []
    assert report.summary["kept"] > 10


def test_it_tries_every_step_and_leaves_nothing_behind(site: Site) -> None:
    assert canary.fly(site) == canary.Canary(ALL_STEPS, {}, site.now())
    with site.reading() as conn:
        assert conn.scalar(select(func.count()).select_from(person)) == 0
        assert conn.scalar(select(func.count()).select_from(holding)) == 0
    with site.keys.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(person_key)) == 0


def test_it_flies_again_and_the_last_flight_is_what_counts(site: Site) -> None:
    first, second = canary.fly(site), canary.fly(site)
    assert first.failed == second.failed == {}
    with site.reading() as conn:
        assert canary.last(conn, site) == second
    site.clock.move(days(8))  # type: ignore[attr-defined]
    with site.reading() as conn:
        assert canary.last(conn, site).steps == ()


def test_nothing_is_mailed_or_given_away_for_it(site: Site) -> None:
    written: list[str] = []
    event.listen(site.engine, "before_cursor_execute", lambda *args: written.append(args[2]))
    canary.fly(site)
    inserts = {line.split()[2].strip('"') for line in written if line.startswith("INSERT INTO")}
    assert {"person", "holding", "ledger_entry"} <= inserts
    assert inserts & {message.name, disclosure.name, "job"} == set()
    with site.reading() as conn:
        assert conn.scalar(select(func.count()).select_from(instruction)) == 0


LEAKS = {
    "a text in a table nobody declared": (
        "CREATE TABLE export_2019 (line TEXT)",
        "INSERT INTO export_2019 VALUES ('{value}')",
    ),
    "bytes in a table nobody declared": (
        "CREATE TABLE dump (raw {blob})",
        "INSERT INTO dump VALUES (CAST('sent to {value} at noon' AS {blob}))",
    ),
    "an error of a job": (
        "INSERT INTO job (id, kind, key, ref, due_at, attempts, problem)"
        " VALUES ('1', 'x', 'x', 'x', 0, 1, 'no such mailbox: {value}')",
    ),
    "the terms of a message": (
        "INSERT INTO message (id, key, person_id, class, template, terms, at, state, because)"
        " VALUES ('1', 'x', '2', 'x', 'x', '{{\"name\": \"{value}\"}}', 0, 'sent', '')",
    ),
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS.keys())
def test_a_value_that_leaked_into_another_table_is_found(site: Site, leak: tuple[str, ...]) -> None:
    """Something copies each address that comes in to a place that erasing does not know."""
    blob = "BLOB" if site.engine.dialect.name == "sqlite" else "BYTEA"
    assert canary.search(site, ["ann@canary.test"]) == 0
    with site.writing() as conn:
        for statement in leak:
            conn.execute(text(statement.format(value="ann@canary.test", blob=blob)))
    assert canary.search(site, ["ann@canary.test", "nobody@canary.test"]) == 1


LEAKING = {
    "sqlite": (
        "CREATE TABLE export_2019 (line TEXT)",
        "CREATE TRIGGER leak AFTER INSERT ON dealing BEGIN INSERT INTO export_2019 VALUES (NEW.ref); END",
    ),
    "postgresql": (
        "CREATE TABLE export_2019 (line TEXT)",
        "CREATE FUNCTION leak() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO export_2019 VALUES (NEW.ref); RETURN NEW; END $$",
        "CREATE TRIGGER leak AFTER INSERT ON dealing FOR EACH ROW EXECUTE FUNCTION leak()",
    ),
}


def test_a_leak_breaks_the_promise_of_erasure(site: Site, store_kind: StoreKind) -> None:
    """A careless colleague taught the database to copy every dealing into a table that erasing does not know."""
    with site.writing() as conn:
        for statement in LEAKING[store_kind]:
            conn.exec_driver_sql(statement)
    proofs = {one.promise.id: one.proof for one in prove(site).proven}
    assert proofs["rights.erasure"].verdict == "broken"
    assert proofs["rights.erasure"].measured == "something of an erased person is still there"
    assert proofs["erasure"].verdict == "broken"
    assert "a made-up person was not erased" in proofs["erasure"].measured


def test_a_visit_partition_is_searched_too(site: Site) -> None:
    with site.writing() as conn:
        ensure_days(conn, [date(2026, 1, 5)])
        at = {"at": 1_767_600_000_000_000, "body": b"GET /?mail=ann@canary.test"}
        conn.execute(text("INSERT INTO visit_20260105 (at, id, body) VALUES (:at, 'x', :body)"), at)
    assert canary.search(site, ["ann@canary.test"]) >= 1


def test_the_key_store_is_searched_too(site: Site) -> None:
    with site.keys.begin() as conn:
        conn.execute(text("CREATE TABLE notes (line TEXT)"))
        conn.execute(text("INSERT INTO notes VALUES ('call ann@canary.test')"))
    assert canary.search(site, ["ann@canary.test"]) == 1


def test_a_flight_that_was_cut_short_is_cleared_away_by_the_next(site: Site) -> None:
    values = {"email": "canary1@canary.test", "full_name": "canary1 made up"}
    left = collect(site, Submission("register", values, "canary1")).person_id
    with site.writing() as conn:
        ledger.append(conn, site.now(), events.CANARY_PLANTED, {"person": left, "point": "register"})
    assert canary.fly(site).failed == {}
    with site.reading() as conn:
        assert conn.scalar(select(func.count()).select_from(person)) == 0


def test_people_who_are_no_canaries_are_left_alone(site: Site) -> None:
    ann = collect(site, Submission("contact", {"email": "ann@shop.test", "question": "?"}, "s1")).person_id
    canary.fly(site)
    with site.reading() as conn:
        assert conn.scalars(select(person.c.id)).all() == [ann]
        assert conn.scalar(select(func.count()).select_from(entry).where(entry.c.event == "canary:searched")) == 1
