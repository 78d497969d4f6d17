"""Lies told to the stores with a database tool are seen at the next look, each by the promises that rest on it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import Column, Connection, PrimaryKeyConstraint, Table, UniqueConstraint, text

from tests.databases import StoreKind
from tests.promises.lies import METADATA, TOLD, Lie, Teller, engine_of, fill, other, tables, telling
from tests.promises.living import Living
from troth import ledger
from troth.consent.stops.actions import stop
from troth.evidence.bearing import borne
from troth.evidence.prove import prove
from troth.ids import new_id
from troth.ledger import events
from troth.people.spellings import TOKEN
from troth.proof import Proof, Proving
from troth.recipients.instructions import instruct
from troth.reconcile import Finding
from troth.reconcile.findings import Borne
from troth.reconcile.proofs import turned
from troth.reconcile.reconcile import Before, differences
from troth.reconcile.rows import _OTHERS as OTHERS
from troth.reconcile.rows import WRITTEN
from troth.reconcile.values import Wanted
from troth.retention.ending import destroy_due
from troth.retention.leaving import begin_endings
from troth.rights.intake import Intake, receive
from troth.settings import Delivery, MailWires
from troth.store.marks.arming import arm_now
from troth.store.marks.protected import COLUMN, UNPROTECTED, protected
from troth.store.secret import read_ring
from troth.store.site import Site

PARTS = [(store, table.name) for store in METADATA for table in tables(store)]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, living: Living, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One shop for all lies: each is undone before the next is told."""
    kind: StoreKind = request.param
    with living.copy(kind, tmp_path_factory.mktemp("lies") / "shop") as site:
        _lived(site)
        fill(site)
        yield site


def _lived(site: Site) -> None:
    """More of what the ledger names: a request, a stop, an instruction, and the version, which the shop was opened with."""
    receive(site, Intake("access", "letter", "letter:1", by="staff", text="What have you got of me?"))
    with site.writing() as conn:
        policy = site.policy(conn)
        stop(site, conn, "@newsletter_house", by="privacy lead", because="a complaint", policy=policy)
        conn.execute(text("UPDATE disclosure SET state = 'delivered'"))
        given = conn.scalar(text("SELECT min(person_id) FROM disclosure"))
        instruct(site, conn, new_id(site.now()), [given], site.now())
        ledger.append(conn, site.now(), events.POLICY_PUBLISHED, {"version": policy.version})


def seen(conn: Connection, store: str) -> list[Finding]:
    """What a look through this very connection finds; it is given the key for that."""
    arm_now(conn)
    return list(differences(conn, store, Before()))


def untouched(site: Site, store: str) -> list[Finding]:
    with engine_of(site, store).connect() as conn, conn.begin():
        return seen(conn, store)


def test_every_table_is_protected_or_says_why_not(shop: Site) -> None:
    declared = {name for metadata in METADATA.values() for name in metadata.tables}
    assert {name for name in declared if not protected(name)} == set(UNPROTECTED) - {"troth_schema"}
    assert all(reason.strip() for reason in UNPROTECTED.values())
    for store in METADATA:
        with telling(shop, store) as teller:
            assert [table.name for table in tables(store) if COLUMN not in teller.rows(table.name)[0]] == []


def test_a_shop_that_nobody_lied_to_has_no_difference(shop: Site) -> None:
    assert untouched(shop, "data") == untouched(shop, "keys") == []


@pytest.mark.parametrize(("store", "name"), PARTS, ids=str)
def test_every_column_changed_is_seen_in_its_row(shop: Site, store: str, name: str) -> None:
    table = METADATA[store].tables[name]
    believed = []
    for column in table.c:
        with telling(shop, store) as teller:
            _change(teller, name, column)
            found = seen(teller.conn, store)
            if not any(one.table == name and one.what == "changed" and one.row for one in found):
                believed.append(column.name)
    assert believed == []


def _change(teller: Teller, name: str, column: Column[Any]) -> None:
    """Another value in this column of one row."""
    row = teller.rows(name)[-1]
    mark = f'"{COLUMN}" = :{COLUMN}'
    value = other(column, row[column.name])
    assert (
        teller.tell(f'UPDATE "{name}" SET "{column.name}" = :new WHERE {mark}', new=value, **{COLUMN: row[COLUMN]}) == 1
    )


