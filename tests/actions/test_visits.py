"""Visits: exactly what is declared, hidden to the microsecond, physically gone with the sweep, unreadable in a backup."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from tests.fixtures import START, days
from troth.clock import MovedClock
from troth.errors import Refused
from troth.evidence.prove import prove
from troth.people.rotation import rotate
from troth.people.vault import By
from troth.retention.alarms import alarms
from troth.store import versions
from troth.store.engines import open_engine
from troth.store.site import Site
from troth.verdicts import Verdict
from troth.visits import daykeys, rules
from troth.visits.actions import Visit, read, record, record_many
from troth.visits.partitions import days_present, ensure_days, table_of
from troth.visits.sweep import oldest, overdue, sweep
from troth.visits.tables import day_key

REQUEST = {
    "pd:IPAddress": "203.0.113.77",
    "url": "/lamps/7?token=s3cret#top",
    "pd:DeviceBased": "device-55",
    "Authorization": "Bearer s3cret",
    "body": "card=4111",
}
STAFF = By("staff", "marketing")
MOMENT = timedelta(microseconds=1)


def visit(site: Site, request: dict[str, str] | None = None) -> None:
    with site.writing() as conn:
        record(site, conn, request or REQUEST)


def seen(site: Site) -> list[Visit]:
    return list(read(site, "improvement", STAFF))


def physically(site: Site) -> int:
    with site.reading() as conn:
        return sum(len(conn.execute(table_of(day).select()).all()) for day in days_present(conn))


def change_policy(site: Site, old: str, new: str) -> None:
    policy = (site.folder / "policy.yaml").read_text()
    assert old in policy
    changed = policy.replace("{version: 1,", "{version: 2,", 1).replace(old, new)
    decisions = (site.folder / "decisions.yaml").read_text()
    with site.writing() as conn:
        versions.archive(conn, changed, decisions, effective_at=site.now(), at=site.now())


def test_a_visit_leaves_one_row_with_exactly_the_declared_fields(site: Site) -> None:
    visit(site)
    assert seen(site) == [Visit(START, {"ip_address": "203.0.113.77", "url": "/lamps/7"})]
    assert physically(site) == 1


def test_nothing_else_of_the_request_is_anywhere_in_the_store(site: Site) -> None:
    visit(site)
    with site.reading() as conn:
        stored = repr([conn.execute(table_of(day).select()).all() for day in days_present(conn)])
    for secret in ("s3cret", "device-55", "4111", "203.0.113.77", "lamps"):
        assert secret not in stored  # the declared fields are sealed, the others never came in


@pytest.mark.parametrize("switched_off", ["keep: 30 days, recording: false}", "keep: 30 days, records: [time]}"])
def test_what_is_switched_off_is_not_stored(site: Site, switched_off: str) -> None:
    old = "visits: {records: [time, ip_address, url], for: [improvement], keep: 30 days}"
    new = old.replace("keep: 30 days}", switched_off)
    if "records: [time]" in switched_off:
        new = new.replace("records: [time, ip_address, url], ", "")
    change_policy(site, old, new)
    visit(site)
    assert not any("ip_address" in one.fields for one in seen(site))
    assert physically(site) == (1 if "records: [time]" in switched_off else 0)


def test_an_address_is_cut_to_its_network_when_the_policy_says_so(site: Site) -> None:
    change_policy(site, "for: [improvement], keep: 30 days}", "for: [improvement], keep: 30 days, truncate ip: true}")
    visit(site)
    visit(site, {"pd:IPAddress": "2001:db8:1:2:3::4"})
    visit(site, {"pd:IPAddress": "not an address"})
    assert {one.fields.get("ip_address") for one in seen(site)} == {"203.0.113.0", "2001:db8:1::", None}
    assert proven(site) == "kept"


def test_an_address_that_is_not_cut_breaks_the_promise_to_cut_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    change_policy(site, "for: [improvement], keep: 30 days}", "for: [improvement], keep: 30 days, truncate ip: true}")
    monkeypatch.setattr(rules, "address", lambda value, _: value)
    visit(site)
    assert {one.fields.get("ip_address") for one in seen(site)} == {"203.0.113.77"}
    monkeypatch.undo()
    assert proven(site) == "broken"


def proven(site: Site) -> Verdict:
    """Whether what is kept of visits is kept as promised."""
    return next(one.proof.verdict for one in prove(site).proven if one.promise.id == "visits.records")


def test_a_visit_is_hidden_at_thirty_days_to_the_moment_and_gone_with_the_next_sweep(
    site: Site, clock: MovedClock
) -> None:
    visit(site)
    clock.at = START + days(30) - timedelta(minutes=1)
    sweep(site)
    assert len(seen(site)) == 1
    clock.at = START + days(30) - MOMENT
    assert len(seen(site)) == 1
    clock.at = START + days(30)
    assert seen(site) == []
    assert physically(site) == 1
    assert sweep(site) == 1
    assert physically(site) == 0


def test_a_day_is_dropped_when_its_last_visit_has_expired(site: Site, clock: MovedClock) -> None:
    visit(site)
    clock.move(timedelta(hours=6))
    visit(site)
    clock.at = START + days(30) + timedelta(hours=1)
    assert sweep(site) == 1
    with site.reading() as conn:
        assert START.date() in days_present(conn)
    clock.move(days(1))
    assert sweep(site) == 1
    with site.reading() as conn:
        assert START.date() not in days_present(conn)
    assert daykeys.keys_of(site, [START.date()]) == {}


def test_a_restored_backup_brings_no_visit_back(site: Site, clock: MovedClock) -> None:
    visit(site)
    with site.reading() as conn:
        backup = conn.execute(table_of(START.date()).select()).all()
    clock.move(days(32))
    sweep(site)
    with site.writing() as conn:  # the data store is restored; keys are outside its backups
        ensure_days(conn, [START.date()])
        conn.execute(table_of(START.date()).insert(), [row._asdict() for row in backup])
    assert seen(site) == []
    clock.at = START + days(1)  # even where the clock is set back, the key is gone
    assert seen(site) == []
    assert daykeys.keys_of(site, [START.date()]) == {}


def test_nothing_of_a_swept_visit_stays_in_the_files(
    tmp_path: Path, site: Site, clock: MovedClock, store_kind: str
) -> None:
    if store_kind != "sqlite":
        pytest.skip("the files of a server are not the test's to read")
    visit(site)
    with site.reading() as conn:
        body = conn.execute(table_of(START.date()).select()).one().body
    path = Path(str(site.engine.url.database))
    files = [path, path.with_name(path.name + "-wal")]
    assert any(body in file.read_bytes() for file in files if file.exists())
    clock.at = START + days(30)
    sweep(site)
    assert not any(body in file.read_bytes() for file in files if file.exists())


def test_a_dropped_day_leaves_nothing_that_anybody_could_read(
    tmp_path: Path, site: Site, clock: MovedClock, store_kind: str
) -> None:
    if store_kind != "sqlite":
        pytest.skip("the files of a server are not the test's to read")
    visit(site)
    day, data, keys = START.date(), *(Path(str(engine.url.database)) for engine in (site.engine, site.keys))
    with site.keys.connect() as conn:
        wrapped = conn.execute(select(day_key.c.wrapped)).scalar_one()
    assert _in_files(keys, wrapped)
    clock.move(days(32))
    assert sweep(site) == 1
    assert day not in visits_days(site)
    assert not any(
        _in_files(data, plain) for plain in (b"203.0.113.77", b"/lamps", b"device-55")
    )  # what is left is sealed
    assert not _in_files(keys, wrapped)  # and what it opened with is overwritten
    with site.reading() as conn:
        assert conn.exec_driver_sql("PRAGMA secure_delete").scalar_one() == 1  # for whatever is deleted next


def visits_days(site: Site) -> list[date]:
    with site.reading() as conn:
        return days_present(conn)


def _in_files(path: Path, words: bytes) -> bool:
    files = (path, path.with_name(path.name + "-wal"))
    return any(words in file.read_bytes() for file in files if file.exists())


def test_a_sweeper_that_stopped_is_an_alarm(site: Site, clock: MovedClock) -> None:
    visit(site)
    sweep(site)
    assert "visits" not in {one.subject for one in alarms(site) if one.kind == "sweeper stopped"}
    clock.move(days(31))
    late = {(one.kind, one.subject) for one in alarms(site, overdue(site))}
    assert {("sweeper stopped", "visits"), ("visits overdue", "visits")} <= late
    sweep(site)
    assert not {one.subject for one in alarms(site, overdue(site))} & {"visits"}


def test_visits_are_read_for_their_purposes_only_and_every_reading_is_on_the_ledger(site: Site) -> None:
    visit(site)
    with pytest.raises(Refused):
        read(site, "marketing", STAFF)
    assert len(seen(site)) == 1
    with site.reading() as conn:
        rows = conn.execute(text("SELECT event, body FROM ledger_entry ORDER BY id")).all()
    told = [(row.event, json.loads(row.body)["ask"]["purpose"]) for row in rows if "read_visits" in row.body]
    assert told == [("decision:refused", "marketing"), ("decision:made", "improvement")]


def test_buffered_visits_keep_their_own_instants_and_the_expired_are_left_out(site: Site, clock: MovedClock) -> None:
    buffered = [(START - days(n), {"url": f"/{n}"}) for n in (40, 30, 29, 1, 0)]
    with site.writing() as conn:
        assert record_many(site, conn, buffered) == 3
    assert [one.fields["url"] for one in seen(site)] == ["/29", "/1", "/0"]
    since = list(read(site, "improvement", STAFF, since=START - days(1)))
    assert [one.fields["url"] for one in since] == ["/0"]


def test_many_visits_are_streamed_whole_and_in_order(site: Site) -> None:
    buffered = [(START - timedelta(seconds=n // 3), {"url": f"/{n}"}) for n in range(2500)]
    with site.writing() as conn:
        record_many(site, conn, buffered)
    found = seen(site)
    assert {one.fields["url"] for one in found} == {f"/{n}" for n in range(2500)}
    assert [one.at for one in found] == sorted(one.at for one in found)


def test_a_policy_that_keeps_no_visits_any_more_lets_the_old_ones_go(site: Site) -> None:
    visit(site)
    change_policy(site, "visits: {records: [time, ip_address, url], for: [improvement], keep: 30 days}", "")
    visit(site)
    assert sweep(site) == 1
    with site.reading() as conn:
        assert oldest(conn) is None


def test_the_tables_of_coming_days_are_made_ahead(site: Site) -> None:
    sweep(site)
    with site.reading() as conn:
        assert days_present(conn) == [START.date() + timedelta(days=n) for n in range(3)]


def test_the_parent_table_is_only_made_where_it_has_partitions(site: Site, store_kind: str) -> None:
    visit(site)
    with site.reading() as conn:
        found = text("SELECT count(*) FROM visit")
        if store_kind == "postgresql":
            assert conn.scalar(found) == 1
        else:
            names = conn.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
            assert "visit" not in names


def test_two_processes_that_begin_a_day_share_its_key(site: Site) -> None:
    first = daykeys.keys_for(site, [START.date()])
    keys = open_engine(site.keys.url.render_as_string(hide_password=False), site.folder)
    assert daykeys.keys_for(replace(site, keys=keys), [START.date()]) == first
    keys.dispose()


def test_visits_stay_readable_and_are_recorded_while_the_site_key_changes(site: Site) -> None:
    visit(site)
    rotate(site)
    visit(site)
    assert len(seen(site)) == 2
