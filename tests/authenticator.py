"""A security key in software: makes passkeys and answers with them as a device does, honestly or not."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import encode_cbor

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def words(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """One device with one passkey. Whatever a dishonest one would say otherwise can be set before it answers."""

    origin: str
    flags: int = PRESENT | VERIFIED
    counter: int = 0
    domain: str = ""
    """blank: the one that the page names"""
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: os.urandom(32))
    handle: bytes = b""

    def make(self, options: str) -> str:
        """Make the passkey that a page asks for."""
        asked = json.loads(options)
        self.handle = octets(asked["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        made = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + encode_cbor(cose)
        data = self._data(asked["rp"]["id"], self.flags | ATTESTED) + made
        attestation = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        said = {"clientDataJSON": self._client("webauthn.create", asked["challenge"]), "attestationObject": attestation}
        return self._answer(said)

    def log_in(self, options: str) -> str:
        """Answer a challenge with the passkey; the counter goes up before."""
        asked = json.loads(options)
        self.counter += 1
        data = self._data(asked["rpId"], self.flags)
        client = self._client("webauthn.get", asked["challenge"])
        signed = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        said = {"clientDataJSON": client, "authenticatorData": data, "signature": signed, "userHandle": self.handle}
        return self._answer(said)

    def _data(self, domain: str, flags: int) -> bytes:
        place = hashlib.sha256((self.domain or domain).encode()).digest()
        return place + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _answer(self, said: dict[str, Any]) -> str:
        response = {name: words(value) for name, value in said.items()}
        return json.dumps({"id": words(self.id), "rawId": words(self.id), "type": "public-key", "response": response})
