"""People of the little shop, for tests of whatever touches personal data."""

from typing import Any

from sqlalchemy import Connection, Engine, Table, event, insert, inspect, select

from troth.people import vault
from troth.people.vault import By
from troth.store.schema import data_tables
from troth.store.site import Site

SYSTEM = By("system")
ANN = {
    "email": "Ann.Canary@shop.example",
    "full_name": "Ann Canary",
    "phone": "020 7946 0958",
    "interest": "canary lamps",
}
BOB = {"email": "bob@shop.example", "full_name": "Bob Sparrow"}


def there(conn: Connection) -> list[Table]:
    """The declared tables that this database has: on SQLite the days of visits have no parent."""
    names = set(inspect(conn).get_table_names())
    return [table for table in data_tables.sorted_tables if table.name in names]


def registered(site: Site, values: dict[str, str], submission: str = "") -> str:
    """A customer who has registered with ``values``."""
    with site.writing() as conn:
        person_id = vault.admit(site, conn, "customer")
        held(site, conn, person_id, values, submission=submission or f"register:{person_id}")
    return person_id


def held(
    site: Site, conn: Connection, person_id: str, values: dict[str, str], point: str = "register", submission: str = "s"
) -> list[str]:
    policy = site.policy(conn)
    source = policy.policy.collection[point].source
    return vault.hold(
        site, conn, person_id=person_id, point=point, source=source, values=values, told="0" * 64,
        submission=submission, policy=policy,
    )  # fmt: skip


class Statements:
    """The statements that an engine carries out from here on."""

    def __init__(self, *engines: Engine) -> None:
        self.texts: list[str] = []
        self.asked: list[tuple[str, Any]] = []
        for engine in engines:
            event.listen(engine, "before_cursor_execute", self._hear)

    def _hear(self, _conn: object, _cursor: object, text: str, parameters: Any, *_more: object) -> None:
        self.texts.append(text)
        self.asked.append((text, parameters))


_NUMBER_ON = (
    "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), coalesce(max({column}), 0) + 1, false) FROM {table}"
)


def copy_data(source: Engine, target: Engine) -> None:
    """Make ``target``, prepared and empty, what a restored backup of ``source`` would be: every row of every table."""
    with source.connect() as old, target.begin() as new:
        for table in there(old):
            rows = [dict(row._mapping) for row in old.execute(select(table))]
            if rows:
                new.execute(insert(table), rows)
            if table.autoincrement_column is not None and new.dialect.name == "postgresql":
                new.exec_driver_sql(_NUMBER_ON.format(table=table.name, column=table.autoincrement_column.name))


def everything_stored(engine: Engine, leaving_out: frozenset[str]) -> str:
    """Every value of every table as text, but for the columns named ``table.column``."""
    shown = []
    with engine.connect() as conn:
        for table in there(conn):
            columns = [column for column in table.columns if f"{table.name}.{column.name}" not in leaving_out]
            shown += [repr(tuple(row)) for row in conn.execute(select(*columns))]
    return "\n".join(shown)
