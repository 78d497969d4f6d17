"""The site key: the one secret outside every database. It wraps the keys of people and never touches their data.

What could go wrong: a lost secret makes everything unreadable for ever, and a secret made anew beside old keys hides that
until it is too late. So a site key is made only by ``make_site_key``, which refuses where keys already exist, and the file is
replaced in one step, so that a crash leaves the old one or the new one. While a rotation runs the secret holds several keys;
the key of the blind index stands apart from them, since changing it would lose everybody's identifiers.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from sqlalchemy import select

from troth.errors import StoreError
from troth.people.tables import person_key, site_key
from troth.store.engines import writing
from troth.store.insert import insert_into
from troth.store.site import Site

_HINT = "Put back the secret that belongs to this key store; without it nothing sealed can be opened."


@dataclass(frozen=True)
class Ring:
    """The site keys at hand (32 bytes each, by id), which of them wraps new keys, and the key of the blind index."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)
    index: bytes = field(repr=False)

    def text(self) -> str:
        """The secret as it is written to the file or the environment variable."""
        keys = {name: base64.b64encode(key).decode() for name, key in self.keys.items()}
        return json.dumps({"current": self.current, "keys": keys, "index": base64.b64encode(self.index).decode()})


def new_ring() -> Ring:
    """A fresh secret with one site key; for an environment variable, hand its ``text()`` to the operator."""
    key = secrets.token_bytes(32)
    return Ring(key_id(key), {key_id(key): key}, secrets.token_bytes(32))


def key_id(key: bytes) -> str:
    """How a site key is named in the key store: it says which key it was and nothing about it."""
    return hashlib.sha256(b"troth site key\x00" + key).hexdigest()[:16]


def with_new_key(ring: Ring) -> Ring:
    """``ring`` with one more key, which wraps from now on."""
    key = secrets.token_bytes(32)
    return replace(ring, current=key_id(key), keys={**ring.keys, key_id(key): key})


def make_site_key(site: Site) -> None:
    """Make the site's secret, once, and enter it in the key store.

    Raises:
        StoreError: when there is one already, or when the key store holds keys that another secret wraps.
    """
    wires = site.wiring.keys
    made = not wires.secret_env and not secret_path(site).exists()
    ring = new_ring() if made else read_ring(site)
    with writing(site.keys) as conn:
        if conn.execute(select(site_key.c.id).where(site_key.c.id == ring.current)).first():
            raise StoreError("This site has its site key already.", "To change it, rotate it.")
        if conn.execute(select(person_key.c.person_id).limit(1)).first():
            raise StoreError("The key store holds keys that another site key wraps.", _HINT)
        if made:
            write_secret(secret_path(site), ring)
        conn.execute(insert_into(conn, site_key).values(id=ring.current, made_at=site.now()))


def secret_path(site: Site) -> Path:
    """Where the secret file stands; a relative path counts from the site folder."""
    return site.folder / site.wiring.keys.secret_file


def read_ring(site: Site) -> Ring:
    """The site's secret as it is at this moment.

    Raises:
        StoreError: when it is missing, readable by others, or not a secret of Troth.
    """
    name = site.wiring.keys.secret_env
    if name:
        text = os.environ.get(name)
        if not text:
            raise StoreError(f"The environment variable {name} with the site key is not set.", _HINT)
        return _parse(text)
    path = secret_path(site)
    try:
        stat = path.stat()
    except OSError:
        raise StoreError(
            f"The file with the site key, `{site.wiring.keys.secret_file}`, cannot be found.", _HINT
        ) from None
    if stat.st_mode & 0o077:
        raise StoreError("The file with the site key can be read by others.", f"Run `chmod 600` on {path.name}.")
    return _from_file(path, stat.st_ino, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _from_file(path: Path, _inode: int, _changed: int, _size: int) -> Ring:
    try:
        return _parse(path.read_text())
    except OSError:
        raise StoreError(
            "The file with the site key cannot be read.", "It must belong to the user Troth runs as."
        ) from None


def _parse(text: str) -> Ring:
    try:
        tree = json.loads(text)
        keys = {str(name): base64.b64decode(key, validate=True) for name, key in tree["keys"].items()}
        ring = Ring(str(tree["current"]), keys, base64.b64decode(tree["index"], validate=True))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StoreError("The site key cannot be understood.", _HINT) from None
    sizes = {len(key) for key in (*ring.keys.values(), ring.index)}
    if ring.current not in ring.keys or sizes != {32} or any(key_id(key) != name for name, key in ring.keys.items()):
        raise StoreError("The site key is damaged.", _HINT)
    return ring


def write_secret(path: Path, ring: Ring) -> None:
    """Replace the secret file in one step; it is on the disk when this returns. Raises ``StoreError`` when it cannot."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(ring.text())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        _sync_folder(path.parent)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise StoreError(
            "The file with the site key cannot be written.", "Nothing was changed; check the folder."
        ) from None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
