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

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from troth.errors import InvalidInput
from troth.store.secret import derived_key
from troth.store.site import Site


@dataclass(frozen=True, slots=True)
class Stop:
    """What an unsubscribe link stands for."""

    person_id: str
    message_class: str


def stop_token(site: Site, person_id: str, message_class: str) -> str:
    """The secret part of an unsubscribe link. Raises ``StoreError`` when the site's secret is missing."""
    sealed = AESSIV(derived_key(site, "unsubscribe", 64)).encrypt(f"{person_id} {message_class}".encode(), None)
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def read_stop_token(site: Site, token: str) -> Stop:
    """What ``token`` stands for.

    Raises:
        InvalidInput: when this site did not make it.
        StoreError: when the site's secret is missing.
    """
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        words = AESSIV(derived_key(site, "unsubscribe", 64)).decrypt(sealed, None).decode()
    except (InvalidTag, ValueError, binascii.Error):
        raise InvalidInput("This link is not complete.", hint="Copy the whole address from the message.") from None
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
