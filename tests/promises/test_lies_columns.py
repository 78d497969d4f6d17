"""No column goes untold: each column of each table is changed by a lie that is seen, or says here why none is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Column, Table, Text, inspect

from tests.databases import StoreKind
from tests.promises.lies import METADATA, fill, other, tables, telling
from tests.promises.living import Living
from tests.promises.test_totality import TABLES
from troth import ledger
from troth.evidence.bearing import borne, rests
from troth.evidence.prove import prove
from troth.ledger import events, heads
from troth.reconcile.reconcile import Before, differences, reconcile
from troth.retention.heartbeat import SWEEP, beat
from troth.store.marks.arming import arm_now
from troth.store.marks.protected import COLUMN, UNPROTECTED
from troth.store.site import Site
from troth.visits.tables import of_day

SEEN = {
    "data": ("ledger_entry", "ledger_checkpoint", "store_sum", "store_change", "store_sealed"),
    "keys": ("ledger_head", "store_sum", "store_change"),
}
"""tables whose rows carry no marks that are added up, by their store; ``test_lies`` tells of all others"""
UNTOLD = {
    "ledger_entry.position": "blank until an entry is sealed; of one that is, the tree says where it stands",
    **dict.fromkeys(
        ("ledger_head.at", "ledger_head.frontier", "ledger_head.key_id", "ledger_head.signature"),
        "the kept head is held against the checkpoint of its size in the data, by its root; that one is signed",
    ),
    "store_change.id": "which row of those that wait it is; it is part of the row's mark",
}
"""columns that no lie changes, each with the reason"""


def told() -> set[str]:
    """The columns that a lie changes, here or in ``test_lies``."""
    marked = {f"{table.name}.{column.name}" for store in METADATA for table in tables(store) for column in table.c}
    here = {
        f"{name}.{column.name}" for store, names in SEEN.items() for name in names for column in _columns(store, name)
    }
    return marked | here | {f"visit.{column.name}" for column in of_day("20260105").c}


def _columns(store: str, name: str) -> list[Column[object]]:
    """Those of a table that a lie is told of."""
    return [one for one in METADATA[store].tables[name].c if f"{name}.{one.name}" not in UNTOLD]


def untold(made: list[Table]) -> set[str]:
    return {f"{table.name}.{column.name}" for table in made for column in table.c} - told() - set(UNTOLD)


def test_every_column_is_changed_by_a_lie_or_says_why_not() -> None:
    assert untold(TABLES) == set()
    assert all(reason.strip() for reason in UNTOLD.values())
    assert set(UNTOLD) <= {f"{table.name}.{column.name}" for table in TABLES for column in table.c}
    unmarked = {name for names in SEEN.values() for name in names} - {"ledger_entry"}
    assert unmarked == set(UNPROTECTED) - {"troth_schema"}


def test_a_column_that_is_added_to_what_is_not_marked_is_found() -> None:
    assert untold([Table("made", type(METADATA["data"])(), Column("words", Text))]) == {"made.words"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, living: Living, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    kind: StoreKind = request.param
    with living.copy(kind, tmp_path_factory.mktemp("columns") / "shop") as site:
        fill(site)
        with site.writing() as conn:  # what waits to be sealed, and to be added to the sums
            ledger.append(conn, site.now(), events.KEY_MADE, {})
            beat(conn, SWEEP, site.now())
        _unlock(site, kind)
        yield site


def _unlock(site: Site, kind: StoreKind) -> None:
    """Take away what refuses to change the ledger, as somebody who lies would."""
    with telling(site, "data", stays=True) as teller:
        if kind == "sqlite":
            names = teller.conn.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()
            for name in names:
                teller.tell(f'DROP TRIGGER "{name}"')


def _seen(site: Site) -> bool:
    """Whether a look at the stores, which each run of ``prove`` begins with, sees anything."""
    with site.reading() as conn:
        return heads.look(site) is not None or bool(reconcile(site, conn, Before()))


@pytest.mark.parametrize(("store", "name"), [(store, name) for store in SEEN for name in SEEN[store]], ids=str)
def test_every_column_of_the_ledger_and_of_the_sums_that_is_changed_is_seen(shop: Site, store: str, name: str) -> None:
    assert not _seen(shop)
    believed = []
    for column in _columns(store, name):
        with telling(shop, store) as teller:
            rows = teller.rows(name)
        if not rows:
            pytest.skip("nothing waits here on this store")
        lie = rows[0] | {column.name: other(column, rows[0][column.name])}
        _put_in_place_of(shop, store, name, rows[0], lie)
        if not _seen(shop):
            believed.append(column.name)
        _put_in_place_of(shop, store, name, lie, rows[0])
        assert not _seen(shop)
    assert believed == []


def _put_in_place_of(site: Site, store: str, name: str, row: dict[str, Any], then: dict[str, Any]) -> None:
    with telling(site, store, stays=True) as teller:
        where = " AND ".join(f'"{key}" IS NOT DISTINCT FROM :{key}' for key in row)
        assert teller.tell(f'DELETE FROM "{name}" WHERE {where}', **row) == 1
        teller.put(name, then)


def test_every_column_of_a_day_of_visits_that_is_changed_is_seen(shop: Site) -> None:
    with telling(shop, "data") as teller:
        name = next(
            one for one in inspect(teller.conn).get_table_names() if one.startswith("visit_") and teller.rows(one)
        )
        row = teller.rows(name)[0]
    for column in of_day(name.removeprefix("visit_")).c:
        with telling(shop, "data") as teller:
            value = row["at"] + 1 if column.name == "at" else other(column, row[column.name])
            values = {"new": value, "mark": row[COLUMN]}
            assert teller.tell(f'UPDATE "{name}" SET "{column.name}" = :new WHERE {COLUMN} = :mark', **values) == 1
            arm_now(teller.conn)
            found = list(differences(teller.conn, "data", Before()))
        assert [(one.table, one.what) for one in found] == [(name, "changed")]
        assert {"visits.keep"} <= borne(shop.policy(), found).keys()


def test_an_entry_that_was_changed_is_believed_by_no_promise_that_asks_it_again(shop: Site) -> None:
    with telling(shop, "data") as teller:
        row = next(one for one in teller.rows("ledger_entry") if one["event"] == events.PERSON_READ)
    lie = row | {"body": row["body"].replace('"by":"staff"', '"by":"system"')}
    _put_in_place_of(shop, "data", "ledger_entry", row, lie)
    report = prove(shop)
    _put_in_place_of(shop, "data", "ledger_entry", lie, row)
    assert [one.line() for one in report.found] == [f"ledger_entry {row['id']} is not as Troth wrote it"]
    compiled = shop.policy()
    resting = {one.id for one in compiled.promises if "ledger_entry" in rests(compiled, one)}
    assert {one.promise.id for one in report.proven if one.differences} == resting
    assert {one.proof.verdict for one in report.proven if one.promise.id in resting} <= {"broken", "not proven"}
