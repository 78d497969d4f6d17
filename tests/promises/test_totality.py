"""Nothing personal is held without a source, an export rule, an erase rule and a clock; no table about people is forgotten."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from sqlalchemy import JSON, Column, LargeBinary, String, Table

import troth
from troth.people.tables import person
from troth.retention.destroy import tables_of_people
from troth.store.schema import data_tables, key_tables

RULES = {"source", "export", "erase", "clock"}
OPAQUE_AT_MOST = 64
"""Characters of a column that has room for ids, names of the policy and digests only."""

for _module in pkgutil.walk_packages(troth.__path__, "troth."):
    if _module.name.endswith(".tables"):
        importlib.import_module(_module.name)

TABLES = [*data_tables.sorted_tables, *key_tables.sorted_tables]


def could_hold_a_person(column: Column[object]) -> bool:
    """By its type alone: sealed bodies, documents and texts; ids and words of the policy are shorter."""
    if isinstance(column.type, (LargeBinary, JSON)):
        return True
    length = getattr(column.type, "length", None)
    return isinstance(column.type, String) and (length is None or length > OPAQUE_AT_MOST)


def undeclared(table: Table) -> list[str]:
    """Columns that could hold something personal and say neither where it comes from and goes to, nor why they never do."""
    return [
        c.name
        for c in table.c
        if could_hold_a_person(c) and not _declared(c) and not str(c.info.get("plain", "")).strip()
    ]


def _declared(column: Column[object]) -> bool:
    rules = column.info.get("personal", {})
    return rules.keys() == RULES and all(str(words).strip() for words in rules.values())


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_with_personal_data_says_where_it_comes_from_and_how_it_goes(table: Table) -> None:
    assert undeclared(table) == []
    assert [c.name for c in table.c if "personal" in c.info and not _declared(c)] == []
    assert [c.name for c in table.c if "personal" in c.info and "plain" in c.info] == []


@pytest.mark.parametrize(
    "column",
    [
        Column("body", LargeBinary),
        Column("notes", String),
        Column(
            "terms", JSON, info={"personal": {"source": "a form", "export": "as it is", "erase": "with its person"}}
        ),
        Column("note", String(500), info={"plain": " "}),
    ],
    ids=lambda column: column.name,
)
def test_a_column_that_is_added_without_saying_so_is_found(column: Column[object]) -> None:
    made = Table("made", type(data_tables)(), column)
    assert undeclared(made) == [column.name]


def test_every_table_about_people_is_emptied_of_them_or_says_why_it_outlives_them() -> None:
    about = {table.name for table in data_tables.sorted_tables if "person_id" in table.c}
    emptied = {table.name for table in tables_of_people()}
    outliving = {table.name for table in data_tables.sorted_tables if str(table.info.get("outlives", "")).strip()}
    assert about == emptied | outliving
    assert not emptied & outliving
    assert person.name not in about, "the person's own row goes last, by its id"


def test_what_outlives_a_person_holds_no_personal_value() -> None:
    outliving = [table for table in data_tables.sorted_tables if "outlives" in table.info]
    assert outliving
    assert [c.name for table in outliving for c in table.c if "personal" in c.info] == []


def test_the_ledger_which_outlives_everybody_holds_no_personal_value() -> None:
    assert [
        c.name
        for name in ("ledger_entry", "ledger_checkpoint")
        for c in data_tables.tables[name].c
        if "personal" in c.info
    ] == []
