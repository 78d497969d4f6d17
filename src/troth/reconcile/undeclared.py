"""Tables, columns, views and triggers that nobody declared, protected tables without marks, and copies of databases."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path

from sqlalchemy import Connection, select

import troth
from troth.ledger import events
from troth.ledger.tables import APPEND_ONLY, entry
from troth.people.logs import mask
from troth.reconcile.findings import Finding
from troth.reconcile.naming import METADATA
from troth.store.copying import digest
from troth.store.marks.protected import COLUMN, protected
from troth.store.migrations.run import VERSIONS
from troth.store.site import Site

_OWN = re.compile(r"sqlite_(sequence|stat\d)|visit_[0-9]{8}")
"""tables of the database itself, and days of visits"""
_SQLITE = """SELECT t.type, t.name, c.name FROM sqlite_master t LEFT JOIN pragma_table_info(t.name) c ON t.type = 'table'
    WHERE t.type IN ('table', 'view', 'trigger') ORDER BY t.name, c.cid"""
_POSTGRESQL = """SELECT CASE WHEN c.relkind IN ('r', 'p') THEN 'table' ELSE 'view' END, c.relname, a.attname
    FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relnamespace = current_schema()::regnamespace
    UNION ALL SELECT 'trigger', t.tgname, NULL FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"""
_HEAD = b"SQLite format 3\0"


def undeclared(conn: Connection, store: str) -> Iterator[Finding]:
    """What the schema of ``store`` has and the declared tables have not, or the other way round for marks."""
    declared = _declared()[store]
    columns: dict[str, set[str]] = {}
    for kind, name, column in conn.exec_driver_sql(_SQLITE if conn.dialect.name == "sqlite" else _POSTGRESQL):
        if kind == "table":
            columns.setdefault(name, set()).add(column)
        elif kind == "view" or not _known_trigger(name, conn.dialect.name):
            yield Finding(mask(name), "undeclared")
    for name, there in columns.items():
        day = "visit" if name.startswith("visit_") else name
        if (
            name != VERSIONS
            and not (_OWN.fullmatch(name) and (day != "visit" or day in declared))
            and name not in declared
        ):
            yield Finding(mask(name), "undeclared")
        elif day in declared:
            yield from (Finding(name, "column", mask(column)) for column in sorted(there - declared[day] - {COLUMN}))
            if protected(name) and COLUMN not in there:
                yield Finding(name, "bare")


def _known_trigger(name: str, dialect: str) -> bool:
    return name.startswith("troth_mark_") or any(f"TRIGGER {name} " in one for one in APPEND_ONLY[dialect])


@cache
def _declared() -> dict[str, dict[str, set[str]]]:
    """The columns of every declared table, by store: of all rooms, whichever this process has used."""
    for module in pkgutil.walk_packages(troth.__path__, "troth."):
        if module.name.endswith(".tables"):
            importlib.import_module(module.name)
    return {
        store: {one.name: set(one.c.keys()) for one in metadata.sorted_tables} for store, metadata in METADATA.items()
    }


def foreign_databases(site: Site, files: Iterable[Path]) -> Iterator[Finding]:
    """Databases among the ``files`` of the site that are none of its stores: a copy that nobody's promise reaches."""
    for path in files:
        if _is_database(path):
            yield Finding(mask(place(path, site.folder)), "database")


def files(site: Site, conn: Connection) -> list[Path]:
    """All files in the site's folder, however deep, and those beside its secret, in the order of their paths.

    Left out are the stores themselves, and what the ledger knows as a backup, which is sealed and has a period of its own. A
    symlink to a file counts as that file, under the link's own path, unless it leads to a store; one to a folder is not
    followed.
    """
    stores, here = _stores(site), site.folder.resolve()
    own = {Path(f"{store}{end}") for store in stores for end in ("", "-wal", "-shm", "-journal")}
    beside = (site.folder / site.wiring.keys.secret_file).resolve().parent
    there = set(here.rglob("*"))
    if beside != here and here not in beside.parents and beside.is_dir():
        there |= set(beside.iterdir())
    found = sorted(path for path in there if path.is_file() and path.resolve() not in own)
    known = _backups(conn) if any(path.name == _MANIFEST for path in found) else frozenset()
    return [path for path in found if not (known and _is_backed_up(path, known))]


_MANIFEST = "manifest.json"
"""the file that lies beside the stores in every backup"""


def _backups(conn: Connection) -> frozenset[str]:
    """The digests of all files of which the ledger says that they are a backup."""
    bodies = map(json.loads, conn.scalars(select(entry.c.body).where(entry.c.event == events.BACKUP_MADE)))
    return frozenset(str(body[store]) for body in bodies for store in METADATA if store in body)


def _is_backed_up(path: Path, known: Collection[str]) -> bool:
    if path.name == _MANIFEST or not path.with_name(_MANIFEST).is_file():
        return False
    try:
        stat = path.stat()
        return _digest(path, stat.st_mtime_ns, stat.st_size) in known
    except OSError:
        return False


@lru_cache(maxsize=256)
def _digest(path: Path, _changed: int, _size: int) -> str:
    """SHA-256 of a file, computed again when it was changed."""
    return digest(path)


def place(path: Path, folder: Path) -> str:
    """A file's path within the site's ``folder``; only its name when it lies elsewhere."""
    here = folder.resolve()
    return path.relative_to(here).as_posix() if here in path.parents else path.name


def _stores(site: Site) -> list[Path]:
    """The files of the stores; the paths of their engines count from where the process was started."""
    engines = (one for one in (site.engine, site.keys) if one.dialect.name == "sqlite")
    return [Path(one.url.database or "").resolve() for one in engines]


def _is_database(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_HEAD)) == _HEAD
    except OSError:
        return False
