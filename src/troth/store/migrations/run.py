"""What both stores' migration environments share."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from troth.store.marks.protected import COLUMN
from troth.store.schema import Instant, data_tables, key_tables

VERSIONS = "troth_schema"
"""the table that remembers which migrations have run"""


def run(store: str) -> None:
    """Run the migrations that the command asks for, on the connection that was handed over, in its transaction."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata={"data": data_tables, "keys": key_tables}[store],
        version_table=VERSIONS,
        render_as_batch=True,
        render_item=_render,
        include_object=declared,
    )
    with context.begin_transaction():
        context.run_migrations()


def _render(kind: str, item: Any, _autogen: AutogenContext) -> str | Literal[False]:
    """Instants are whole numbers to the database, and migrations import nothing of Troth."""
    return "sa.BigInteger()" if kind == "type" and isinstance(item, Instant) else False


def declared(_item: Any, name: str | None, kind: str, _reflected: bool, _against: Any) -> bool:
    """Days of visits come and go with their data, and ``store.marks`` adds the marks of rows; no migration knows them."""
    return not (kind == "table" and str(name).startswith("visit_")) and not (kind == "column" and name == COLUMN)
