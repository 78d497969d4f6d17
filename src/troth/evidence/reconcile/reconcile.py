"""``reconcile``: every protected row of both stores against its mark, every table against its sum."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, inspect, select

from troth.errors import StoreError
from troth.evidence.reconcile import on_postgresql, on_sqlite, sums, values
from troth.evidence.reconcile.findings import Finding
from troth.evidence.reconcile.undeclared import databases_beside, files, undeclared
from troth.ledger import events
from troth.ledger.tables import entry
from troth.ledger.walk import unmoving_on
from troth.store.engines import reading
from troth.store.marks import on_sqlite as marking
from troth.store.marks import sealing
from troth.store.marks.arming import marks_of
from troth.store.marks.protected import LEDGER
from troth.store.secret import read_ring
from troth.store.site import Site

MOST = 20
"""rows of one table that are named"""


@dataclass
class Before:
    """What was seen the last time, for a look that need not see it again."""

    digests: dict[str, Any] = field(default_factory=lambda: {"data": {}, "keys": {}})
    files: values.Seen = field(default_factory=dict)


def reconcile(site: Site, conn: Connection, before: Before) -> tuple[Finding, ...]:
    """All that is not as Troth wrote it, in the store of the data, read through ``conn``, and in that of the keys."""
    wanted = _wanted(site, conn)
    found = list(differences(conn, "data", before, wanted))
    with unmoving_on(site.keys) as keys:
        found += differences(keys, "keys", before, wanted)
    found += _against_the_seal(site, conn)
    found += databases_beside(site)
    if wanted is not None:
        found += values.in_files(wanted, [path for path in files(site) if path.name not in WRITTEN], before.files)
    return tuple(found)


def _against_the_seal(site: Site, conn: Connection) -> Iterator[Finding]:
    """Sums that are older than those which the ledger's last seal commits to, or a seal that commits to others."""
    marks = marks_of(conn)
    if marks is None or marks.hasher() is None:
        return
    before, salt = sealing.sealed(conn)
    said = conn.scalar(_LAST_SUMMED)
    if (json.loads(said).get("digest") if said else None) != (sealing.digest(before, salt) if before else None):
        yield Finding("store_sealed", "sum")
        return
    with reading(site.keys) as keys:
        now = [*sealing.kept(conn, "data"), *sealing.kept(keys, "keys")]
    yield from (Finding(one.name, "older") for one in sealing.older(now, before))


_LAST_SUMMED = select(entry.c.body).where(entry.c.event == events.STORE_SUMMED).order_by(entry.c.id.desc()).limit(1)


WRITTEN = ("policy.yaml", "decisions.yaml", "site.yaml")
"""files that the operator writes, who may be named there"""


def _wanted(site: Site, conn: Connection) -> values.Wanted | None:
    try:
        return values.Wanted(conn, site.policy(conn), read_ring(site).index)
    except StoreError:
        return None


def differences(conn: Connection, store: str, before: Before, wanted: values.Wanted | None = None) -> Iterator[Finding]:
    """All that is not as Troth wrote it in one store, ``data`` or ``keys``; nothing can be said without the site's secret.

    With ``wanted`` addresses of people are looked for as well, where none should be.
    """
    marks = marks_of(conn)
    hasher = marks.hasher() if marks else None
    if hasher is None:
        return
    seen = before.digests[store]
    if conn.dialect.name == "sqlite":
        raw: Any = conn.connection.dbapi_connection
        marking.register(raw, hasher)
        names = on_sqlite.tables(raw)
        kept, wrong_sums = on_sqlite.kept(raw)
        looked = [on_sqlite.look(raw, store, name, seen, MOST) for name in names]
    else:
        names = on_postgresql.tables(conn)
        kept, wrong_sums = on_postgresql.kept(conn)
        looked = [on_postgresql.look(conn, store, name, seen, MOST) for name in names]
    there = {table.name: table.total for table in looked if table.name != LEDGER}
    yield from (Finding(name, "sum") for name in wrong_sums)
    yield from sums.compared(there, kept)
    for table in looked:
        yield from table.wrong
    yield from undeclared(conn, store)
    if wanted is not None:
        fresh = {table.name: table.fresh for table in looked}
        for name in inspect(conn).get_table_names():
            yield from values.in_rows(wanted, conn, store, name, fresh.get(name, ["1 = 1"]))
