"""A statement that is compiled once is whole: what SQLAlchemy would write into it at the last moment is refused."""

from collections.abc import Iterator

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    func,
    insert,
    select,
)

from troth.store.prepared import Prepared, among

ROWS = Table("rows", MetaData(), Column("id", Integer, primary_key=True), Column("word", String(3)))


@pytest.fixture
def conn() -> Iterator[Connection]:
    with create_engine("sqlite://").connect() as opened:
        ROWS.create(opened)
        opened.execute(insert(ROWS), [{"id": n, "word": f"w{n}"} for n in range(4)])
        yield opened


def test_lists_of_numbers_and_of_words_are_bound(conn: Connection) -> None:
    by_number = Prepared(select(ROWS.c.word).where(among(ROWS.c.id + 0, "ids")).order_by(ROWS.c.id))
    by_word = Prepared(select(ROWS.c.id).where(among(ROWS.c.word, "words")).order_by(ROWS.c.id))
    assert by_number.rows(conn, {"ids": [1, 3, 9]}) == [("w1",), ("w3",)]
    assert by_word.rows(conn, {"words": ["w2", "w2 and more"]}) == [(2,)]
    assert by_number.rows(conn, {"ids": []}) == []


@pytest.mark.parametrize(
    "statement",
    [
        select(ROWS.c.id).where(ROWS.c.id.in_([1, 2])),
        select(func.aggregate_strings(ROWS.c.word, " ")).where(ROWS.c.id == bindparam("id")),
    ],
)
def test_what_is_not_whole_is_refused_and_says_what_to_do(conn: Connection, statement: object) -> None:
    with pytest.raises(ValueError, match="given with `among`"):
        Prepared(statement).rows(conn, {"id": 1})  # type: ignore[arg-type]
