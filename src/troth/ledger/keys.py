"""The key that signs checkpoints, and the last checkpoint signed: two files beside the site key, outside the database.

What could go wrong: somebody who can write to the database cuts off the ledger's end together with the checkpoints that cover
it, or signs a tree of their own. So neither the key nor the memory of the last checkpoint lies in the database. A lost key is
never quietly replaced: a new one would make every older checkpoint look forged.
"""

from __future__ import annotations

import json
import os
import secrets
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.errors import StoreError, Unverifiable
from troth.ledger.checkpoints import Checkpoint, PublicKeys, key_id
from troth.ledger.guard import instant
from troth.store.site import Site


def signing_key(site: Site, make: bool = False) -> Ed25519PrivateKey:
    """The site's signing key; made when there is none and ``make`` says that nothing was ever signed.

    Raises:
        StoreError: when the key is missing, others may read its file, or it is not an Ed25519 key.
    """
    path = beside(site) / "ledger.key"
    if make and not path.exists():
        _make(path)
    if not path.exists():
        hint = "Put the file `ledger.key` back beside the site key; without it nothing more can be sealed."
        raise StoreError("The key that signs the ledger is missing.", hint)
    if path.stat().st_mode & 0o077:
        raise StoreError("Others may read the key that signs the ledger.", "Run `chmod 600` on `ledger.key`.")
    return _read(path)


def public_keys(site: Site) -> PublicKeys:
    """The keys whose signature counts: the site's own. Raises ``StoreError`` as ``signing_key`` does."""
    public = signing_key(site).public_key()
    return {key_id(public): public}


def public_pem(site: Site) -> str:
    """The public key as PEM, to hand to an auditor. Raises ``StoreError`` as ``signing_key`` does."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return signing_key(site).public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def remember(site: Site, checkpoint: Checkpoint) -> None:
    """Keep ``checkpoint`` in ``ledger.head``, unless a later one is kept there already."""
    last = remembered(site)
    if last is None or last.size < checkpoint.size:
        replace_remembered(site, checkpoint)


def replace_remembered(site: Site, checkpoint: Checkpoint | None) -> None:
    """Keep ``checkpoint`` in ``ledger.head`` whatever is kept there; without one the file goes."""
    if checkpoint is None:
        (beside(site) / "ledger.head").unlink(missing_ok=True)
        return
    kept = {"size": checkpoint.size, "at": instant(checkpoint.at), "root": checkpoint.root.hex()}
    kept |= {"key_id": checkpoint.key_id, "signature": checkpoint.signature.hex()}
    new = _written(beside(site), json.dumps(kept).encode())
    new.replace(beside(site) / "ledger.head")


def remembered(site: Site) -> Checkpoint | None:
    """The last checkpoint that this host signed or saw, without its frontier; nothing before the first.

    Raises:
        Unverifiable: when ``ledger.head`` cannot be read.
    """
    path = beside(site) / "ledger.head"
    if not path.exists():
        return None
    try:
        kept = json.loads(path.read_bytes())
        at, root, signature = datetime.fromisoformat(kept["at"]), bytes.fromhex(kept["root"]), kept["signature"]
        return Checkpoint(int(kept["size"]), at, root, b"", str(kept["key_id"]), bytes.fromhex(signature))
    except (ValueError, KeyError, TypeError):
        raise Unverifiable("The file `ledger.head` cannot be read.", "Restore it from a backup.") from None


def beside(site: Site) -> Path:
    """The folder in which the ledger's key, its head and the notes of its witnesses lie: that of the site key."""
    return (site.folder / site.wiring.keys.secret_file).parent


def _make(path: Path) -> None:
    form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    made = Ed25519PrivateKey.generate().private_bytes(serialization.Encoding.PEM, form, none)
    new = _written(path.parent, made)
    try:
        os.link(new, path)
    except FileExistsError:
        pass  # another process was first, and its key is whole: a link appears only with its content
    finally:
        new.unlink()


def _written(folder: Path, content: bytes) -> Path:
    """A new file in ``folder`` that only its owner may read, with ``content`` safely on disk."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".ledger-{secrets.token_hex(8)}"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return path


def _read(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise StoreError("The file `ledger.key` holds no Ed25519 key.", "Restore it from a backup.")
    return key
