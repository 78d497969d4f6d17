"""Checkpoints as somebody outside keeps them: signed notes in the C2SP form that transparency logs use for theirs.

A note is the ledger's origin, its size, its root in base64 and the instant, a line each, a blank line, and signatures. The
first signature is the site's, over the text before the blank line; a time stamp (RFC 3161) of the same text may follow as
another.
Sources: C2SP ``signed-note`` and ``tlog-checkpoint``. Notes may follow each other in one text, and stand in mail.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from troth.ledger.checkpoints import Checkpoint, PublicKeys
from troth.ledger.guard import instant

ED25519 = b"\x01"
STAMP = b"\xffrfc3161"
"""what kind a signature is, as it goes into the id of its key; 0xff is for those that C2SP does not number"""
_ORIGIN = "troth/"
_NOTE = re.compile(
    r"^(?P<text>troth/(?P<ledger>[a-z][a-z0-9-]{0,62})\n(?P<size>[1-9][0-9]{0,17})\n(?P<root>[A-Za-z0-9+/]{43}=)\n"
    r"(?P<at>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z)\n)\n(?P<signatures>(?:— \S+ [A-Za-z0-9+/]+={0,2}\n)+)",
    re.MULTILINE,
)
_SIGNATURE = re.compile(r"— (\S+) (\S+)\n")
_HEADER = re.compile(rb"\A[A-Za-z][A-Za-z0-9-]*: ")


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody outside keeps: at ``at`` the ledger had ``size`` entries and this ``root``; ``signatures`` by name."""

    ledger: str
    size: int
    root: bytes
    at: datetime
    signatures: tuple[tuple[str, bytes], ...]

    @property
    def text(self) -> bytes:
        """What is signed and stamped."""
        return f"{_ORIGIN}{self.ledger}\n{self.size}\n{b64encode(self.root).decode()}\n{instant(self.at)}\n".encode()

    def written(self) -> str:
        """The note as it is handed over, mailed and kept."""
        lines = (f"— {name} {b64encode(value).decode()}\n" for name, value in self.signatures)
        return f"{self.text.decode()}\n{''.join(lines)}"

    def signed_by(self, keys: PublicKeys) -> bool:
        """Whether one of ``keys`` signed it for this ledger."""
        return any(self._signed(key) for key in keys.values())

    def _signed(self, key: Ed25519PublicKey) -> bool:
        name = f"{_ORIGIN}{self.ledger}"
        mark = key_mark(name, ED25519 + key.public_bytes_raw())
        for whose, value in self.signatures:
            if whose == name and value[:4] == mark:
                try:
                    key.verify(value[4:], self.text)
                except InvalidSignature:
                    continue
                return True
        return False

    def stamp(self, witness: str) -> bytes | None:
        """The time stamp that ``witness`` gave, as it answered (DER), if there is one."""
        mark = key_mark(witness, STAMP)
        return next((value[4:] for name, value in self.signatures if name == witness and value[:4] == mark), None)

    def checkpoint(self) -> Checkpoint:
        """The same without its signature, which is over another text than the ledger's own."""
        return Checkpoint(self.size, self.at, self.root, b"", "", b"")


def note_of(ledger: str, one: Checkpoint, key: Ed25519PrivateKey) -> Note:
    """The note of a checkpoint of ``ledger``, signed with the key that seals it."""
    name, public = f"{_ORIGIN}{ledger}", key.public_key().public_bytes_raw()
    text = Note(ledger, one.size, one.root, one.at, ()).text
    return Note(ledger, one.size, one.root, one.at, ((name, key_mark(name, ED25519 + public) + key.sign(text)),))


def stamped(note: Note, witness: str, answer: bytes) -> Note:
    """``note`` with the time stamp ``answer`` that ``witness`` gave."""
    more = (witness, key_mark(witness, STAMP) + answer)
    return Note(note.ledger, note.size, note.root, note.at, (*note.signatures, more))


def key_mark(name: str, kind_and_key: bytes) -> bytes:
    """The four bytes by which a signature names its key."""
    return sha256(name.encode() + b"\n" + kind_and_key).digest()[:4]


def verifier_key(ledger: str, key: Ed25519PublicKey) -> str:
    """The key in the form in which other programs take it to verify notes (``vkey``)."""
    name, public = f"{_ORIGIN}{ledger}", ED25519 + key.public_bytes_raw()
    return f"{name}+{key_mark(name, public).hex()}+{b64encode(public).decode()}"


def notes_in(raw: bytes) -> list[Note]:
    """Every note in a text or a mail, in order; what is none is passed over, such as a line that was cut short."""
    return [note for text in _texts(raw) for note in _notes(text.replace("\r\n", "\n"))]


def _texts(raw: bytes) -> Iterator[str]:
    if not _HEADER.match(raw):
        yield raw.decode("utf-8", "replace")
        return
    mail = message_from_bytes(raw, _class=EmailMessage, policy=default)
    for part in mail.walk():
        if part.get_content_type() == "text/plain":
            content = part.get_payload(decode=True)
            yield content.decode("utf-8", "replace") if isinstance(content, bytes) else ""


def _notes(text: str) -> Iterator[Note]:
    for found in _NOTE.finditer(text):
        try:
            signatures = tuple(
                (name, b64decode(value, validate=True)) for name, value in _SIGNATURE.findall(found["signatures"])
            )
            at, root = datetime.fromisoformat(found["at"]), b64decode(found["root"], validate=True)
        except (ValueError, NotBase64):
            continue
        yield Note(found["ledger"], int(found["size"]), root, at, signatures)
