"""The canary: it flies on every site with a form, finds what was left behind, and leaves nothing itself."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, inspect, select, table, text

from tests.databases import StoreKind
from tests.first_day import data_tables_made
from tests.fixtures import days
from tests.flights import walking_only
from tests.policies import NAMES, SITES
from tests.rehearsals import few_in_every_run
from tests.restoring import erase, register
from tests.versions import publish_next
from troth import ledger
from troth.clock import MovedClock, utc
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.errors import Refused
from troth.evidence import canary
from troth.evidence import walks as walking
from troth.evidence.asker import Asker, kept_on, made_up_form
from troth.evidence.prove import prove
from troth.evidence.replay import Replay
from troth.evidence.searching import search
from troth.evidence.walks import walks
from troth.ledger import events
from troth.ledger.export import export
from troth.ledger.seal import seal
from troth.ledger.tables import entry
from troth.ledger.verify import verify
from troth.messages import compose as composing
from troth.messages.publish import publish
from troth.people.keyring import make_site_key
from troth.people.tables import person, person_key
from troth.retention import ending
from troth.rights.copy import as_json
from troth.rights.tables import request
from troth.store import versions
from troth.store.prepare import prepare
from troth.store.site import Site, open_site
from troth.visits.partitions import ensure_days
from troth.web.inside import Inside

TODAY = utc(2026, 11, 20, 9)
ON_STORES = [(name, "sqlite") for name in NAMES] + few_in_every_run(NAMES, "postgresql")


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


@pytest.mark.parametrize(("operator", "store_kind"), ON_STORES, indirect=True)
def test_the_canary_flies_on_every_site_that_has_a_form_and_finds_no_promise_broken(operator: Site) -> None:
    report = prove(operator, door=Inside)
    assert [(one.promise.id, one.proof) for one in report.broken] == []
    assert report.summary["kept"] > 10
    with operator.reading() as conn:
        flown = canary.last(conn, operator)
    assert flown.failed == {}
    offered = {name for names, _, _ in walks(operator.policy()) for name in names}
    assert {"collect", "purpose"} < set(flown.steps) <= offered
    assert offered - set(flown.steps) <= {"rights.law_withdrawal"}  # a site whose forms ask for no consent


def test_a_flight_leaves_one_entry_on_the_ledger_and_nothing_else(site: Site) -> None:
    def rows() -> dict[str, int]:
        found = {}
        for engine in (site.engine, site.keys):
            with engine.connect() as conn:
                tables = [table(name) for name in inspect(conn).get_table_names()]
                found |= {one.name: conn.scalar(select(func.count()).select_from(one)) or 0 for one in tables}
        return found

    before = rows()
    flown = canary.fly(site, Inside)
    assert flown.failed == {} and len(flown.steps) > 4
    after = rows()
    assert {name: after[name] - number for name, number in before.items() if after[name] != number} == {entry.name: 1}


def test_it_flies_again_and_the_last_flight_is_what_counts(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    walking_only(monkeypatch, "rights.")
    first, second = canary.fly(site, Inside), canary.fly(site, Inside)
    assert first.failed == second.failed == {}
    with site.reading() as conn:
        assert canary.last(conn, site) == second
    site.clock.move(days(8))  # type: ignore[attr-defined]
    with site.reading() as conn:
        assert canary.last(conn, site).steps == ()


def test_a_flight_that_is_killed_leaves_nothing_behind(site: Site, tmp_path: Path) -> None:
    """Killed in the middle of a walk, with everything of the canary written and nothing of it committed."""
    if site.engine.dialect.name != "sqlite":
        pytest.skip("the same transaction, on the other store")
    pid = os.fork()
    if not pid:
        site.close()
        walked = Asker.purpose
        Asker.purpose = lambda self: walked(self) and os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment,method-assign,return-value]
        canary.fly(site, Inside)
        os._exit(0)
    assert os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    with site.reading() as conn:
        assert conn.scalar(select(func.count()).select_from(person)) == 0
        assert conn.scalar(select(func.count()).select_from(request)) == 0
    with site.keys.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(person_key)) == 0


def test_with_every_request_refused_no_right_is_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lie: pages that say yes to everybody, and an intake that does nothing."""

    def refused(*_: object, **__: object) -> None:
        raise Refused("Nothing is taken in.")

    proven = {one.promise.id: one.proof.verdict for one in prove(site, door=Inside).proven}
    kept = {key for key, verdict in proven.items() if key.startswith("rights.") and verdict == "kept"}
    assert kept
    monkeypatch.setattr("troth.rights.intake.receive_in", refused)
    proven = {one.promise.id: one.proof.verdict for one in prove(site, door=Inside).proven}
    assert {key: proven[key] for key in kept} == dict.fromkeys(kept, "broken")


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
    assert search(site, ["ann@canary.test"]) == 0
    with site.writing() as conn:
        for statement in leak:
            conn.execute(text(statement.format(value="ann@canary.test", blob=blob)))
    assert search(site, ["ann@canary.test", "nobody@canary.test"]) == 1


