"""Makes a site's tables, or brings them to the present: by migrations alone, so that every site is built the same way."""

from __future__ import annotations

from troth.store.schema import data_tables, key_tables
from troth.store.site import Site


def prepare(site: Site) -> None:
    """Bring both stores of ``site`` to the present schema; does nothing where they are."""
    data_tables.create_all(site.engine)
    key_tables.create_all(site.keys)
