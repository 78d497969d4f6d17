"""Takes a backup of a running site: both stores, each into a file of its own, and a signed manifest.

What could go wrong: a backup that was cut short looks like one; data and keys end up in one pile, so that whoever finds it can
read it; a key is missing for what the data holds. So the files are written into a folder of another name, which gets its own
when all is on the disk; the keys can go elsewhere; and the data is copied first, since a key is there before its data.
"""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from sqlalchemy import select

from troth.errors import StoreError
from troth.ledger import append, events, seal
from troth.ledger.heads import HINT, last_checkpoint, look
from troth.ledger.keys import signing_key
from troth.people.tables import site_key
from troth.restoring.manifest import STORES, Copied, Manifest, write
from troth.store.copying import Step, copy_out, digest, file_name
from troth.store.engines import reading
from troth.store.prepare import present
from troth.store.site import Site


def backup(site: Site, folder: Path, keys_folder: Path | None = None, step: Step | None = None) -> Manifest:
    """Copy both stores of ``site`` into the new folder ``folder``; the keys into ``keys_folder`` where that is given.

    Raises:
        StoreError: when a folder is there already, the stores are not what was sealed, or a copy cannot be made.
    """
    targets = {"data": folder, "keys": keys_folder or folder}
    for one in set(targets.values()):
        if one.exists():
            raise StoreError(f"{one} is there already.", "Every backup gets a new folder.")
    problem = look(site)
    if problem is not None:
        raise StoreError(f"Nothing was copied. {problem.words}", HINT)
    seal(site)
    made = {one: _beside(one) for one in set(targets.values())}
    try:
        manifest = _copied(site, {store: made[targets[store]] for store in STORES}, step)
        for finished in dict.fromkeys((targets["keys"], targets["data"])):
            unfinished = made[finished]
            write(manifest, unfinished, signing_key(site))
            unfinished.rename(finished)
            _flush(finished.parent)
    finally:
        for unfinished in made.values():
            shutil.rmtree(unfinished, ignore_errors=True)
    with site.writing() as conn:
        told = {store: one.sha256 for store, one in manifest.stores.items()}
        append(conn, site.now(), events.BACKUP_MADE, {**told, "size": manifest.size})
    return manifest


def _beside(folder: Path) -> Path:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = folder.parent / f".{folder.name}.{secrets.token_hex(4)}"
        unfinished.mkdir(mode=0o700)
    except OSError as error:
        raise StoreError(f"{folder} cannot be made: {error.strerror}.", "Name another folder.") from None
    return unfinished


def _copied(site: Site, folders: dict[str, Path], step: Step | None) -> Manifest:
    at = site.now()
    with site.reading() as conn:
        last, version = last_checkpoint(conn), site.policy(conn).version
    stores: dict[str, Copied] = {}
    for store, engine in (("data", site.engine), ("keys", site.keys)):
        name = file_name(engine, store)
        path = folders[store] / name
        with reading(engine) as conn:
            schema, kind = present(conn), engine.dialect.name
            space = "" if kind == "sqlite" else str(conn.exec_driver_sql("SELECT current_schema()").scalar_one())
        copy_out(engine, path, step)
        stores[store] = Copied(name, kind, schema, space, path.stat().st_size, digest(path))
    with reading(site.keys) as conn:
        wraps = tuple(
            conn.scalars(select(site_key.c.id).where(site_key.c.retired_at.is_(None)).order_by(site_key.c.id))
        )
    size, root = (last.size, last.root.hex()) if last else (0, "")
    return Manifest(site.name, at, version, size, root, wraps, stores)


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    with suppress(OSError):
        os.fsync(handle)
    os.close(handle)
