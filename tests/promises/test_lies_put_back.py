"""No later act of Troth makes a lie true: neither marking a store anew after a migration, nor the next seal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.databases import StoreKind
from tests.promises.lies import Teller, telling
from tests.promises.living import Living
from troth import ledger
from troth.commands.opening import made_ready
from troth.evidence.prove import prove
from troth.ledger import events
from troth.reconcile import Finding, watch
from troth.store.marks.protected import COLUMN
from troth.store.site import Site


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(living: Living, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    kind: StoreKind = request.param
    with living.copy(kind, tmp_path / "shop") as site:
        yield site


def _sealed_once_more(site: Site) -> None:
    with site.writing() as conn:
        ledger.append(conn, site.now(), events.KEY_MADE, {})
    ledger.seal(site)


@pytest.mark.parametrize("version", ["0012", "0013"])
def test_a_table_whose_marks_were_taken_away_is_never_marked_anew(
    shop: Site, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether its schema is wound back or a newer Troth comes, which finds more to migrate."""
    with telling(shop, "data", stays=True) as teller:
        teller.tell(f"ALTER TABLE choice DROP COLUMN {COLUMN}")
        teller.tell("UPDATE choice SET state = 'given'")
        teller.tell("DELETE FROM store_sum WHERE name = 'choice'")
        teller.tell("UPDATE troth_schema SET version_num = :version", version=version)
    shop.engine.dispose()
    if version == "0013":
        monkeypatch.setattr("troth.store.prepare.newest", lambda _store: ("later",))
    made_ready(shop)
    _sealed_once_more(shop)
    report = prove(shop)
    assert Finding("choice", "sum") in report.found
    assert "changed" in {one.what for one in report.found if one.table == "choice"}
    assert {one.table for one in report.found} <= {"choice", "troth_schema"}
    assert (
        next(one for one in report.proven if one.promise.id == "purposes.marketing.consent").proof.verdict == "broken"
    )


def test_what_waits_to_be_added_to_a_sum_is_not_believed_when_a_store_is_marked_anew(shop: Site) -> None:
    """Somebody takes a row away, says in ``store_change`` that it went, and has the store marked anew."""
    with telling(shop, "data", stays=True) as teller:
        gone = teller.rows("choice")[0]
        assert teller.tell("DELETE FROM choice WHERE id = :id", id=gone["id"]) == 1
        mark = int(gone[COLUMN])
        row = {"id": 10**9, "name": "choice", "rows": -1, "low": -(mark & 0xFFFFFFFF), "high": -(mark >> 32)}
        teller.put("store_change", {**row, "mark": mark})
        teller.tell("UPDATE troth_schema SET version_num = '0012'")
    shop.engine.dispose()
    made_ready(shop)
    _sealed_once_more(shop)
    assert Finding("choice", "sum") in prove(shop).found


@pytest.mark.parametrize("table", ["job", "choice"])
def test_a_table_of_a_wound_back_schema_is_what_its_ledger_says_that_it_was(shop: Site, table: str) -> None:
    """Jobs have marks since the migration that is wound back; only the ledger knows that it ran."""
    with telling(shop, "data", stays=True) as teller:
        teller.tell(f"ALTER TABLE {table} DROP COLUMN {COLUMN}")
        teller.tell("DELETE FROM store_sum WHERE name = :name", name=table)
        teller.tell("UPDATE troth_schema SET version_num = '0012'")
    shop.engine.dispose()
    made_ready(shop)
    assert Finding(table, "sum") in prove(shop).found


def test_a_schema_that_was_wound_back_is_a_finding_until_somebody_answers_for_it(shop: Site) -> None:
    with telling(shop, "data", stays=True) as teller:
        teller.tell("UPDATE troth_schema SET version_num = '0012'")
    shop.engine.dispose()
    made_ready(shop)
    made_ready(shop)
    _sealed_once_more(shop)
    assert prove(shop).found == (Finding("troth_schema", "older"),)
    watch.record(shop, "a rehearsal of the upgrade", "privacy lead")
    assert prove(shop).found == ()


@pytest.mark.parametrize("sealed", ["DELETE FROM store_sealed", "UPDATE store_sealed SET turns = 0"])
def test_a_seal_does_not_take_in_a_table_that_was_put_back_with_what_was_sealed_of_it(shop: Site, sealed: str) -> None:
    rows, sums = _before_all_withdrew(shop)
    assert prove(shop).found == ()
    with telling(shop, "data", stays=True) as teller:
        _put_back(teller, rows, sums)
        teller.tell(sealed)
    for _ in range(2):
        before = _entries_sealed(shop)
        _sealed_once_more(shop)
        assert _entries_sealed(shop) > before, "the ledger itself goes on"
        assert prove(shop).found == (Finding("store_sealed", "sum"),)
    watch.noted(shop, prove(shop).found)
    assert [one.subject for one in watch.standing(shop)] == ["store_sealed"]
    watch.record(shop, "the disk was changed", "privacy lead")
    assert watch.standing(shop) == []
    _sealed_once_more(shop)
    assert prove(shop).found == ()


def test_what_somebody_answered_for_is_no_leave_for_another_lie(shop: Site) -> None:
    with telling(shop, "data", stays=True) as teller:
        teller.tell("UPDATE store_sealed SET turns = 0")
    watch.record(shop, "the disk was changed", "privacy lead")
    with telling(shop, "data", stays=True) as teller:
        teller.tell("UPDATE store_sealed SET turns = 1")
    _sealed_once_more(shop)
    assert prove(shop).found == (Finding("store_sealed", "sum"),)


def test_a_table_that_was_put_back_stays_found_however_often_it_is_changed_after_that(shop: Site) -> None:
    rows, sums = _before_all_withdrew(shop)
    with telling(shop, "data", stays=True) as teller:
        _put_back(teller, rows, sums)
    _sealed_once_more(shop)
    for _ in range(5):
        with shop.writing() as conn:
            conn.execute(text("UPDATE choice SET at = at + 1"))
    _sealed_once_more(shop)
    assert Finding("choice", "older") in prove(shop).found
    watch.record(shop, "the disk was changed", "privacy lead")
    _sealed_once_more(shop)
    assert prove(shop).found == ()


def test_a_row_that_is_gone_is_named_after_somebody_answered_for_another(shop: Site) -> None:
    with telling(shop, "data", stays=True) as teller:
        teller.tell("UPDATE shown SET words = words || ' and more'")
    watch.record(shop, "the disk was changed", "privacy lead")
    with telling(shop, "data", stays=True) as teller:
        gone = teller.tell("DELETE FROM choice WHERE scope = 'marketing'")
    assert gone >= 1
    assert [one.what for one in prove(shop).found if one.table == "choice"] == ["fewer", *["gone"] * gone]


def _before_all_withdrew(shop: Site) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of all choices and their sum, as they were before everybody took theirs back and that was sealed."""
    with telling(shop, "data") as teller:
        rows, sums = teller.rows("choice"), [one for one in teller.rows("store_sum") if one["name"] == "choice"]
    with shop.writing() as conn:
        conn.execute(text("UPDATE choice SET state = 'withdrawn'"))
    _sealed_once_more(shop)
    return rows, sums


def _put_back(teller: Teller, rows: list[dict[str, Any]], sums: list[dict[str, Any]]) -> None:
    teller.tell("DELETE FROM choice")
    teller.tell("DELETE FROM store_sum WHERE name = 'choice'")
    for row in rows:
        teller.put("choice", row)
    for row in sums:
        teller.put("store_sum", row)


def _entries_sealed(site: Site) -> int:
    return ledger.verify(site).sealed
