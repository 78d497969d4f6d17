"""A backup that is put back brings nobody back, forgets no refusal and says nothing twice."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text

from tests.backups import keys, people, rows
from tests.fixtures import days
from tests.operators import mailing
from tests.restoring import WHY, erase, register
from troth import ledger
from troth.clock import MovedClock
from troth.consent.actions import choices, record
from troth.consent.stops.actions import facts, stop
from troth.errors import InvalidInput, StoreError, Unverifiable
from troth.ledger import events
from troth.ledger.heads import look
from troth.ledger.walk import unmoving
from troth.messages.actions import queue
from troth.messages.mailbox import Mailbox
from troth.people import vault
from troth.people.tables import holding
from troth.people.vault import By
from troth.reconcile import reconcile
from troth.reconcile.reconcile import Before
from troth.restoring.backup import backup
from troth.restoring.drill import drill
from troth.restoring.release import release, waiting
from troth.restoring.restore import restore
from troth.retention import entering
from troth.retention.due import shapes
from troth.retention.ending import begin_ending, destroy_due
from troth.retention.ending import restore as undo
from troth.store.secret import new_ring, read_ring, secret_path, write_secret
from troth.store.site import Site
from troth.work import turn

OFFER = {"subject_line": "Lamps", "paragraphs": ["New lamps are here."]}


def name_of(site: Site, person_id: str) -> str | None:
    reading = vault.read(site, person_id, ["full_name"], "service", By("system"))
    return reading.values.get("full_name")


def test_nobody_who_was_erased_since_comes_back(site: Site, tmp_path: Path, clock: MovedClock) -> None:
    everybody = register(site, 14)
    backup(site, tmp_path / "monday")
    clock.move(days(1))
    for person_id in everybody[:10]:
        erase(site, person_id)
    destroy_due(site)
    erase(site, everybody[10], by=20)
    ledger.seal(site)
    done = restore(site, tmp_path / "monday", **WHY)
    assert done.replayed.done["people and fields destroyed again"] == 10
    assert done.replayed.done["people and fields in quarantine again"] == 1
    assert people(site) == set(everybody[11:])
    assert keys(site) == set(everybody[10:])
    assert name_of(site, everybody[11]) == "Ann Other"
    assert (look(site), ledger.verify(site).verdict) == (None, "whole")
    assert "A backup was restored on 2026-01-06 09:00 UTC by engineer: the disk failed" in ledger.verify(site).line()
    assert not list(site.folder.rglob("*restor*"))


def test_what_people_said_no_to_since_stays_refused(site: Site, tmp_path: Path, clock: MovedClock) -> None:
    ann, eve, bob = register(site, 3)
    backup(site, tmp_path / "monday")
    clock.move(days(1))
    policy = site.policy()
    with site.writing() as conn:
        record(site, conn, ann, "marketing", "withdrawn", "", "en", "letter", policy)
        record(site, conn, eve, "market_facts", "objected", "", "en", "letter", policy)
        record(site, conn, bob, "market_facts", "given", "words that nobody had seen before", "en", "letter", policy)
        stop(site, conn, "marketing", by="privacy lead", because="a complaint", policy=policy)
    restore(site, tmp_path / "monday", **WHY)
    with site.reading() as conn:
        found = choices(conn, [ann, eve, bob])
        assert {(one.scope, one.state) for one in found[ann]} == {("marketing", "withdrawn")}
        assert ("market_facts", "objected") in {(one.scope, one.state) for one in found[eve]}
        assert "market_facts" not in {one.scope for one in found[bob]}
        assert facts(conn, ["marketing"]) == {"stop:marketing"}


def test_an_erasure_that_was_taken_back_since_is_taken_back_again(
    site: Site, tmp_path: Path, clock: MovedClock
) -> None:
    ann, eve = register(site, 2)
    ended = erase(site, ann, by=20)
    erase(site, eve, by=20)
    backup(site, tmp_path / "monday")
    with site.writing() as conn:
        undo(site, conn, ended)
    clock.move(days(30))
    destroy_due(site)
    done = restore(site, tmp_path / "monday", **WHY)
    assert (done.replayed.done["endings undone"], done.replayed.done["endings destroyed again"]) == (1, 1)
    assert (people(site), keys(site)) == ({ann}, {ann})


def test_what_was_sent_is_not_sent_twice(site: Site, tmp_path: Path, mailbox: Mailbox, clock: MovedClock) -> None:
    shop = mailing(site, mailbox)
    for number, person_id in enumerate(register(shop, 10)):
        with shop.writing() as conn:
            assert queue(shop, conn, person_id, "offers", "letter", OFFER, f"spring-{number}")
    backup(shop, tmp_path / "monday")
    turn(shop)
    before = len(mailbox.messages())
    assert before >= 10
    done = restore(shop, tmp_path / "monday", **WHY)
    assert done.replayed.done.get("messages sent", 0) >= 10
    for _ in range(3):
        clock.move(days(0.1))
        turn(shop)
    assert len(mailbox.messages()) == before
    assert not waiting(shop)
    release(shop, "privacy_lead")
    turn(shop)
    assert len(mailbox.messages()) == before


def test_what_came_in_since_is_counted_and_the_record_of_it_stays(site: Site, tmp_path: Path) -> None:
    register(site, 2)
    backup(site, tmp_path / "monday")
    register(site, 3, first=10)
    entries = ledger.verify(site).entries
    done = restore(site, tmp_path / "monday", **WHY)
    assert done.replayed.lost["person:admitted"] == 3
    assert (len(people(site)), rows(site, holding) > 0) == (2, True)
    assert ledger.verify(site).entries > entries


def test_no_row_of_a_restored_site_looks_as_if_somebody_else_had_written_it(
    site: Site, tmp_path: Path, clock: MovedClock
) -> None:
    ann, eve, bob = register(site, 3)
    backup(site, tmp_path / "monday")
    clock.move(days(1))
    turn(site)
    erase(site, ann)
    destroy_due(site)
    with site.writing() as conn:
        record(site, conn, eve, "marketing", "withdrawn", "", "en", "letter", site.policy())
        queue(site, conn, bob, "offers", "letter", OFFER, "spring")
    ledger.seal(site)
    restore(site, tmp_path / "monday", **WHY)
    turn(site)
    with unmoving(site) as conn:
        assert reconcile(site, conn, Before()) == ()


# --- what is wrong is told apart -----------------------------------------------------------------------------------------


def wrong_key(site: Site, folder: Path) -> None:
    write_secret(secret_path(site), new_ring())


def damaged(site: Site, folder: Path) -> None:
    path = next(folder.glob("data.*"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def stale(site: Site, folder: Path) -> None:
    Path(f"{next(folder.glob('data.*'))}-wal").write_bytes(b"of another database")


def changed(site: Site, folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"size": ', '"size": 1'))


def cut_short(site: Site, folder: Path) -> None:
    next(folder.glob("keys.*")).unlink()


WRONG: dict[Callable[[Site, Path], None], tuple[str, str]] = {
    wrong_key: ("site key here is not the one", "secret that belongs"),
    damaged: ("is damaged", "another copy"),
    stale: ("which no backup has", "remove them"),
    changed: ("manifest of the backup was changed", "another copy"),
    cut_short: ("is not in", "--keys-from"),
}


@pytest.mark.parametrize("harm", WRONG)
def test_what_is_wrong_with_a_backup_is_told_apart(
    site: Site, tmp_path: Path, harm: Callable[[Site, Path], None]
) -> None:
    before = register(site, 2)
    backup(site, tmp_path / "monday")
    register(site, 1, first=5)
    harm(site, tmp_path / "monday")
    message, hint = WRONG[harm]
    with pytest.raises((StoreError, Unverifiable)) as raised:
        restore(site, tmp_path / "monday", **WHY)
    assert message in raised.value.message
    assert hint in raised.value.hint
    assert len(people(site)) == len(before) + 1


def test_the_backup_of_another_site_and_a_reason_that_is_missing_are_refused(site: Site, tmp_path: Path) -> None:
    register(site, 1)
    backup(site, tmp_path / "monday")
    with pytest.raises(StoreError, match="is there already"):
        backup(site, tmp_path / "monday")
    with pytest.raises(StoreError, match="There is no backup"):
        restore(site, tmp_path, **WHY)
    with pytest.raises(InvalidInput):
        restore(site, tmp_path / "monday", because="", by="engineer")


def test_nothing_is_exchanged_while_another_process_has_a_store_open(site: Site, tmp_path: Path) -> None:
    from troth.store.engines import open_engine

    register(site, 1)
    backup(site, tmp_path / "monday")
    other = open_engine(site.engine.url.render_as_string(hide_password=False), site.folder)
    with other.connect() as conn:
        conn.execute(text("SELECT count(*) FROM person")).scalar()
        conn.commit()
        with pytest.raises(StoreError, match="in use"):
            restore(site, tmp_path / "monday", **WHY)
    other.dispose()


def test_a_backup_is_its_owners_alone_and_holds_nothing_in_clear(site: Site, tmp_path: Path) -> None:
    register(site, 1)
    backup(site, tmp_path / "monday", tmp_path / "keys")
    for folder in (tmp_path / "monday", tmp_path / "keys"):
        assert folder.stat().st_mode & 0o777 == 0o700
        for file in folder.iterdir():
            assert file.stat().st_mode & 0o777 == 0o600
            assert b"ann0@shop.example" not in file.read_bytes()
    assert {file.stem for file in (tmp_path / "monday").iterdir()} == {"data", "manifest"}
    assert {file.stem for file in (tmp_path / "keys").iterdir()} == {"keys", "manifest"}
    names = [one.name for one in tmp_path.iterdir()]
    assert not [one for one in names if one.startswith(".")]
    with site.reading() as conn:
        assert conn.scalar(
            select(text("count(*)")).select_from(text("ledger_entry")).where(text("event = 'backup:made'"))
        )


# --- a drill -------------------------------------------------------------------------------------------------------------


def test_a_drill_finds_whom_a_backup_could_bring_back(site: Site, tmp_path: Path, clock: MovedClock) -> None:
    everybody = register(site, 5)
    backup(site, tmp_path / "monday")
    assert drill(site, tmp_path / "monday").passed
    for person_id in everybody[:2]:
        erase(site, person_id)
    destroy_due(site)
    found = drill(site, tmp_path / "monday", within=days(35))
    assert (found.passed, found.whole, found.people, found.erased, found.back) == (True, True, 5, 0, 0)
    clock.move(days(36))
    found = drill(site, tmp_path / "monday", within=days(35))
    assert (found.passed, found.erased, found.back) == (False, 2, 2)
    backup(site, tmp_path / "today")
    assert drill(site, tmp_path / "today", within=days(35)).passed
    assert len(people(site)) == 3
    with site.reading() as conn:
        told = conn.scalars(text(f"SELECT body FROM ledger_entry WHERE event = '{events.BACKUP_DRILLED}' ORDER BY id"))
        assert [json.loads(one)["passed"] for one in told] == [True, True, False, True]
    assert read_ring(site)
    assert ledger.verify(site).verdict == "whole"


REQUEST = "request:01ke6xqg800123456789abcde"


def older(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Endings are entered as they were before their bodies said of what they are."""
    told = entering._told

    def without(one: entering.Entered) -> ledger.Told:
        event, body = told(one)
        return event, {key: value for key, value in body.items() if key not in {"scope", "fields"}}

    monkeypatch.setattr(entering, "_told", without)


