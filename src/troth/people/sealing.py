"""Sealing: the fields of one holding become one body that opens only with its person's key, in its own place. Pure.

AES-256-GCM over the canonical JSON of the fields. The person, the holding and the names of the fields are authenticated with
it, so that a body moved to another person, another holding or another shape does not open. A nonce is 12 random bytes; one key
seals the few holdings of one person, far from the 2^32 messages at which random nonces grow risky.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.errors import Unverifiable

VERSION = b"\x01"
_NONCE = 12
LEAST = len(VERSION) + _NONCE + 2 + 16
"""Bytes of the shortest body: an empty object and the authentication tag of AES-GCM."""


def seal(key: bytes, person_id: str, holding_id: str, values: Mapping[str, str]) -> bytes:
    """Version byte, nonce and ciphertext of ``values``."""
    nonce = os.urandom(_NONCE)
    plain = json.dumps(dict(values), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return VERSION + nonce + AESGCM(key).encrypt(nonce, plain, _place(person_id, holding_id, values))


def unseal(key: bytes, person_id: str, holding_id: str, fields: Collection[str], body: bytes) -> dict[str, str]:
    """The values that ``seal`` was given.

    Raises:
        Unverifiable: when the body was altered, or belongs to another person, holding or set of fields.
    """
    if body[:1] != VERSION:
        raise Unverifiable("A holding does not open: its version is unknown.", "Was it written by a later Troth?")
    try:
        plain = AESGCM(key).decrypt(body[1 : 1 + _NONCE], body[1 + _NONCE :], _place(person_id, holding_id, fields))
    except (InvalidTag, ValueError):
        message = "A holding does not open: it was altered, moved, or sealed with another key."
        raise Unverifiable(message, "Compare the database with a backup.") from None
    opened: dict[str, str] = json.loads(plain)
    return opened


def _place(person_id: str, holding_id: str, fields: Collection[str]) -> bytes:
    return json.dumps([VERSION.hex(), person_id, holding_id, sorted(fields)], separators=(",", ":")).encode()