@pytest.mark.parametrize(("store", "name"), PARTS, ids=str)
def test_a_row_that_is_gone_is_missed(shop: Site, store: str, name: str) -> None:
    with telling(shop, store) as teller:
        gone = teller.rows(name)[0]
        assert teller.tell(f'DELETE FROM "{name}" WHERE {COLUMN} = :mark', mark=gone[COLUMN]) == 1
        assert Finding(name, "fewer", number=1) in seen(teller.conn, store)


@pytest.mark.parametrize(("store", "name"), PARTS, ids=str)
def test_a_row_that_stands_twice_is_seen(shop: Site, store: str, name: str) -> None:
    table = METADATA[store].tables[name]
    with telling(shop, store) as teller:
        row = teller.rows(name)[-1]
        teller.put(name, {key: other(table.c[key], row[key]) if key in unique(table) else row[key] for key in row})
        assert Finding(name, "more", number=1) in seen(teller.conn, store)


def unique(table: Table) -> set[str]:
    """The columns of which no two rows may have the same."""
    indexes = (index.columns for index in table.indexes if index.unique)
    constraints = (
        one.columns for one in table.constraints if isinstance(one, (UniqueConstraint, PrimaryKeyConstraint))
    )
    return {column.name for columns in (*indexes, *constraints) for column in columns}


@pytest.mark.parametrize(("store", "name"), PARTS, ids=str)
def test_a_row_as_it_once_was_is_seen_though_its_mark_fits(shop: Site, store: str, name: str) -> None:
    """Troth wrote it once, and changed it since: only the sum tells."""
    table = METADATA[store].tables[name]
    with telling(shop, store) as teller:
        old = teller.rows(name)[0]
    free = next((c for c in table.c if not c.primary_key and not c.foreign_keys), None)
    if free is None:
        pytest.skip("nothing of such a row can change")
    key = {c.name: old[c.name] for c in table.c if c.primary_key} or {free.name: old[free.name]}
    where = " AND ".join(f'"{column}" = :k_{column}' for column in key)
    change = text(f'UPDATE "{name}" SET "{free.name}" = :new WHERE {where}')
    values = {f"k_{column}": value for column, value in key.items()}
    with engine_of(shop, store).connect().execution_options(troth_writes=True) as conn, conn.begin():
        assert conn.execute(change, {"new": other(free, old[free.name]), **values}).rowcount >= 1
    if free.name in key:
        values[f"k_{free.name}"] = other(free, old[free.name])
    assert untouched(shop, store) == []
    with telling(shop, store) as teller:
        back = {"new": old[free.name], "mark": old[COLUMN], **values}
        assert teller.tell(f'UPDATE "{name}" SET "{free.name}" = :new, {COLUMN} = :mark WHERE {where}', **back) >= 1
        assert Finding(name, "other") in seen(teller.conn, store)
    with engine_of(shop, store).connect().execution_options(troth_writes=True) as conn, conn.begin():
        conn.execute(change, {"new": old[free.name], **values})
    assert untouched(shop, store) == []


@pytest.mark.parametrize("lie", TOLD, ids=lambda lie: lie.sql[:60])
def test_a_lie_turns_the_promise_that_rests_on_it(shop: Site, lie: Lie) -> None:
    with telling(shop, lie.store) as teller:
        assert teller.tell(lie.sql) >= 1
        found = seen(teller.conn, lie.store)
    assert lie.promise in borne(shop.policy(), found)


def test_at_least_eighty_lies_are_told() -> None:
    columns = sum(len(table.c) for store in METADATA for table in tables(store))
    assert columns + 3 * len(PARTS) + len(TOLD) > 300


