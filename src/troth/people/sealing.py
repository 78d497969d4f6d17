"""Sealing: the fields of one holding become one body that opens only with its person's key, in its own place. Pure.

AES-256-GCM over the values, one after the other with a NUL between them, in the order of their fields' names, which stand
once with the shape of the holding and not in each body. What is collected holds no NUL; values that do are sealed as a JSON
list (version 2), and bodies of version 1, which held the names as well, still open. The person, the holding and the names are
authenticated with it, so that a body moved to another person, another holding or another shape does not open. A nonce is 12
random bytes; one key seals the few holdings of one person, far from the 2^32 messages at which random nonces grow risky.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.errors import Unverifiable

APART, LISTED, WITH_NAMES = b"\x03", b"\x02", b"\x01"
VERSIONS = (APART, LISTED, WITH_NAMES)
"""the first byte of a body: how the values stand in it"""
_BETWEEN = "\x00"
_NONCE = 12
_read = json.JSONDecoder().raw_decode
LEAST = len(APART) + _NONCE + 16
"""Bytes of the shortest body: one empty value, which is nothing, and the authentication tag of AES-GCM."""


def seal(key: bytes, person_id: str, holding_id: str, values: Mapping[str, str]) -> bytes:
    """Version byte, nonce and ciphertext of ``values``."""
    nonce = os.urandom(_NONCE)
    version, plain = _written([values[field] for field in _in_order(frozenset(values))])
    return version + nonce + AESGCM(key).encrypt(nonce, plain.encode(), _place(version, person_id, holding_id, values))


def _written(values: Sequence[str]) -> tuple[bytes, str]:
    plain = _BETWEEN.join(values)
    if values and plain.count(_BETWEEN) == len(values) - 1:
        return APART, plain
    return LISTED, json.dumps(values, separators=(",", ":"), ensure_ascii=False)


def unseal(key: bytes, person_id: str, holding_id: str, fields: Collection[str], body: bytes) -> dict[str, str]:
    """The values that ``seal`` was given.

    Raises:
        Unverifiable: when the body was altered, or belongs to another person, holding or set of fields.
    """
    return Opener(key, person_id).open(holding_id, fields, body)


class Opener:
    """Opens holdings of one person, one after the other: what is the same for all of them is made once."""

    def __init__(self, key: bytes, person_id: str) -> None:
        self._cipher, self._person = AESGCM(key), person_id

    def open(self, holding_id: str, fields: Collection[str], body: bytes) -> dict[str, str]:
        """As ``unseal``."""
        version = body[:1]
        if version not in VERSIONS:
            raise Unverifiable("A holding does not open: its version is unknown.", "Was it written by a later Troth?")
        place = _place(version, self._person, holding_id, fields)
        try:
            plain = self._cipher.decrypt(body[1 : 1 + _NONCE], body[1 + _NONCE :], place)
        except (InvalidTag, ValueError):
            message = "A holding does not open: it was altered, moved, or sealed with another key."
            raise Unverifiable(message, "Compare the database with a backup.") from None
        written = plain.decode()
        opened: Any = written.split(_BETWEEN) if version == APART else _read(written)[0]
        return dict(opened) if version == WITH_NAMES else dict(zip(_in_order(frozenset(fields)), opened, strict=True))


def _place(version: bytes, person_id: str, holding_id: str, fields: Collection[str]) -> bytes:
    """What is authenticated with a body, as compact JSON: version, person, holding and the names of the fields, sorted."""
    quoted = encode_basestring_ascii
    return f'["{version.hex()}",{quoted(person_id)},{quoted(holding_id)},{_listed(frozenset(fields))}]'.encode()


@lru_cache(maxsize=1024)
def _in_order(fields: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(fields))


@lru_cache(maxsize=1024)
def _listed(fields: frozenset[str]) -> str:
    return json.dumps(_in_order(fields), separators=(",", ":"))
