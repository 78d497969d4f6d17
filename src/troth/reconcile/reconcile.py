"""``reconcile``: every protected row of both stores against its mark, every table against its sum."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, inspect, select

from troth.errors import StoreError
from troth.ledger import events
from troth.ledger.examine import Kind
from troth.ledger.sums import as_sealed, sums_found
from troth.ledger.tables import entry
from troth.ledger.verify import Verified, verify_on
from troth.ledger.walk import unmoving, unmoving_on
from troth.reconcile import on_postgresql, on_sqlite, rows, sums, values
from troth.reconcile.findings import UNNAMED, Finding, Rows, What
from troth.reconcile.naming import METADATA
from troth.reconcile.undeclared import files, foreign_databases, undeclared
from troth.store.engines import reading
from troth.store.marks import on_sqlite as marking
from troth.store.marks import sealing
from troth.store.marks.arming import marks_of
from troth.store.marks.protected import LEDGER
from troth.store.migrations.run import VERSIONS
from troth.store.secret import read_ring
from troth.store.site import Site

MOST = 20
"""rows of one table that are named; the others are counted, and ``every`` names them all"""


@dataclass
class Before:
    """What was seen the last time, for a look that need not see it again."""

    digests: dict[str, Any] = field(default_factory=lambda: {"data": {}, "keys": {}})
    files: values.Seen = field(default_factory=dict)
    ledger: Verified | None = None


def reconcile(site: Site, conn: Connection, before: Before) -> tuple[Finding, ...]:
    """All that is not as Troth wrote it, in the store of the data, read through ``conn``, and in that of the keys."""
    wanted = _wanted(site, conn)
    found = rows.as_written(conn, list(differences(conn, "data", before, wanted)))
    with unmoving_on(site.keys) as keys:
        found += differences(keys, "keys", before, wanted)
    found += _against_the_seal(site, conn)
    found += _wound_back(conn)
    found += _of_the_ledger(site, before)
    beside = files(site, conn)
    found += foreign_databases(site, beside)
    if wanted is not None:
        own = {site.folder.resolve() / name for name in WRITTEN}
        found += values.in_files(wanted, [path for path in beside if path not in own], before.files, site.folder)
    return tuple(found)


def every(site: Site, found: Sequence[Finding]) -> Iterator[Finding]:
    """All that was ``found``, with each row that it only counts, one after the other, as both stores have them now."""
    counted = {(one.table, one.what) for one in found}
    for one in found:
        if one.what in UNNAMED.values():
            continue
        if (one.table, UNNAMED.get(one.what)) not in counted:
            yield one
    whole = [one for one in found if one.what in {"fewer", "other"}]
    for table, what in sorted(counted):
        if what == "more changed":
            yield from _changed(site, table)
        elif what == "more gone":
            with unmoving(site) as conn:
                yield from (row for one in whole if one.table == table for row in rows.gone(conn, one))


def _changed(site: Site, table: str) -> Iterator[Finding]:
    store = "keys" if table in METADATA["keys"].tables else "data"
    with unmoving_on(site.keys if store == "keys" else site.engine) as conn:
        marks = marks_of(conn)
        hasher = marks.hasher() if marks else None
        if hasher is None:
            return
        if conn.dialect.name != "sqlite":
            yield from on_postgresql.wrong_rows(conn, store, table)
            return
        raw: Any = conn.connection.dbapi_connection
        marking.register(raw, hasher)
        yield from on_sqlite.wrong_rows(raw, store, table)


_OF_LEDGER: Mapping[Kind, tuple[str, What]] = {
    **dict.fromkeys(("changed body", "changed leaf", "rewritten", "unreadable"), (LEDGER, "changed")),
    **dict.fromkeys(("removed", "inserted", "swapped"), (LEDGER, "other")),
    "forged checkpoint": ("ledger_checkpoint", "changed"),
    "removed checkpoint": ("ledger_checkpoint", "other"),
}


def _of_the_ledger(site: Site, before: Before) -> Iterator[Finding]:
    """The first entry or checkpoint of the ledger that is not as it was made.

    One of which the end or the head is missing is another matter: it turns everything by itself.
    """
    try:
        before.ledger = verify_on(site, before.ledger)
    except StoreError:  # without a key nobody can say
        before.ledger = None
        return
    wrong = before.ledger.wrong
    if wrong is not None and wrong.kind in _OF_LEDGER:
        table, what = _OF_LEDGER[wrong.kind]
        yield Finding(table, what, str(wrong.id) if what == "changed" and wrong.id else "")


def _against_the_seal(site: Site, conn: Connection) -> Iterator[Finding]:
    """Sums that are older than those which the ledger's last seal commits to, or a seal that commits to others."""
    marks = marks_of(conn)
    if marks is None or marks.hasher() is None:
        return
    if not as_sealed(conn):
        yield Finding("store_sealed", "sum", holds=sums_found(conn))
        return
    before, _ = sealing.sealed(conn)
    with reading(site.keys) as keys:
        now = [*sealing.kept(conn, "data"), *sealing.kept(keys, "keys")]
    yield from (Finding(one.name, "older") for one in sealing.older(now, before))


def _wound_back(conn: Connection) -> Iterator[Finding]:
    """A schema that was older than the ledger says when it was brought to the present, until somebody answers for it."""
    accepted = conn.scalar(select(func.max(entry.c.id)).where(entry.c.event == events.STORE_ACCEPTED)) or 0
    bodies = conn.scalars(select(entry.c.body).where(entry.c.event == events.STORE_MARKED, entry.c.id > accepted))
    if any("wound_back" in json.loads(body) for body in bodies):
        yield Finding(VERSIONS, "older")


WRITTEN = ("policy.yaml", "decisions.yaml", "site.yaml")
"""files that the operator writes, who may be named there: those of the site's own folder, and no other of the same name"""


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
    for differs in sums.compared(there, kept):
        yield differs
        if store == "data" and differs.what in {"fewer", "other"}:
            missing = Rows(differs.table, MOST)
            missing.add(rows.gone(conn, differs))
            yield from missing.findings()
    for table in looked:
        yield from table.wrong
    yield from undeclared(conn, store)
    if wanted is not None:
        fresh = {table.name: table.fresh for table in looked}
        for name in inspect(conn).get_table_names():
            yield from values.in_rows(wanted, conn, store, name, fresh.get(name, ["1 = 1"]))