@pytest.mark.parametrize("destroyed", [True, False])
def test_an_older_ending_of_some_fields_never_ends_the_person(
    site: Site, tmp_path: Path, clock: MovedClock, monkeypatch: pytest.MonkeyPatch, destroyed: bool
) -> None:
    ann, bob, eve = register(site, 3)
    backup(site, tmp_path / "monday")
    clock.move(days(1))
    older(site, monkeypatch)
    by = site.now() if destroyed else site.now() + days(20)
    with site.writing() as conn:
        begin_ending(site, conn, ann, f"{REQUEST}1", by, scope="fields", fields=["phone"])
        begin_ending(site, conn, bob, f"{REQUEST}2", by)
    destroy_due(site)
    ledger.seal(site)
    done = restore(site, tmp_path / "monday", **WHY).replayed.done
    left_out = done["endings left out, of which the ledger does not say what ended"]
    if destroyed:
        assert (left_out, people(site), keys(site)) == (1, {ann, eve}, {ann, eve})
        assert done["people and fields destroyed again"] == 1
    else:
        assert (left_out, people(site), keys(site)) == (2, {ann, bob, eve}, {ann, bob, eve})
    assert name_of(site, ann) == "Ann Other"


def test_an_ending_of_some_fields_ends_those_again_and_no_others(site: Site, tmp_path: Path, clock: MovedClock) -> None:
    ann, _ = register(site, 2)
    backup(site, tmp_path / "monday")
    clock.move(days(1))
    with site.writing() as conn:
        begin_ending(site, conn, ann, f"{REQUEST}1", site.now(), scope="fields", fields=["phone"])
    destroy_due(site)
    ledger.seal(site)
    done = restore(site, tmp_path / "monday", **WHY).replayed.done
    assert done["people and fields destroyed again"] == 1
    assert ann in people(site)
    assert name_of(site, ann) == "Ann Other"
    with site.reading() as conn:
        assert "phone" not in {field for one in shapes(conn) for field in one.fields if _held(conn, ann, one.id)}


def _held(conn: Connection, person_id: str, shape_id: int) -> bool:
    mine = holding.c.person_id == person_id, holding.c.shape_id == shape_id
    return conn.execute(select(holding.c.id).where(*mine)).first() is not None