@pytest.mark.parametrize(
    "spelled",
    [
        "GET /?to=ann%40canary.test",
        "<a>ann&#64;canary.test</a>",
        "tel: 020 7946 0123",
        "tel=02079460123",
        "+442079460123",
        "020-7946-0123",
        "tel=%2B44%2020%207946%200123",
    ],
)
def test_a_value_is_found_in_other_spellings(site: Site, spelled: str) -> None:
    values = ["ann@canary.test", "+44 20 7946 0123"]
    with site.writing() as conn:
        conn.execute(text("CREATE TABLE export_2019 (line TEXT)"))
        conn.execute(text("INSERT INTO export_2019 VALUES ('tel=020 7946 0124, bob%40canary.test')"))
        conn.execute(text("INSERT INTO export_2019 VALUES (:line)"), {"line": spelled})
    assert search(site, values) == 1


LEAKING = {
    "sqlite": (
        "CREATE TABLE export_2019 (line TEXT)",
        "CREATE TRIGGER leak AFTER INSERT ON holding BEGIN INSERT INTO export_2019 VALUES (NEW.person_id); END",
    ),
    "postgresql": (
        "CREATE TABLE export_2019 (line TEXT)",
        "CREATE FUNCTION leak() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO export_2019 VALUES (NEW.person_id); RETURN NEW; END $$",
        "CREATE TRIGGER leak AFTER INSERT ON holding FOR EACH ROW EXECUTE FUNCTION leak()",
    ),
}


def test_a_leak_breaks_the_promise_of_erasure(site: Site, store_kind: StoreKind) -> None:
    """A careless colleague taught the database to copy whom each record is about into a table that erasing does not know."""
    with site.writing() as conn:
        for statement in LEAKING[store_kind]:
            conn.exec_driver_sql(statement)
    proofs = {one.promise.id: one.proof for one in prove(site, door=Inside).proven}
    assert proofs["rights.erasure"].verdict == "broken"
    assert proofs["rights.erasure"].measured == "something of an erased person is still there"
    assert proofs["erasure"].verdict == "broken"
    assert "a made-up person was not erased" in proofs["erasure"].measured


def _with_an_archive_of_addresses(site: Site) -> None:
    """No form can do without what the law makes the operator keep."""
    old = "books: {what: order_total, keep"
    policy, decisions = ((site.folder / name).read_text("utf-8") for name in ("policy.yaml", "decisions.yaml"))
    changed = policy.replace("{version: 1,", "{version: 2,", 1).replace(old, "books: {what: [order_total, email], keep")
    assert old in policy
    with site.writing() as conn:
        versions.archive(conn, changed, decisions, effective_at=site.now(), at=site.now())
    assert made_up_form(site.policy()) and kept_on(site.policy(), made_up_form(site.policy()) or "") == {"email"}


