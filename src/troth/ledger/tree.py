"""The hash tree of RFC 6962 (section 2.1): what makes a list of entries impossible to change unnoticed.

A leaf is SHA-256 of a zero byte and the entry, a node SHA-256 of a one byte and its two children, so that neither can pass for
the other. Everything here is pure.
"""

from __future__ import annotations

from hashlib import sha256


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry: 32 bytes."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two children."""
    return sha256(b"\x01" + left + right).digest()
