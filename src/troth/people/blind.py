"""The blind index: a person is found by an e-mail address that is nowhere written down. Pure.

A keyed hash (HMAC-SHA-256) over the field's name and the normalised value: whoever has the database, but not the index key,
can neither read identifiers nor test guesses. Normalising decides who counts as one person, so it is cautious: only what
can never tell two people apart is smoothed away.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata

import phonenumbers

from troth.policy.compile import Compiled

_EMAIL = "pd:EmailAddress"
_PHONE = "pd:TelephoneNumber"


def blind(index_key: bytes, field: str, value: str) -> bytes:
    """32 bytes that stand for the normalised ``value`` of ``field``."""
    return hmac.new(index_key, f"{field}\x00{value}".encode(), hashlib.sha256).digest()


def normalised(policy: Compiled, field: str, value: str) -> str:
    """``value`` as one spells it to find somebody: by the category that the policy gives ``field``."""
    data = policy.policy.data.get(field)
    text = unicodedata.normalize("NFC", value).strip()
    if data is not None and data.category == _EMAIL:
        return normal_email(text)
    if data is not None and data.category == _PHONE:
        return normal_phone(text, policy.policy.operator.country)
    return unicodedata.normalize("NFC", text.casefold())


def normal_email(text: str) -> str:
    """The domain in lower case and in one spelling; the part before it as it was, since it may tell mailboxes apart."""
    local, at, domain = text.rpartition("@")
    try:
        domain = domain.encode("idna").decode()
    except UnicodeError:
        domain = domain.casefold()
    return f"{local}{at}{domain.lower()}"


def normal_phone(text: str, country: str | None) -> str:
    """E.164, a number without a country code read as one of ``country``; what is no number stays as it is."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return text.casefold()
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
