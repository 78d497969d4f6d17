"""Checkpoints: the root of the tree at a size, signed. What is signed is a short text, so that anybody can rebuild it.

A key is an Ed25519 key; its id is the beginning of the SHA-256 of its 32 public bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from troth.ledger.guard import instant
from troth.ledger.tree import Frontier, unpacked

FORMAT = "troth-ledger/1"

PublicKeys = Mapping[str, Ed25519PublicKey]  # by key id


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement: at ``at`` the ledger held ``size`` entries and its tree had this ``root``."""

    size: int
    at: datetime
    root: bytes
    frontier: bytes
    key_id: str
    signature: bytes


def signed(ledger: str, tree: Frontier, at: datetime, key: Ed25519PrivateKey) -> Checkpoint:
    """The checkpoint of ``tree``, signed with ``key``; ``ledger`` is the site's name."""
    root = tree.root()
    signature = key.sign(note(ledger, tree.size, root, at))
    return Checkpoint(tree.size, at, root, tree.packed(), key_id(key.public_key()), signature)


def genuine(ledger: str, checkpoint: Checkpoint, keys: PublicKeys) -> bool:
    """Whether one of ``keys`` signed ``checkpoint`` for this ledger."""
    key = keys.get(checkpoint.key_id)
    if key is None:
        return False
    try:
        key.verify(checkpoint.signature, note(ledger, checkpoint.size, checkpoint.root, checkpoint.at))
    except InvalidSignature:
        return False
    return True


def frontier_of(checkpoint: Checkpoint) -> Frontier | None:
    """The frontier kept with ``checkpoint``, or nothing when it is not that of its root: the signature covers the root."""
    try:
        tree = unpacked(checkpoint.size, checkpoint.frontier)
    except ValueError:
        return None
    return tree if tree.root() == checkpoint.root else None


def note(ledger: str, size: int, root: bytes, at: datetime) -> bytes:
    """The text that is signed: format, ledger, size, root in hexadecimal and instant, a line each."""
    return f"{FORMAT}\n{ledger}\n{size}\n{root.hex()}\n{instant(at)}\n".encode()


def key_id(key: Ed25519PublicKey) -> str:
    """16 hexadecimal digits that name ``key``."""
    return sha256(key.public_bytes_raw()).hexdigest()[:16]