def test_prove_names_the_row_once_and_breaks_the_promise_that_it_speaks_of(living: Living, tmp_path: Path) -> None:
    with living.copy("sqlite", tmp_path / "shop") as site:
        assert prove(site).found == ()
        with closing(sqlite3.connect(str(site.engine.url.database))) as raw, raw:
            raw.execute("UPDATE choice SET state = 'refused' WHERE scope = 'marketing'")
            (told,) = raw.execute("SELECT id FROM choice WHERE scope = 'marketing'").fetchone()
        report = prove(site)
        assert [one.line() for one in report.found] == [f"choice {told} is not as Troth wrote it"]
        verdicts = {one.promise.id: one.proof.verdict for one in report.proven if one.differences}
        assert verdicts["purposes.marketing.consent"] == "broken"
        assert verdicts["messages.offers"] == "not proven"
        assert set(verdicts.values()) == {"broken", "not proven"} and not report.holds
        shown = json.dumps(report.as_json())
        assert shown.count(told) == 1, "in the list of differences, and at no promise"
        (difference,) = cast("list[dict[str, object]]", report.as_json()["differences"])
        assert (difference["number"], set(cast("list[str]", difference["touches"]))) == (1, set(verdicts))


def test_what_a_proof_measured_itself_stays_in_sight_beside_a_difference() -> None:
    proving = SimpleNamespace(say=lambda template, **values: template.format(**values))
    own = Proof("broken", "query", "30 days", "2 records past the deadline", "all looked at")
    shown = turned(cast("Proving", proving), own, [Borne(3, Finding("choice", "changed", "x"))])
    assert (shown.verdict, shown.how, shown.measured) == ("broken", "query", "2 records past the deadline")
    assert shown.evidence == "all looked at; rests on a record that was changed: see difference 3"


def test_a_later_act_of_troth_does_not_make_a_lie_true(living: Living, tmp_path: Path) -> None:
    with living.copy("sqlite", tmp_path / "shop") as site:
        with closing(sqlite3.connect(str(site.engine.url.database))) as raw, raw:
            raw.execute("UPDATE ending SET destroy_by = destroy_by + 31536000000000")
            raw.execute("DELETE FROM dealing WHERE id = (SELECT min(id) FROM dealing)")
        with site.writing() as conn:
            conn.execute(text("UPDATE ending SET counted = counted + 1"))
            conn.execute(text("DELETE FROM dealing WHERE id = (SELECT min(id) FROM dealing)"))
        assert {one.table for one in prove(site).found} == {"ending", "dealing"}


def test_a_second_look_sees_what_came_since(living: Living, tmp_path: Path) -> None:
    with living.copy("sqlite", tmp_path / "shop") as site:
        before = Before()
        with site.reading() as conn:
            assert list(differences(conn, "data", before)) == []
        with closing(sqlite3.connect(str(site.engine.url.database))) as raw, raw:
            raw.execute("UPDATE person SET kind = 'lead'")
        with site.reading() as conn:
            assert {one.table for one in differences(conn, "data", before)} == {"person"}


def test_a_table_put_back_with_its_sum_from_before_the_last_seal_is_seen(living: Living, tmp_path: Path) -> None:
    with living.copy("sqlite", tmp_path / "shop") as site:
        path = str(site.engine.url.database)
        with closing(sqlite3.connect(path)) as raw:
            old = raw.execute("SELECT * FROM store_sum WHERE name = 'message'").fetchone()
            rows = raw.execute("SELECT * FROM message").fetchall()
        with site.writing() as conn:
            conn.execute(text("DELETE FROM message"))
            ledger.append(conn, site.now(), events.KEY_MADE, {})
        ledger.seal(site)
        assert prove(site).found == ()
        with closing(sqlite3.connect(path)) as raw, raw:
            raw.executemany(f"INSERT INTO message VALUES ({', '.join('?' * len(rows[0]))})", rows)
            raw.execute("DELETE FROM store_sum WHERE name = 'message'")
            raw.execute(f"INSERT INTO store_sum VALUES ({', '.join('?' * len(old))})", old)
        assert prove(site).found == (Finding("message", "older"),)
        ledger.seal(site)
        assert prove(site).found == (Finding("message", "older"),), "the next seal does not make it right"


def test_what_was_sealed_cannot_be_rewritten(living: Living, tmp_path: Path) -> None:
    with living.copy("sqlite", tmp_path / "shop") as site:
        with closing(sqlite3.connect(str(site.engine.url.database))) as raw, raw:
            raw.execute("UPDATE store_sealed SET turns = 0")
        assert prove(site).found == (Finding("store_sealed", "sum"),)


