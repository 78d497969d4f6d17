"""A second look at the stores sees every change, whatever the rows held at the first."""

import sqlite3
from contextlib import closing
from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import text

from tests.promises.lies import engine_of, telling
from tests.submissions import REGISTER, sent
from troth.collection import collect
from troth.reconcile import on_sqlite
from troth.reconcile.reconcile import Before, differences
from troth.store.marks.arming import arm_now
from troth.store.marks.protected import COLUMN
from troth.store.site import Site


@pytest.fixture
def first(site: Site) -> tuple[Site, Before]:
    """A shop with two dealings, one of them with a sign in its number that once stood between columns; looked at once."""
    collect(site, REGISTER)
    collect(site, sent(REGISTER, "register-b", email="bob@shop.example"))
    with site.writing() as conn:
        conn.execute(text("UPDATE dealing SET ref = :ref WHERE id = (SELECT max(id) FROM dealing)"), {"ref": "x\x1fy"})
    before = Before()
    with engine_of(site, "data").connect() as conn, conn.begin():
        arm_now(conn)
        assert list(differences(conn, "data", before)) == []
    assert before.digests["data"]
    return site, before


def second(site: Site, before: Before, sql: str, **values: Any) -> list[tuple[str, str]]:
    with telling(site, "data") as teller:
        assert teller.tell(sql, **values) == 1
        arm_now(teller.conn)
        return [(one.table, one.what) for one in differences(teller.conn, "data", before)]


def test_a_second_look_sees_what_was_nothing(first: tuple[Site, Before]) -> None:
    site, before = first
    nothing = "~" if site.engine.dialect.name == "sqlite" else 0  # PostgreSQL keeps instants as numbers alone
    changed = "UPDATE dealing SET closed_at = :new WHERE id = (SELECT min(id) FROM dealing)"
    assert second(site, before, changed, new=nothing) == [("dealing", "changed")]


def test_a_second_look_sees_a_part_that_moved_into_the_next_column(first: tuple[Site, Before]) -> None:
    site, before = first
    moved = "UPDATE dealing SET kind = kind || :part, ref = 'y' WHERE ref = :ref"
    assert second(site, before, moved, part="\x1fx", ref="x\x1fy") == [("dealing", "changed")]


VALUES = (
    None,
    "",
    "~",
    "NULL",
    "n",
    "0",
    0,
    0.5,
    0.5000000000000001,
    b"",
    b"0",
    b"~",
    "0,",
    "t1:0",
    "a\x00b",
    "a\x00c",
    "a",
)


def test_no_two_rows_on_sqlite_give_one_text() -> None:
    with closing(sqlite3.connect(":memory:")) as raw:
        raw.execute(f"CREATE TABLE t (a, b, {COLUMN})")
        rows = [(a, b, mark) for a in VALUES for b in VALUES for mark in (None, 7)]
        raw.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
        told = [one for (one,) in raw.execute(f"SELECT CAST({on_sqlite.whole('ab')} AS BLOB) FROM t ORDER BY rowid")]
    assert len(told) == len(set(told)) == len(rows)
    lengths = sorted(told, key=len)
    assert not [(one, other) for one, other in combinations(lengths, 2) if other.startswith(one)], (
        "several stay apart too"
    )
