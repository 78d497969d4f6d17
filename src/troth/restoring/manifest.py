"""The manifest of a backup: what was copied, when, and the head of its ledger, signed with the key that seals the ledger.

Data and keys of a backup can be kept apart: each folder has the whole manifest and the file of one store or of both.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.clock import iso
from troth.errors import StoreError, Unverifiable
from troth.ledger.checkpoints import PublicKeys, key_id
from troth.store.copying import digest

FORMAT = "troth-backup/1"
NAME = "manifest.json"
STORES = ("data", "keys")


@dataclass(frozen=True, slots=True)
class Copied:
    """The file of one store."""

    file: str
    database: str
    """``sqlite`` or ``postgresql``"""
    schema: str
    """the last migration that had run"""
    space: str
    """on PostgreSQL the schema that it was dumped from"""
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself. ``size`` and ``root`` are of the last checkpoint when it was begun, which it contains."""

    site: str
    at: datetime
    version: int | None
    size: int
    root: str
    site_keys: tuple[str, ...]
    """the site keys that wrap what is in the copy of the keys, by id"""
    stores: Mapping[str, Copied]

    def told(self) -> dict[str, Any]:
        """What is signed."""
        stores = {name: {key: getattr(one, key) for key in Copied.__slots__} for name, one in self.stores.items()}
        told = {"format": FORMAT, "site": self.site, "at": iso(self.at), "policy_version": self.version}
        ledger = {"size": self.size, "root": self.root}
        return {**told, "ledger": ledger, "site_keys": list(self.site_keys), "stores": stores}


def write(manifest: Manifest, folder: Path, key: Ed25519PrivateKey) -> None:
    """Write ``manifest`` into ``folder``, signed."""
    told = manifest.told()
    signed = {"key_id": key_id(key.public_key()), "signature": key.sign(rfc8785.dumps(told)).hex()}
    handle = os.open(folder / NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({**told, **signed}, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())


def read(folder: Path, keys: PublicKeys) -> Manifest:
    """The manifest in ``folder``, held against its signature.

    Raises:
        StoreError: when there is none, or it cannot be read.
        Unverifiable: when it was changed, or another site's key signed it.
    """
    try:
        told = json.loads((folder / NAME).read_text(encoding="utf-8"))
        signer, signature = str(told.pop("key_id")), bytes.fromhex(told.pop("signature"))
        stores = {name: Copied(**one) for name, one in told["stores"].items()}
        at = datetime.fromisoformat(told["at"])
        head, wraps = told["ledger"], tuple(told["site_keys"])
        found = Manifest(told["site"], at, told["policy_version"], int(head["size"]), str(head["root"]), wraps, stores)
    except FileNotFoundError:
        raise StoreError(f"There is no backup in {folder}.", f"A backup has a file {NAME}.") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise StoreError(f"The file {NAME} in {folder} cannot be read.", "Take another copy of this backup.") from None
    if signer not in keys:
        hint = (
            "It is of another site, or `ledger.key` is not the one of that day: put that one back beside the site key."
        )
        raise Unverifiable("The backup was signed with another key than this site's.", hint)
    try:
        keys[signer].verify(signature, rfc8785.dumps(told))
    except InvalidSignature:
        raise Unverifiable("The manifest of the backup was changed.", "Take another copy of this backup.") from None
    return found


def checked(manifest: Manifest, store: str, folder: Path) -> Path:
    """The file of ``store`` in ``folder``, as it was written.

    Raises:
        StoreError: when it is not there, was changed, or files of another database lie beside it.
    """
    copied = manifest.stores[store]
    path = folder / copied.file
    if not path.exists():
        hint = "Data and keys may be kept apart: name the other folder with --keys-from."
        raise StoreError(f"The backup's file `{copied.file}` is not in {folder}.", hint)
    beside = [one.name for suffix in ("-wal", "-shm") if (one := Path(f"{path}{suffix}")).exists()]
    if beside:
        hint = "They belong to another database and would be played into this one: remove them."
        raise StoreError(f"Beside `{copied.file}` lie {' and '.join(beside)}, which no backup has.", hint)
    if path.stat().st_size != copied.bytes or digest(path) != copied.sha256:
        hint = "Take another copy of this backup, or an older backup."
        raise StoreError(f"The backup's file `{copied.file}` is damaged: it is not what was written.", hint)
    return path
