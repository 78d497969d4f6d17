"""A backup opened beside the live site: as a site of its own, in a scratch folder, that nobody else sees."""

from __future__ import annotations

import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap
from sqlalchemy import Engine, select

from troth.errors import StoreError
from troth.ledger.keys import public_keys
from troth.people.tables import person_key
from troth.restoring import manifest as manifests
from troth.restoring.manifest import Manifest
from troth.store.copying import STAGED, copy_in, whole
from troth.store.engines import open_engine, reading
from troth.store.prepare import knows, prepare
from troth.store.secret import HINT, mark_key, read_ring, secret_path
from troth.store.site import Site

SCRATCH = ".restoring-"
BESIDE = ".restored"
"""what a copy is called beside the SQLite file whose place it is to take"""


def examined(site: Site, folder: Path, keys_folder: Path | None) -> tuple[Manifest, dict[str, Path]]:
    """The manifest of a backup and its files, if they are what was written and this site's key opens them.

    Raises:
        StoreError: when a file is missing or damaged, when another database's log lies beside it, when the site key is another
            one, or when the backup is of a newer Troth or of another kind of database.
        Unverifiable: when the manifest was changed or is of another site.
    """
    manifest = manifests.read(folder, public_keys(site))
    if manifest.site != site.name:
        raise StoreError(f"This is a backup of `{manifest.site}`.", f"The site here is `{site.name}`.")
    for store, engine in (("data", site.engine), ("keys", site.keys)):
        _fits(manifest, store, engine)
    missing = set(manifest.site_keys) - read_ring(site).keys.keys()
    if missing:
        raise StoreError("The site key here is not the one that wraps the keys in this backup.", HINT)
    folders = {"data": folder, "keys": keys_folder or folder}
    return manifest, {store: manifests.checked(manifest, store, folders[store]) for store in manifests.STORES}


def _fits(manifest: Manifest, store: str, engine: Engine) -> None:
    copied = manifest.stores[store]
    if copied.database != engine.dialect.name:
        hint = f"Name a store of {copied.database} in site.yaml."
        raise StoreError(f"The backup's {store} are of {copied.database}, the site's of {engine.dialect.name}.", hint)
    if not knows(store, copied.schema):
        raise StoreError("The backup was made by a newer Troth.", "Install that one, or a newer, and try again.")


@contextmanager
def staged(site: Site, manifest: Manifest, files: dict[str, Path]) -> Iterator[Site]:
    """The backup as a site; at the end its connections are closed, and its files stay where ``places`` says.

    Raises:
        StoreError: when a copy is no database, or its keys do not open.
    """
    leftovers(site)
    scratch = site.folder / f"{SCRATCH}{secrets.token_hex(4)}"
    scratch.mkdir(mode=0o700)
    _secrets(site, scratch)
    try:
        copy = _copy(site, scratch, manifest, files)
        try:
            prepare(copy)
            _keys_open(copy)
            yield copy
        finally:
            copy.close()
        _at_rest(site)
    except BaseException:
        leftovers(site)
        raise


def _copy(site: Site, scratch: Path, manifest: Manifest, files: dict[str, Path]) -> Site:
    engines = {
        store: _opened(site, engine, files[store], manifest.stores[store].space)
        for store, engine in (("data", site.engine), ("keys", site.keys))
    }
    keys = site.wiring.keys.model_copy(update={"secret_file": "site.key"})
    return Site(scratch, site.wiring.model_copy(update={"keys": keys}), engines["data"], engines["keys"], site.clock)


def _at_rest(site: Site) -> None:
    """Let each copy be one file, with nothing beside it that would have to be exchanged, too."""
    for engine in (site.engine, site.keys):
        if engine.dialect.name == "sqlite":
            with closing(sqlite3.connect(f"{engine.url.database}{BESIDE}")) as conn:
                conn.execute("PRAGMA journal_mode = DELETE").fetchone()


def leftovers(site: Site) -> None:
    """Remove what an earlier restore that was cut short has left; the live stores are untouched."""
    for folder in site.folder.glob(f"{SCRATCH}*"):
        shutil.rmtree(folder)
    for engine in (site.engine, site.keys):
        if engine.dialect.name == "sqlite":
            for suffix in ("", "-wal", "-shm", "-journal"):
                Path(f"{engine.url.database}{BESIDE}{suffix}").unlink(missing_ok=True)
        else:
            with engine.begin() as conn:
                conn.exec_driver_sql(f'DROP SCHEMA IF EXISTS "{STAGED}" CASCADE')


def _secrets(site: Site, scratch: Path) -> None:
    secret = secret_path(site).absolute()
    for name, file in (("site.key", secret), ("ledger.key", secret.with_name("ledger.key"))):
        if file.exists():
            (scratch / name).symlink_to(file)
    if (head := secret.with_name("ledger.head")).exists():
        shutil.copyfile(head, scratch / "ledger.head")


def _opened(site: Site, live: Engine, file: Path, space: str) -> Engine:
    if live.dialect.name == "sqlite":
        to = Path(f"{live.url.database}{BESIDE}").absolute()
        to.parent.mkdir(parents=True, exist_ok=True)
        to.touch(mode=0o600)
        shutil.copyfile(file, to)
        if not whole(to):
            raise StoreError(f"The backup's file `{file.name}` is damaged.", "Take an older backup.")
        return open_engine(f"sqlite:///{to}", to.parent, mark_key=lambda: mark_key(site))
    with live.connect() as conn:
        here = conn.exec_driver_sql("SELECT current_schema()").scalar_one()
    if here != space:
        raise StoreError(f"The backup is of the schema `{space}`, the store's is `{here}`.", "Name that in the URL.")
    copy_in(live, file, space)
    url = live.url.update_query_dict({"options": f"-c search_path={STAGED} -c lock_timeout=10000"})
    return open_engine(url.render_as_string(hide_password=False), Path("/"), mark_key=lambda: mark_key(site))


def _keys_open(copy: Site) -> None:
    """Open one key of each site key: the names may be right and the key itself another."""
    ring = read_ring(copy)
    with reading(copy.keys) as conn:
        for name, key in ring.keys.items():
            row = conn.execute(select(person_key.c.wrapped).where(person_key.c.site_key == name).limit(1)).first()
            try:
                if row is not None:
                    aes_key_unwrap(key, row.wrapped)
            except (InvalidUnwrap, ValueError):
                raise StoreError("The site key here does not open the keys in this backup.", HINT) from None