def _told(conn: Connection, table: str) -> list[str]:
    """The rows of ``table`` by the ids under which the ledger has them, of people who are in use."""
    if table == "instruction":
        return list(conn.scalars(text("SELECT ending_id || ' ' || recipient FROM instruction ORDER BY 1")))
    key = "version" if table == "policy_version" else "id"
    found = list(map(str, conn.scalars(text(f"SELECT {key} FROM {table} ORDER BY 1"))))
    bodies = "".join(conn.scalars(text("SELECT body FROM ledger_entry")))
    return [one for one in found if one in bodies]


@pytest.mark.parametrize("table", [*WRITTEN, *OTHERS])
def test_a_row_that_the_ledger_knows_is_missed_by_its_name(shop: Site, table: str) -> None:
    with telling(shop, "data") as teller:
        names = _told(teller.conn, table)
        assert names, "the shop has lived this"
        name = names[0]
        one = "ending_id || ' ' || recipient" if table == "instruction" else "CAST(id AS text)"
        one = "CAST(version AS text)" if table == "policy_version" else one
        number = teller.tell(f"DELETE FROM {table} WHERE {one} = :name", name=name)
        found = seen(teller.conn, "data")
    mine = [one for one in found if one.table == table]
    assert [(one.what, one.row) for one in mine if one.what != "fewer"] == [("gone", name)]
    assert [one.number for one in mine if one.what == "fewer"] == [number]
    assert f"{table} {name} is gone, and the ledger says that Troth wrote it" in {one.line() for one in mine}


def test_a_row_that_is_gone_turns_the_promise_of_its_own_entry_alone(shop: Site) -> None:
    with telling(shop, "data") as teller:
        assert teller.tell("DELETE FROM disclosure WHERE recipient = 'newsletter_house'") >= 1
        turned = borne(shop.policy(), seen(teller.conn, "data"))
    assert "recipients.newsletter_house" in turned
    assert "recipients.courier" not in turned


def test_rows_that_went_rightly_are_never_missed(living: Living, tmp_path: Path) -> None:
    """Somebody is erased, and many at once; then a row of somebody else is taken."""
    for kind in ("sqlite", "postgresql"):
        with living.copy(kind, tmp_path / kind) as site:
            with site.reading() as conn:
                everybody = list(conn.scalars(text("SELECT id FROM person WHERE state = 'active' ORDER BY id")))
                kept = conn.scalar(text("SELECT person_id FROM choice ORDER BY id"))
            others = [one for one in everybody if one != kept]
            begin_endings(site, others, "account:closed", site.now())
            destroy_due(site)
            assert seen_in(site) == []
            with telling(site, "data") as teller:
                assert teller.tell("DELETE FROM person WHERE id = :id", id=kept) == 1
                assert {(one.what, one.row) for one in seen(teller.conn, "data")} == {("fewer", ""), ("gone", kept)}
            with telling(site, "data") as teller:
                assert teller.tell("DELETE FROM choice WHERE scope = 'marketing'") == 1
                assert [one.what for one in seen(teller.conn, "data")] == ["fewer", "gone"]


def seen_in(site: Site) -> list[Finding]:
    with site.reading() as conn:
        return list(differences(conn, "data", Before()))