def test_what_an_archive_keeps_is_no_failed_erasure(site: Site) -> None:
    _with_an_archive_of_addresses(site)
    flown = canary.fly(site, Inside)
    assert "rights.erasure" in flown.steps and "rights.erasure" not in flown.failed


def test_a_leak_is_found_although_an_archive_keeps_something(site: Site, store_kind: StoreKind) -> None:
    _with_an_archive_of_addresses(site)
    with site.writing() as conn:
        for statement in LEAKING[store_kind]:
            conn.exec_driver_sql(statement)
    assert "rights.erasure" in canary.fly(site, Inside).failed


def test_what_is_left_in_an_archive_for_a_purpose_that_it_does_not_allow_is_found(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_an_archive_of_addresses(site)
    destroyed = walking.destroy

    def destroy(site: Site, ending_id: str) -> None:
        destroyed(site, ending_id)
        with site.writing() as conn:
            conn.execute(text("UPDATE holding SET only_for = only_for || ' marketing'"))

    monkeypatch.setattr(walking, "destroy", destroy)
    assert "rights.erasure" in canary.fly(site, Inside).failed


def test_a_visit_partition_is_searched_too(site: Site) -> None:
    with site.writing() as conn:
        ensure_days(conn, [date(2026, 1, 5)])
        at = {"at": 1_767_600_000_000_000, "body": b"GET /?mail=ann@canary.test"}
        conn.execute(text("INSERT INTO visit_20260105 (at, id, body) VALUES (:at, 'x', :body)"), at)
    assert search(site, ["ann@canary.test"]) >= 1


def test_the_key_store_is_searched_too(site: Site) -> None:
    with site.keys.begin() as conn:
        conn.execute(text("CREATE TABLE notes (line TEXT)"))
        conn.execute(text("INSERT INTO notes VALUES ('call ann@canary.test')"))
    assert search(site, ["ann@canary.test"]) == 1


def test_who_an_old_ledger_calls_made_up_counts_as_everybody_does(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier version committed made-up people, and left them out of the counts. The lie: real people, called made up."""
    ann, bob = register(site, 2)
    erase(site, bob)
    with site.reading() as conn:
        before = Replay().heard(conn).replayed
    proven = {one.promise.id: one.proof.evidence for one in prove(site).proven}["erasure"]
    with site.writing() as conn, monkeypatch.context() as earlier:
        for name in ("canary:planted", "canary:removed"):
            earlier.setitem(events._sentences, name, "What an earlier version entered.")
            ledger.append_many(conn, site.now(), name, [{"person": one, "point": "register"} for one in (ann, bob)])
    with site.reading() as conn:
        assert Replay().heard(conn).replayed == before and before["*"].decisions > 1
    assert {one.promise.id: one.proof.evidence for one in prove(site).proven}["erasure"] == proven
    walking_only(monkeypatch, "collect")
    assert canary.fly(site, Inside).failed == {}
    with site.reading() as conn:
        assert conn.scalar(select(person.c.state).where(person.c.id == ann)) == "active"
    seal(site)
    assert verify(site).verdict == "whole"
    with (tmp_path / "ledger.jsonl").open("w") as out:
        export(site, out)
    lines = (tmp_path / "ledger.jsonl").read_text()
    assert lines.count("canary:planted") == lines.count("canary:removed") == 2


def test_entries_of_made_up_people_are_no_longer_written(site: Site) -> None:
    with site.writing() as conn, pytest.raises(ledger.NotForTheLedger):
        ledger.append(conn, site.now(), "canary:planted", {"person": "x"})


def test_people_who_are_no_canaries_are_left_alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    walking_only(monkeypatch, "rights.erasure")
    ann = collect(site, Submission("contact", {"email": "ann@shop.test", "question": "?"}, "s1")).person_id
    canary.fly(site, Inside)
    with site.reading() as conn:
        assert conn.scalars(select(person.c.id)).all() == [ann]
        assert conn.scalar(select(func.count()).select_from(entry).where(entry.c.event == "canary:searched")) == 1


@pytest.mark.parametrize("operator", ["optokingdom"], indirect=True)
def test_pages_without_their_headers_break_the_measure_that_speaks_of_them(
    operator: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    walking_only(monkeypatch, "security.")
    assert "security.safe_visits" in canary.fly(operator, Inside).steps
    monkeypatch.setattr("troth.web.guard._SECURED", ())
    proofs = {one.promise.id: one.proof for one in prove(operator, door=Inside).proven}
    assert proofs["security.safe_visits"].verdict == "broken"


def test_letters_without_their_link_break_the_promise_that_it_stops_them(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link works still; nobody is given it."""
    walking_only(monkeypatch, "messages.")
    flown = canary.fly(site, Inside)
    assert "messages.offers" in flown.steps and flown.failed == {}
    monkeypatch.setattr("troth.messages.actions.can_be_stopped", lambda *_: False)
    assert set(canary.fly(site, Inside).failed) == {"messages.offers"}


def test_a_letter_that_says_no_way_out_to_its_reader_breaks_the_promise(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mail programs find the link in the header; it stands in neither body."""
    walking_only(monkeypatch, "messages.")
    rendered = composing._rendered
    monkeypatch.setattr(composing, "_rendered", lambda letter: rendered(replace(letter, stop_link=None)))
    assert set(canary.fly(site, Inside).failed) == {"messages.offers"}


def test_a_restriction_that_restricts_nothing_breaks_the_right(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    walking_only(monkeypatch, "rights.")
    assert "rights.restriction" in canary.fly(site, Inside).steps
    monkeypatch.setattr("troth.people.facts.visible", lambda row, purpose: row.state == "active")
    assert set(canary.fly(site, Inside).failed) == {"rights.restriction"}


def test_an_erasure_that_leaves_people_in_use_until_the_deadline_breaks_the_right(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lie: everything is destroyed in time, and until then it is read as ever."""
    put_off: list[Callable[[], object]] = []
    walking_only(monkeypatch, "rights.")
    moved, departed, destroyed = ending.move_each, ending.depart_each, walking.destroy

    def later(done: Callable[..., object], nothing: object) -> Callable[..., object]:
        return lambda *given: put_off.append(partial(done, *given)) or nothing

    def destroy(*given: Any) -> None:
        while put_off:
            put_off.pop(0)()
        destroyed(*given)

    monkeypatch.setattr(ending, "move_each", later(moved, {}))
    monkeypatch.setattr(ending, "depart_each", later(departed, 0))
    monkeypatch.setattr(walking, "destroy", destroy)
    assert set(canary.fly(site, Inside).failed) == {"rights.erasure"}


@pytest.mark.parametrize("operator", ["ledflex"], indirect=True)
def test_a_copy_of_the_address_alone_breaks_the_right(operator: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    walking_only(monkeypatch, "rights.")
    whole = as_json._values
    email = re.compile(r'"email":"[^"]*"')
    monkeypatch.setattr(as_json, "_values", lambda item: ",".join(email.findall(whole(item))))
    copies = {
        f"rights.{key}" for key, one in operator.policy().policy.rights.items() if one.right in {"copy", "portability"}
    }
    assert copies and set(canary.fly(operator, Inside).failed) == copies


def test_what_was_tried_under_another_version_shows_nothing_of_this_one(
    site: Site, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same key may be another promise there: what the log-in of one version did says nothing of headers."""
    walking_only(monkeypatch, "collect")
    canary.fly(site, Inside)
    with site.reading() as conn:
        assert canary.last(conn, site).steps
    publish_next(site)
    clock.move(days(30))
    canary.fly(site, Inside)
    with site.reading() as conn:
        assert canary.last(conn, site).steps
    publish_next(site, number=3)
    clock.move(timedelta(days=6))
    with site.reading() as conn:
        version = site.policy(conn).version
        assert version == 2 and canary.last(conn, site).steps
        ahead = replace(site, clock=MovedClock(site.now() + days(20)))
        assert ahead.policy().version == 3 and canary.last(conn, ahead).steps == ()
