"""How a database means to carry out a statement, for tests that promise an index is used."""

from typing import Any

from sqlalchemy import Connection


def plan(conn: Connection, statement: Any) -> str:
    """The plan of ``statement`` in the database's own words; PostgreSQL's figures are refreshed first."""
    postgres = conn.dialect.name == "postgresql"
    if postgres:
        conn.exec_driver_sql("ANALYZE")
    words = str(statement.compile(dialect=conn.dialect, compile_kwargs={"literal_binds": True}))
    rows = conn.exec_driver_sql(("EXPLAIN " if postgres else "EXPLAIN QUERY PLAN ") + words.replace("%", "%%"))
    return "\n".join(str(row[-1]) for row in rows)
