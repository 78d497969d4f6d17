"""How a database means to carry out a statement, for tests that promise an index is used."""

from typing import Any

from sqlalchemy import Connection


def plan(conn: Connection, statement: Any, streamed: bool = False) -> str:
    """The plan of ``statement`` in the database's own words, after PostgreSQL's figures were refreshed; ``streamed`` when its
    rows are fetched through a cursor, a few at a time."""
    words = str(statement.compile(dialect=conn.dialect, compile_kwargs={"literal_binds": True}))
    explain = "EXPLAIN QUERY PLAN "
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql("ANALYZE")
        explain = "EXPLAIN DECLARE streamed CURSOR FOR " if streamed else "EXPLAIN "
    rows = conn.exec_driver_sql(explain + words.replace("%", "%%"))
    return "\n".join(str(row[-1]) for row in rows)


def explained(conn: Connection, statement: str, parameters: Any) -> str:
    """The plan of a statement that was carried out before, with the same parameters."""
    how = "EXPLAIN " if conn.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    return "\n".join(str(row[-1]) for row in conn.exec_driver_sql(how + statement, parameters))
