"""The site key: the one secret outside every database. It wraps the keys of people and never touches their data.

What could go wrong: a lost secret makes everything unreadable for ever, and a secret made anew beside old keys hides that
until it is too late. So a site key is made only by ``people.keyring``, which refuses where keys already exist, and the file is
replaced in one step, so that a crash leaves the old one or the new one. While a rotation runs the secret holds several keys;
the key of the blind index stands apart from them, since changing it would lose everybody's identifiers. Keys for one use
(links, form tokens, second factors) are derived from that one, so that a rotation leaves them as they are.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from troth.errors import StoreError

if TYPE_CHECKING:
    from troth.store.site import Site

HINT = "Put back the secret that belongs to this key store; without it nothing sealed can be opened."


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
            raise StoreError(f"The environment variable {name} with the site key is not set.", HINT)
        return _parse(text)
    path = secret_path(site)
    try:
        stat = path.stat()
    except OSError:
        raise StoreError(
            f"The file with the site key, `{site.wiring.keys.secret_file}`, cannot be found.", HINT
        ) from None
    if stat.st_mode & 0o077:
        raise StoreError("The file with the site key can be read by others.", f"Run `chmod 600` on {path.name}.")
    return _from_file(path, stat.st_ino, stat.st_mtime_ns, stat.st_size)


def derived_key(site: Site, label: str, length: int = 32) -> bytes:
    """A key of this site for one use, ``length`` bytes. Raises ``StoreError`` when the site's secret is missing."""
    info = f"troth {label}".encode()
    return HKDF(SHA256(), length, salt=None, info=info).derive(read_ring(site).index)


def mark_key(site: Site) -> bytes | None:
    """The key that marks rows; nothing while the site has no secret that can be read."""
    try:
        return derived_key(site, "row marks")
    except StoreError:
        return None


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
        raise StoreError("The site key cannot be understood.", HINT) from None
    sizes = {len(key) for key in (*ring.keys.values(), ring.index)}
    if ring.current not in ring.keys or sizes != {32} or any(key_id(key) != name for name, key in ring.keys.items()):
        raise StoreError("The site key is damaged.", HINT)
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
