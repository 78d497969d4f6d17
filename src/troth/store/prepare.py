"""Makes a site's tables, or brings them to the present: by migrations alone, so that every site is built the same way."""

from __future__ import annotations

from troth.store.schema import data_tables, key_tables
from troth.store.site import Site


def prepare(site: Site) -> None:
    """Bring both stores of ``site`` to the present schema; does nothing where they are."""
    parted = site.engine.dialect.name == "postgresql"
    tables = [table for table in data_tables.sorted_tables if parted or "partitioned" not in table.info]
    data_tables.create_all(site.engine, tables)  # on SQLite each part of a partitioned table is a table of its own
    key_tables.create_all(site.keys)
