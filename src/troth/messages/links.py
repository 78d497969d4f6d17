"""Links in mail that need no log-in: sealed words that only this site can make and read.

What could go wrong: a link that names a person in the clear, one that can be guessed or altered, and one that stops working
when the site key is rotated although the mail is still in somebody's inbox. So a link holds the person and the class encrypted
and authenticated (AES-SIV, RFC 5297), under a key derived from the key of the blind index, which no rotation changes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from troth.clock import iso
from troth.errors import InvalidInput
from troth.store.secret import derived_key
from troth.store.site import Site


@dataclass(frozen=True, slots=True)
class Stop:
    """What an unsubscribe link stands for."""

    person_id: str
    message_class: str


@dataclass(frozen=True, slots=True)
class Removal:
    """What a link in a notice of a changed policy stands for: whose data, the version they may disagree with, until when."""

    person_id: str
    version: int
    until: datetime


def _sealed(site: Site, use: str, words: str) -> str:
    sealed = AESSIV(derived_key(site, use, 64)).encrypt(words.encode(), None)
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def _opened(site: Site, use: str, token: str) -> str:
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        return AESSIV(derived_key(site, use, 64)).decrypt(sealed, None).decode()
    except (InvalidTag, ValueError, binascii.Error):
        raise InvalidInput("This link is not complete.", hint="Copy the whole address from the message.") from None


def removal_link(site: Site, removal: Removal) -> str:
    """The address at which somebody who disagrees with a version asks for the removal of their data.

    Raises:
        StoreError: when the site's secret is missing.
    """
    words = f"{removal.person_id} {removal.version} {iso(removal.until)}"
    return f"{site.wiring.base_url.rstrip('/')}/privacy/remove/{_sealed(site, 'removal', words)}"


def read_removal_token(site: Site, token: str) -> Removal:
    """What the secret part of a removal link stands for; whether its time is over is the caller's to ask.

    Raises:
        InvalidInput: when this site did not make it.
        StoreError: when the site's secret is missing.
    """
    person_id, version, until = _opened(site, "removal", token).split(" ")
    return Removal(person_id, int(version), datetime.fromisoformat(until))


def stop_token(site: Site, person_id: str, message_class: str) -> str:
    """The secret part of an unsubscribe link. Raises ``StoreError`` when the site's secret is missing."""
    return _sealed(site, "unsubscribe", f"{person_id} {message_class}")


def read_stop_token(site: Site, token: str) -> Stop:
    """What ``token`` stands for.

    Raises:
        InvalidInput: when this site did not make it.
        StoreError: when the site's secret is missing.
    """
    words = _opened(site, "unsubscribe", token)
    person_id, _, message_class = words.partition(" ")
    return Stop(person_id, message_class)


def stop_link(site: Site, person_id: str, message_class: str) -> str:
    """The address at which a person stops ``message_class``."""
    return f"{site.wiring.base_url.rstrip('/')}/unsubscribe/{stop_token(site, person_id, message_class)}"


def once_token(site: Site, once_id: str) -> str:
    """The secret part of a link that is good for once: 256 bits that only this site can make of the link's number.

    So the link can be written into a mail when it leaves, and neither a queue nor a database ever holds it. Raises
    ``StoreError`` when the site's secret is missing.
    """
    secret = hmac.new(derived_key(site, "once"), once_id.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def once_link(site: Site, once_id: str, page: str = "link") -> str:
    """The address that is good for once: of the ``page`` of accounts where a password is chosen, or of another."""
    return f"{site.wiring.base_url.rstrip('/')}/account/{page}/{once_token(site, once_id)}"