def test_stores_that_are_as_they_were_written_are_asked_for_no_row(
    living: Living, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> Iterator[Finding]:
        raise AssertionError

    monkeypatch.setattr("troth.reconcile.rows.gone", never)
    with living.copy("sqlite", tmp_path / "shop") as site:
        assert prove(site).found == ()


ANN = "ann@shop.test"
PLANTED = {
    "CREATE TABLE visit_copy AS SELECT * FROM visit_20260105": "table visit_copy is in the store and nobody declared it",
    "CREATE VIEW everybody AS SELECT * FROM person": "table everybody is in the store and nobody declared it",
    "ALTER TABLE person ADD COLUMN email VARCHAR(200)": "person email is a column that nobody declared",
    f"UPDATE job SET problem = 'no answer from {ANN}'": " holds an address of somebody who is known",
    f"""UPDATE message SET terms = '{{"to": "{ANN}"}}'""": " holds an address of somebody who is known",
    f"UPDATE job SET ref = '{ANN}'": " holds an address of somebody who is known",
    f"UPDATE message SET because = 'mailbox of {ANN} is full'": " holds an address of somebody who is known",
    f"INSERT INTO heartbeat (task, at) VALUES ('{ANN}', 1)": "heartbeat [e-mail] holds an address of somebody who is known",
}


@pytest.mark.parametrize("sql", PLANTED, ids=lambda sql: sql[:40])
def test_what_nobody_declared_and_addresses_of_people_are_found(shop: Site, sql: str) -> None:
    with telling(shop, "data") as teller:
        teller.tell(sql.replace(":", "\\:"))
        arm_now(teller.conn)
        wanted = Wanted(teller.conn, shop.policy(), read_ring(shop).index)
        found = list(differences(teller.conn, "data", Before(), wanted))
    lines = [one.line() for one in found]
    assert [line for line in lines if PLANTED[sql] in line], lines
    assert not [line for line in lines if ANN in line], "a finding names the place, never the value"
    assert {"data", "security.sealed", "messages.offers"} & borne(shop.policy(), found).keys()


def test_a_log_with_an_address_and_a_copy_of_the_store_are_found_beside_it(living: Living, tmp_path: Path) -> None:
    with living.copy("sqlite", tmp_path / "shop") as site:
        assert prove(site).found == ()
        (site.folder / "var" / "web.log").write_text(f"x {ANN} y", "utf-8")
        (site.folder / "var" / "old.log").write_text("nobody@else.test", "utf-8")
        with closing(sqlite3.connect(site.folder / "copy.db")) as raw, raw:
            raw.execute("CREATE TABLE t (x)")
        assert {one.line() for one in prove(site).found} == {
            "file var/web.log holds an address of somebody who is known",
            "file copy.db is a database in the site's folder and none of its stores",
        }


def proven(site: Site, promise: str) -> Proof:
    return next(one.proof for one in prove(site).proven if one.promise.id == promise)


def rewired(site: Site, **wires: Any) -> Site:
    return replace(site, wiring=site.wiring.model_copy(update=wires))


def test_a_webhook_for_a_broker_turns_that_nobody_else_is_given_anything(living: Living, tmp_path: Path) -> None:
    with living.copy("sqlite", tmp_path / "shop") as site:
        assert proven(site, "recipients").verdict == "kept"
        lied = rewired(site, recipients={"broker": Delivery(url="https://broker.example/in")})
        found = proven(lied, "recipients")
        assert (found.verdict, str(found.measured)) == ("broken", "1 recipient reached whom the policy does not name")


@pytest.mark.parametrize(
    ("smtp", "country", "verdict", "measured"),
    [
        ("127.0.0.1:25", "", "not proven", "data stores in the United Kingdom, as the operator's settings say"),
        ("mail.example:25", "GB", "not proven", "data stores in the United Kingdom, as the operator's settings say"),
        ("mail.example:25", "US", "not proven", "data stores in the United Kingdom, as the operator's settings say"),
        ("mail.example:25", "CN", "broken", "a mail server in China"),
        ("mail.example:25", "", "not proven", "a mail server whose country nobody named"),
    ],
)
def test_a_mail_server_abroad_turns_where_data_is_kept(
    living: Living, tmp_path: Path, smtp: str, country: str, verdict: str, measured: str
) -> None:
    """The policy keeps data in GB and lets it move to the US."""
    with living.copy("sqlite", tmp_path / "shop") as site:
        found = proven(rewired(site, mail=MailWires(smtp=smtp, sender="a@shop.test", country=country)), "transfers")
        assert (found.verdict, str(found.measured)) == (verdict, measured)


def test_a_log_and_a_copy_in_a_folder_below_are_found(living: Living, tmp_path: Path) -> None:
    with living.copy("sqlite", tmp_path / "shop") as site:
        below = site.folder / "var" / "log" / "old"
        below.mkdir(parents=True)
        (below / "worker.log").write_text(f"sent to {ANN}", "utf-8")
        with closing(sqlite3.connect(below / "copy.db")) as raw, raw:
            raw.execute("CREATE TABLE t (x)")
        assert {(one.table, one.what) for one in prove(site).found} == {
            ("var/log/old/worker.log", "file"),
            ("var/log/old/copy.db", "database"),
        }


def test_a_long_run_of_letters_is_read_in_time_that_grows_with_it() -> None:
    """A dump of digits in the site's folder would else hold the worker up for hours; the square of this is never done."""
    assert TOKEN.findall("a" * 1_000_000 + " ann@shop.test " + "0" * 1_000_000) == ["ann@shop.test"]
